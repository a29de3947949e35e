"""A build into an object store that was stopped shows nothing, and the next one starts over."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.errors import Canceled, OutputError
from hyp3_stack.core.object_store.claim import MARK
from hyp3_stack.core.tasks import build_stack
from tests.build.interrupted import start
from tests.object_store.proxy import HOLD, Answer, Request
from tests.object_store.service import Service
from tests.running import StopAt, build
from tests.sample_products import SampleStack

from .stacks import GROUPS, ONE_GROUP, assert_invisible, assert_same, new_url, prefix

pytestmark = pytest.mark.slow


@pytest.fixture
def given(object_store: Service) -> dict[str, Any]:
    """Parameters of a build to a place of its own."""
    return {"ZARR_URL": new_url(), "S3_ENDPOINT": object_store.endpoint}


@pytest.fixture(scope="module")
def undisturbed(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("undisturbed") / "s.zarr"
    build(small.folder, ZARR=store, CHUNKING="temporal")
    return store


def wait_until(condition: Callable[[], object], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_killed_in_the_middle(
    object_store: Service,
    given: dict[str, Any],
    small: SampleStack,
    undisturbed: Path,
    tmp_path: Path,
) -> None:
    """Kill -9 while series are written; of what it left nothing remains."""
    url = given["ZARR_URL"]
    given["CHUNKING"] = "temporal"
    held: list[int] = []

    def hold(request: Request) -> str | None:
        if request.method != "PUT" or f"{GROUPS[1]}/corr/" not in request.path:
            return None
        held.append(request.number)
        return HOLD

    object_store.proxy.faults = hold
    process = start(tmp_path, {"INPUT": str(small.folder), **given})
    try:
        wait_until(lambda: held)
        assert_invisible(url, object_store)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert f"{prefix(url)}{MARK}" in object_store.keys(prefix(url))
    # A chunk of a layer that is not in the next stack.
    further = f"{prefix(url)}{GROUPS[0]}/amp/0.9.9"
    object_store.put(further, b"of another stack")
    object_store.proxy.reset()

    run = build(small.folder, **given)
    assert f"Removing what another run that stopped left at {url}" in "\n".join(run.infos)
    assert_same(object_store, url, undisturbed)


def test_credentials_that_expire_then_a_service_that_is_full(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    """Nothing of it stays, though what is on a disk was complete already."""
    url = given["ZARR_URL"]
    given |= {"ZARR": str(tmp_path / "s.zarr"), **ONE_GROUP}

    def expire(request: Request) -> Answer | None:
        return Answer(400, "ExpiredToken") if "/corr/" in request.path else None

    def refuse(request: Request) -> Answer | None:
        is_root = request.path.endswith("stack.zarr/.zmetadata") and request.method == "PUT"
        return Answer(403, "QuotaExceeded") if is_root else None

    object_store.proxy.faults = expire
    with pytest.raises(OutputError) as caught:
        build(small.folder, **given)
    text = str(caught.value)
    assert text.startswith(f"{url} cannot be written, because the credentials have expired")
    assert text.endswith("get new ones and run again.")
    assert list(tmp_path.iterdir()) == []
    object_store.proxy.faults = refuse
    with pytest.raises(OutputError, match="is full"):
        build(small.folder, **given)
    assert object_store.keys(prefix(url)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


@pytest.mark.parametrize("percent", [5.0, 40.0])
def test_canceled(
    object_store: Service,
    given: dict[str, Any],
    small: SampleStack,
    tmp_path: Path,
    percent: float,
) -> None:
    given |= {"INPUT": str(small.folder), "ZARR": str(tmp_path / "s.zarr"), **ONE_GROUP}
    with pytest.raises(Canceled):
        build_stack.run(given, None, StopAt(percent))
    assert object_store.keys(prefix(given["ZARR_URL"])) == []
    assert list(tmp_path.iterdir()) == []
