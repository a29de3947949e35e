"""The service that all tests of the retrieval talk to, and a clean environment for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.run.reporter import SilentReporter
from tests.hyp3_server import Hyp3Service

from .downloads import Runs
from .products import Stack


@pytest.fixture(scope="session")
def running_service() -> Iterator[Hyp3Service]:
    with Hyp3Service() as service:
        yield service


@pytest.fixture
def service(
    running_service: Hyp3Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Hyp3Service]:
    """The service without jobs; no credentials, cache or proxy of the developer's machine."""
    for name in ("TOKEN", "USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"EARTHDATA_{name}", raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("HYP3_STACK_CACHE", str(tmp_path / "cache"))
    for name, value in running_service.environment.items():
        monkeypatch.setenv(name, value)
    yield running_service
    running_service.reset()


@pytest.fixture
def credentials(service: Hyp3Service) -> dict[str, str]:
    return {"token": service.accounts.token(service.user.name)}


@pytest.fixture
def login_proxy(service: Hyp3Service) -> dict[str, str]:
    """Takes Earthdata Login's hosts to the service, as a company's proxy would."""
    return {"https": service.proxy_url, "no_proxy": "127.0.0.1"}


@pytest.fixture
def reporter() -> SilentReporter:
    return SilentReporter()


@pytest.fixture
def stack(service: Hyp3Service, tmp_path: Path) -> Stack:
    """Makes products and their jobs."""
    return Stack(service, tmp_path / "server")


@pytest.fixture
def parameters(service: Hyp3Service, tmp_path: Path) -> dict[str, Any]:
    return {"API_URL": service.url, "OUTPUT": str(tmp_path / "products")}


@pytest.fixture
def download(parameters: dict[str, Any], credentials: dict[str, str]) -> Runs:
    return Runs(parameters, credentials)
