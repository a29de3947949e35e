"""A forward proxy: plain requests are passed on, tunnels to the login hosts end up here."""

from __future__ import annotations

import base64
import http.client
import select
import socket
from urllib.parse import urlsplit

from .secure import HOSTS, UNCERTIFIED_HOST
from .web import Handler


class ProxyHandler(Handler):
    """Lets HTTP through, and CONNECT to the login hosts, which it takes to the local service."""

    def lets_in(self) -> bool:
        """Answer a request without the right user and password."""
        wanted = self.service.proxy_login
        given = self.headers.get("Proxy-Authorization", "").removeprefix("Basic ")
        if wanted is None or given == base64.b64encode(wanted.encode()).decode():
            return True
        self.send_json(407, {}, {"Proxy-Authenticate": 'Basic realm="company", charset="UTF-8"'})
        return False

    def do_GET(self) -> None:
        entry = self.begin("proxy")
        if not self.lets_in():
            return
        parts = urlsplit(self.path)
        address = parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in ("connection", "host") and not name.lower().startswith("proxy-")
        }
        entry.path = self.path
        if parts.hostname in HOSTS:
            # Nobody listens there without encryption; what was told is noted.
            self.send_json(502, {"error": f"{parts.hostname} is played over TLS only"})
            return
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        try:
            connection.request("GET", address, headers={**headers, "Host": parts.netloc})
            answer = connection.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                    self.send_header(name, value)
            self.end_headers()
            while block := answer.read1(1 << 16):
                self.wfile.write(block)
        finally:
            connection.close()
        entry.status = answer.status

    def do_CONNECT(self) -> None:
        entry = self.begin("proxy")
        host, _, _ = self.path.partition(":")
        entry.path = self.path
        if not self.lets_in():
            return
        if host not in (*HOSTS, UNCERTIFIED_HOST):
            self.send_json(502, {"error": f"{host} is not played here"})
            return
        entry.status = 200
        with socket.create_connection(("127.0.0.1", self.service.secure_port), 30) as upstream:
            self.send_response(200, "Connection Established")
            self.end_headers()
            ends = {self.connection: upstream, upstream: self.connection}
            while True:
                ready, _, _ = select.select(list(ends), [], [], 60)
                if not ready:
                    break
                for source in ready:
                    data = source.recv(1 << 16)
                    if not data:
                        self.close_connection = True
                        return
                    ends[source].sendall(data)
        self.close_connection = True
