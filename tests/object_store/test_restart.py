"""A build into an object store that was stopped goes on, unseen until it is complete."""

from __future__ import annotations

import io
import json
import os
import signal
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import Canceled, OutputError
from hyp3_stack.core.object_store.claim import MARK
from hyp3_stack.core.object_store.object_note import JOURNAL
from hyp3_stack.core.tasks import build_stack
from tests.build.interrupted import StopAt, start
from tests.object_store.proxy import HOLD, Answer, Request
from tests.object_store.service import BUCKET, Service
from tests.running import build, copy_products, layer_file
from tests.sample_products import SampleStack

from .stacks import GROUPS, ONE_GROUP, assert_invisible, assert_same, new_url, prefix

pytestmark = pytest.mark.slow

LAYERS = ("unw_phase", "corr", "water_mask", "data_mask", "mask_reason")


@pytest.fixture
def given(object_store: Service) -> dict[str, Any]:
    """Parameters of a build to a place of its own."""
    return {
        "ZARR_URL": new_url(),
        "S3_ENDPOINT": object_store.endpoint,
        "CHUNK_SIZE": "0.01",
    }


@pytest.fixture(scope="module")
def undisturbed(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("undisturbed") / "s.zarr"
    build(small.folder, ZARR=store, CHUNK_SIZE="0.01")
    return store


def interrupt(folder: Path, percent: float, **given: Any) -> list[str]:
    """Cancel a build; return what it said."""
    reporter = StopAt(percent)
    with pytest.raises(Canceled, match="run the same job again to go on from where it st") as at:
        build_stack.run({"INPUT": str(folder), **given}, None, reporter)
    assert f"no reader sees what {given['ZARR_URL']} holds of it" in str(at.value)
    return reporter.infos


def done_before(infos: list[str]) -> int:
    """Return how many pieces of work a build found done; 0 if it began anew."""
    texts = [text for text in infos if text.startswith("Going on")]
    return int(texts[0].split(";")[1].split()[0]) if texts else 0


def chunks(service: Service, url: str) -> set[str]:
    """Return the chunks of layers that the place holds."""
    return {key for key in service.keys(prefix(url)) if _is_of_layer(key)}


def written(service: Service, url: str) -> list[str]:
    """Return the chunks of layers that were written since the proxy was reset."""
    paths = [
        r.path.removeprefix(f"/{BUCKET}/") for r in service.proxy.requests if r.method == "PUT"
    ]
    return [path for path in paths if path.startswith(prefix(url)) and _is_of_layer(path)]


def _is_of_layer(key: str) -> bool:
    parts = key.split("/")
    is_document = parts[-1].startswith(".") or parts[-1] == "zarr.json"
    return not is_document and any(layer in parts for layer in LAYERS)


def noted(service: Service, url: str) -> list[str]:
    """Return the pieces of work that a build noted as done."""
    content = service.get(prefix(url) + JOURNAL).partition(b"\n")[2]
    # The checksum of the note comes first.
    with np.load(io.BytesIO(zlib.decompress(content)[8:]), allow_pickle=False) as note:
        return sorted(json.loads(note["done"].tobytes()))


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
    """Kill -9 while series are written; all maps were noted before."""
    url = given["ZARR_URL"]
    held: list[int] = []

    def hold(request: Request) -> str | None:
        if request.method != "PUT" or f"{GROUPS[1]}/corr/" not in request.path:
            return None
        held.append(request.number)
        return HOLD

    object_store.proxy.faults = hold
    process = start(tmp_path, {"INPUT": str(small.folder), **given})
    try:
        # Series of the layer before; on a busy machine the note of them may be long in coming.
        wait_until(lambda: held and "series" in " ".join(noted(object_store, url)))
        # What was asked for last may not be answered yet.
        time.sleep(0.2)
        assert_invisible(url, object_store)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    names = {key.removeprefix(prefix(url)) for key in object_store.keys(prefix(url))}
    assert {MARK, JOURNAL} < names
    object_store.proxy.reset()

    run = build(small.folder, **given)
    assert done_before(run.infos) > 4
    again = written(object_store, url)
    # Maps are there, and each series is written once.
    assert again and not [key for key in again if GROUPS[0] in key]
    assert len(set(again)) == len(again)
    assert_same(object_store, url, undisturbed)


def test_chunks_that_are_changed_between_two_runs(
    object_store: Service, given: dict[str, Any], small: SampleStack, undisturbed: Path
) -> None:
    """One has other content of the same size, one is gone, and one is there that nobody wrote."""
    url = given["ZARR_URL"]
    interrupt(small.folder, 45, **given)
    first, second, *_ = sorted(chunks(object_store, url))
    further = f"{first.rpartition('/')[0]}/0.9.9"
    content = object_store.get(first)
    object_store.put(first, content[:-1] + bytes([content[-1] ^ 1]))
    object_store.put(further, content)
    object_store.client().delete_object(Bucket=BUCKET, Key=second)
    run = build(small.folder, **given)
    assert any("were damaged since and are done again" in text for text in run.infos)
    assert {first, second} <= set(written(object_store, url))
    assert_same(object_store, url, undisturbed)
    assert further not in object_store.keys(prefix(url))


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_stopped_again_and_again(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    """By the user, then by credentials that expire: at last it is as if nothing had happened."""
    url = given["ZARR_URL"]
    given |= {"ZARR_FORMAT": "3", **ONE_GROUP}
    interrupt(small.folder, 20, **given)
    assert_invisible(url, object_store)
    names = {key.removeprefix(prefix(url)) for key in object_store.keys(prefix(url))}
    assert JOURNAL in names and MARK not in names
    before = chunks(object_store, url)
    assert before

    object_store.proxy.reset()
    object_store.proxy.faults = expire_after(object_store, url, 2)
    with pytest.raises(OutputError) as caught:
        build(small.folder, **given)
    text = str(caught.value)
    assert text.startswith(f"{url} cannot be written, because the credentials have expired")
    assert text.endswith("get new ones and run again; the same job then goes on where it stopped.")
    object_store.proxy.reset()
    assert_invisible(url, object_store)

    run = build(small.folder, **given)
    assert done_before(run.infos) > 0
    # Only what was under way when it stopped is written once more.
    assert len(before & set(written(object_store, url))) < len(before) / 2
    here = build(small.folder, ZARR=tmp_path / "s.zarr", **on_disk(given))
    assert_same(object_store, url, here.zarr)


def on_disk(given: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of the same stack elsewhere."""
    return {key: given[key] for key in given if key not in ("ZARR_URL", "S3_ENDPOINT")}


def expire_after(service: Service, url: str, count: int) -> Callable[[Request], Answer | None]:
    """Let credentials expire when so many chunks were written."""

    def choose(request: Request) -> Answer | None:
        return Answer(400, "ExpiredToken") if len(written(service, url)) > count else None

    return choose


def test_on_disk_and_there(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    """One journal for both; it is worth nothing when what it tells of is gone at one place."""
    url = given["ZARR_URL"]
    given |= {"ZARR": str(tmp_path / "s.zarr"), "NETCDF": str(tmp_path / "s.nc"), **ONE_GROUP}
    interrupt(small.folder, 40, **given)
    assert JOURNAL in {key.rpartition("/")[2] for key in object_store.keys(prefix(url))}
    for key in object_store.keys(prefix(url)):
        object_store.client().delete_object(Bucket=BUCKET, Key=key)
    assert done_before(interrupt(small.folder, 60, **given)) == 0
    assert not (tmp_path / "s.zarr").exists() and not (tmp_path / "s.nc").exists()
    assert_invisible(url, object_store)
    before = chunks(object_store, url)

    object_store.proxy.reset()
    run = build(small.folder, **given)
    assert done_before(run.infos) > 0
    assert len(before & set(written(object_store, url))) < len(before) / 2
    assert_same(object_store, url, run.zarr)
    with xr.open_dataset(run.netcdf) as file, xr.open_zarr(run.zarr, group=GROUPS[0]) as stack:
        xr.testing.assert_equal(file.unw_phase, stack.unw_phase)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.nc", "s.zarr"]


def test_another_build_starts_over(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    """A product changes, then an option; of layers that are not wanted any more nothing remains."""
    url = given["ZARR_URL"]
    given |= ONE_GROUP
    folder = tmp_path / "in"
    copies = copy_products(small, folder)
    interrupt(folder, 60, **given)
    os.utime(layer_file(copies[1], "corr"))
    infos = interrupt(folder, 60, **given)
    assert done_before(infos) == 0
    assert f"Removing what another run that stopped left at {url}" in "\n".join(infos)
    given["LAYERS"] = "corr"
    run = build(folder, **given)
    assert done_before(run.infos) == 0
    assert not any(text.startswith("Going on") for text in run.infos)
    here = build(folder, ZARR=tmp_path / "s.zarr", **on_disk(given))
    assert_same(object_store, url, here.zarr)


def test_a_service_that_is_full_in_the_end(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    """Nothing of what was published stays visible, and nothing has to be written again."""
    url = given["ZARR_URL"]
    given |= {"ZARR": str(tmp_path / "s.zarr"), **ONE_GROUP}

    def refuse(request: Request) -> Answer | None:
        is_root = request.path.endswith("stack.zarr/.zmetadata") and request.method == "PUT"
        return Answer(403, "QuotaExceeded") if is_root else None

    object_store.proxy.faults = refuse
    with pytest.raises(OutputError, match="is full .*; the same job then goes on where it stopped"):
        build(small.folder, **given)
    assert_invisible(url, object_store)
    assert not (tmp_path / "s.zarr").exists()
    object_store.proxy.reset()
    run = build(small.folder, **given)
    assert written(object_store, url) == []
    assert_same(object_store, url, run.zarr)
    assert [path.name for path in tmp_path.iterdir()] == ["s.zarr"]


def test_canceled_before_anything_is_done(
    object_store: Service, given: dict[str, Any], small: SampleStack, tmp_path: Path
) -> None:
    given |= {"INPUT": str(small.folder), "ZARR": str(tmp_path / "s.zarr"), **ONE_GROUP}
    with pytest.raises(Canceled):
        build_stack.run(given, None, StopAt(5.0))
    assert object_store.keys(prefix(given["ZARR_URL"])) == []
    assert list(tmp_path.iterdir()) == []
