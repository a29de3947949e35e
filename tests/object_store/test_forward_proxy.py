"""An object store behind a proxy that asks for a login."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from hyp3_stack.core.errors import StoreError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.run.worker import run_task
from hyp3_stack.core.tasks import assess_stack

PASSWORD = "š €@/"
EXPECTED = "Basic " + base64.b64encode(f"jdoe:{PASSWORD}".encode()).decode()
NO_BUCKET = b"<Error><Code>NoSuchBucket</Code><Message>none</Message></Error>"


class Handler(BaseHTTPRequestHandler):
    """Answers in the place of the service, once it is shown the login."""

    def do_GET(self) -> None:
        is_in = self.headers.get("Proxy-Authorization") == EXPECTED
        body = NO_BUCKET if is_in else b""
        self.send_response(404 if is_in else 407)
        self.send_header("Proxy-Authenticate", 'Basic realm="company"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_CONNECT = do_GET  # noqa: N815


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({"proxy_username": "jdoe", "proxy_password": PASSWORD}, None),
        ({"proxy_username": "jdoe", "proxy_password": "hidden"}, "not accept its user name and"),
        (None, "asks for a user name and password"),
    ],
)
def test_login_of_a_proxy(
    proxy: str, tmp_path: Path, scheme: str, login: dict[str, str] | None, words: str | None
) -> None:
    let_in = {"http": "no bucket named-so", "https": "does not connect to s3.example.org"}
    parameters = {
        "INPUT": "s3://named-so/x.zarr",
        "OUTPUT": str(tmp_path / "x.html"),
        "S3_ENDPOINT": f"{scheme}://s3.example.org",
        "PROXIES": {"http": proxy, "https": proxy},
    }
    with pytest.raises(StoreError, match=words or let_in[scheme]) as caught:
        run_task(assess_stack, parameters, login, SilentReporter())
    assert words is None or f"the proxy {proxy} " in str(caught.value)
    assert "hidden" not in str(caught.value)
