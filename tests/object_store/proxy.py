"""A reverse proxy that notes every request and lets some of them fail."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

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
    """Passes requests on to a server on this computer."""

    def __init__(self, host: str, port: int) -> None:
        self.target = host, port
        self.requests: list[Request] = []
        self.faults: Faults | None = None
        self.failed = 0
        self.released = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            return

        def _serve(self) -> None:
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
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
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
            connection = http.client.HTTPConnection(*proxy.target, timeout=60)
            try:
                dropped = ("transfer-encoding", "expect", "content-length", "connection")
                headers = {k: v for k, v in self.headers.items() if k.lower() not in dropped}
                headers["Content-Length"] = str(len(body))
                connection.request(self.command, self.path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
                headers_back = [
                    (k, v) for k, v in answer.getheaders() if k.lower() not in dropped[:1]
                ]
                self._answer(answer.status, headers_back, content, cut)
            finally:
                connection.close()

        def _answer(
            self, status: int, headers: list[tuple[str, str]], content: bytes, cut: bool = False
        ) -> None:
            self.send_response_only(status)
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

    for method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._serve)
    return Handler
