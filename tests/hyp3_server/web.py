"""HTTP servers in threads, with what every service here needs."""

from __future__ import annotations

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from .faults import Fault
from .log import Entry


class Handler(BaseHTTPRequestHandler):
    """Base of all handlers: one log entry a request, JSON answers."""

    protocol_version = "HTTP/1.1"
    service_name = ""
    entry: Entry

    @property
    def service(self) -> Any:
        return self.server.service  # type: ignore[attr-defined]

    def begin(self, service_name: str) -> Entry:
        parts = urlsplit(self.path)
        header = self.headers.get("Authorization", "")
        self.entry = Entry(
            service=service_name,
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            range=self.headers.get("Range", ""),
            authorization=header.partition(" ")[0],
            host=self.headers.get("Host", ""),
            has_cookie="Cookie" in self.headers,
            user_agent=self.headers.get("User-Agent", ""),
        )
        self.service.log.add(self.entry)
        return self.entry

    def send_json(
        self, status: int, body: Any, headers: dict[str, str] | None = None, kind: str = ""
    ) -> None:
        data = json.dumps(body).encode()
        spoil = self.service.spoil
        if spoil is not None and self.send_fault(spoil(f"{self.command} {self.path}", data)):
            return
        self.entry.status = status
        self.send_response(status)
        self.send_header("Content-Type", kind or "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.entry.sent += len(data)
        self.wfile.write(data)

    def send_problem(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        body = {
            "status": status,
            "detail": detail,
            "title": self.responses.get(status, ("Error",))[0],
            "type": "about:blank",
        }
        self.send_json(status, body, headers, "application/problem+json")

    def send_fault(self, fault: Fault | None) -> bool:
        """Send an answer in place of the own one, if a fault says so."""
        if fault is None or fault.content is None:
            return False
        status, content = fault.status or 200, fault.content
        self.entry.status = status
        self.send_response(status)
        headers = {"Content-Type": fault.kind, **fault.headers}
        if fault.retry_after:
            headers["Retry-After"] = fault.retry_after
        if not fault.endless:
            headers.setdefault("Content-Length", str(len(content)))
        if fault.endless or int(headers["Content-Length"]) != len(content):
            headers["Connection"] = "close"
            self.close_connection = True
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        step = len(content) if fault.rate is None else max(int(fault.rate / 20), 1)
        pieces = [content[at : at + step] for at in range(0, len(content), step or 1)]
        while True:
            for piece in pieces:
                self.entry.sent += len(piece)
                self.wfile.write(piece)
                if fault.rate is not None:
                    time.sleep(len(piece) / fault.rate)
            if not fault.endless:
                return True

    def redirect(self, url: str, cookie: str | None = None) -> None:
        self.entry.status = 302
        self.send_response(302)
        self.send_header("Location", url)
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        return


class Server(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1, or on the one that is asked for."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        handler: type[BaseHTTPRequestHandler],
        service: Any,
        port: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.service = service
        self._context = context
        super().__init__(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self._context is not None:
            # In the request's own thread, so that a client without TLS holds up nobody.
            request.settimeout(30)
            request = self._context.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients that are killed or cut off are part of the tests.
        return
