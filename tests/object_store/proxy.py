"""The way to a service that notes every request and lets some of them fail."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

LOG = "/-/requests"
"""Path that gives the log as JSON and clears it, for those in another process."""


@dataclass(frozen=True)
class Request:
    """What was asked, with the number of the request from 1."""

    number: int
    method: str
    path: str


@dataclass(frozen=True)
class Answer:
    """An error of the service as S3 words it."""

    status: int
    code: str
    text: str = ""

    @property
    def body(self) -> bytes:
        return (
            self.text.encode()
            or (
                '<?xml version="1.0" encoding="UTF-8"?>'
                f"<Error><Code>{self.code}</Code><Message>{self.code} by request</Message></Error>"
            ).encode()
        )


RESET = "reset"
"""The connection is reset before there is an answer."""

CUT = "cut"
"""The connection ends in the middle of the answer's body."""

HOLD = "hold"
"""Nothing happens until the proxy is reset; then the connection is reset, too."""

Fault = Answer | str | None
Faults = Callable[[Request], Fault]


def every(number: int, *faults: Answer | str, methods: str = "GET PUT POST") -> Faults:
    """Let each ``number``-th request fail, with one fault after the other."""
    seen = [0, 0]

    def choose(request: Request) -> Fault:
        if request.method not in methods.split():
            return None
        seen[0] += 1
        if seen[0] % number:
            return None
        seen[1] += 1
        return faults[seen[1] % len(faults)]

    return choose


class Proxy:
    """Passes requests on to an application of this process."""

    def __init__(self, application: Any) -> None:
        self.requests: list[Request] = []
        self.faults: Faults | None = None
        self.failed = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server: Any = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=_handler(self)
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def reset(self) -> None:
        """Forget requests and faults."""
        with self._lock:
            self.requests, self.faults, self.failed = [], None, 0
            self.released.set()
            self.released = threading.Event()

    def note(self, method: str, path: str) -> Fault:
        with self._lock:
            request = Request(len(self.requests) + 1, method, path)
            self.requests.append(request)
            fault = self.faults(request) if self.faults else None
            self.failed += fault is not None
            return fault


def _handler(proxy: Proxy) -> type[MotoRequestHandler]:
    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log(self, *_: object) -> None:
            return

        def run_wsgi(self) -> None:
            """Serve a request and keep the connection, as services do and werkzeug does not."""
            body = self._body()
            if urlsplit(self.path).path == LOG:
                log = [[request.method, request.path] for request in proxy.requests]
                proxy.reset()
                self._answer(200, [("Content-Type", "application/json")], json.dumps(log).encode())
                return
            released = proxy.released
            fault = proxy.note(self.command, self.path)
            if fault == HOLD:
                released.wait(600)
                self._break()
            elif fault == RESET:
                self._break()
            elif isinstance(fault, Answer):
                self._answer(fault.status, [("Content-Type", "application/xml")], fault.body)
            else:
                self._forward(body, cut=fault == CUT)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().partition(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _forward(self, body: bytes, cut: bool) -> None:
            environ = self.make_environ()
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ |= {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body))}
            content, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
            self._answer(int(status.partition(" ")[0]), list(headers), b"".join(content), cut)

        def _answer(
            self, status: int, headers: list[tuple[str, str]], content: bytes, cut: bool = False
        ) -> None:
            self.send_response(status)
            names = {name.lower() for name, _ in headers}
            for name, value in headers:
                self.send_header(name, value)
            if "content-length" not in names and status not in (204, 304):
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if cut and len(content) > 1:
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                self._break()
                return
            self.wfile.write(content)

        def _break(self) -> None:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.close_connection = True
            self.connection.close()

    return Handler
