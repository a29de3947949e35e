"""A stack in an object store is complete or invisible, and nothing else there is touched."""

from __future__ import annotations

import gc
import json
import os
import pickle
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.machine.processes import this_system
from hyp3_stack.core.object_store import claim, late_metadata, leftovers, objects
from hyp3_stack.core.object_store.claim import MARK
from hyp3_stack.core.object_store.late_metadata import is_document
from hyp3_stack.core.object_store.location import RemoteLocation, close_connections
from hyp3_stack.core.object_store.publication import RemoteWorkspace, check_location_writable
from hyp3_stack.core.run.reporter import SilentReporter
from tests.object_store.proxy import Answer, Request
from tests.object_store.remote import age, fill, open_remote, publishing, values, visible
from tests.object_store.service import Service
from tests.object_store.stacks import GROUPS

pytestmark = pytest.mark.slow

ATTEMPTS = (
    check_location_writable,
    lambda location: RemoteWorkspace(location, "a job").__enter__(),
)
"""What shows a run that it cannot have a place: before the work, and when it begins to write."""


def keep(request: Request) -> Answer | None:
    """Let nobody remove anything."""
    return Answer(403, "AccessDenied") if "?delete" in request.path else None


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_nothing_is_visible_before_the_end_and_all_after(
    object_store: Service, location: RemoteLocation, place: str, zarr_format: int
) -> None:
    with publishing(location) as store:
        fill(store, zarr_format)
        # The run itself reads what it wrote.
        with xr.open_dataset(store, engine="zarr", group=GROUPS[1], consolidated=True) as inside:
            np.testing.assert_array_equal(inside.phase.values, values())
        assert sorted(zarr.open_group(store, mode="r").group_keys()) == sorted(GROUPS)
        assert visible(location) == []
        written = object_store.keys(place)
        assert len(written) == 9 and not any(map(is_document, written))
    assert len(visible(location)) == 4
    for group in GROUPS:
        with open_remote(location, group) as stack:
            np.testing.assert_array_equal(stack.phase.values, values())
    assert f"{place}{MARK}" not in object_store.keys(place)


def test_no_connection_is_left_open(
    object_store: Service, location: RemoteLocation, caplog: pytest.LogCaptureFixture
) -> None:
    """aiohttp warns of those that are, when they are collected."""
    gc.collect()
    caplog.clear()
    check_location_writable(location)
    with publishing(location) as store:
        fill(store)
    del store
    gc.collect()
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


def test_documents_appear_from_the_bottom_up(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    with publishing(location) as store:
        fill(store)
    keys = [r.path.partition(place)[2] for r in object_store.proxy.requests if r.method == "PUT"]
    documents = [key for key in keys if is_document(key)]
    depths = [key.count("/") for key in documents]
    assert depths == sorted(depths, reverse=True) and max(depths) == 2
    assert documents[-1] == ".zmetadata"
    assert not any(map(is_document, keys[: -len(documents)]))


@pytest.mark.parametrize("allowed", [0, 10])
def test_a_run_that_dies_while_publishing_shows_nothing_at_the_root(
    object_store: Service, location: RemoteLocation, place: str, allowed: int
) -> None:
    """The object store refuses everything after some documents, cleaning included."""
    seen = []

    def refuse(request: Request) -> Answer | None:
        if request.method == "PUT" and is_document(request.path):
            seen.append(request.path)
        return Answer(403, "AccessDenied") if len(seen) > allowed else None

    with pytest.raises(OutputError, match="access was denied"):
        with publishing(location) as store:
            fill(store)
            object_store.proxy.faults = refuse
    object_store.proxy.reset()
    names = [key.removeprefix(place) for key in object_store.keys(place)]
    assert MARK in names and ".zmetadata" not in names
    root = location.store(read_only=True)
    with pytest.raises((FileNotFoundError, ValueError)):
        zarr.open_group(root, mode="r", use_consolidated=True)
    close_connections(root.fs)
    # The process is alive, so that only the age of its mark tells that the run is dead.
    age(object_store, place, "another system")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(claim, "STALE_SECONDS", -1.0)
        with publishing(location) as store:
            fill(store)
    assert len(visible(location)) == 4


def test_what_a_failed_run_cleans_is_its_own(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    object_store.put("neighbor/x", b"1")
    with pytest.raises(RuntimeError, match="out of luck"):
        with publishing(location) as store:
            fill(store)
            object_store.put(f"{place}notes.txt", b"put here meanwhile")
            raise RuntimeError("out of luck")
    assert object_store.contents(place) == {"notes.txt": b"put here meanwhile"}
    assert object_store.get("neighbor/x") == b"1"


def test_the_next_run_removes_what_a_killed_one_left(
    object_store: Service,
    location: RemoteLocation,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(objects, "_BULK", 50)
    child = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True
    )
    age(object_store, place, this_system(), int(child.stdout))
    old = [f"{GROUPS[0]}/gone/{n}.0.0" for n in range(120)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda name: object_store.put(f"{place}{name}", b"old"), old))
    object_store.put(f"{place}{GROUPS[1]}/gone/c/0/0/1", b"old")
    object_store.put(f"{place}{GROUPS[1]}/.zgroup", b"{}")
    check_location_writable(location)
    with publishing(location) as store:
        assert [key.removeprefix(place) for key in object_store.keys(place)] == [MARK]
        fill(store)
    assert len(visible(location)) == 4
    assert not [key for key in object_store.keys(place) if "gone" in key]


@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_complete_stack_whose_mark_is_still_there_is_kept(
    object_store: Service,
    location: RemoteLocation,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
    zarr_format: int,
) -> None:
    # As in a stack of more than 1000 chunks, whose zarr.json is not among the first names.
    monkeypatch.setattr(leftovers, "_JUDGED", 4)
    reporter = SilentReporter()
    with publishing(location, reporter) as store:
        fill(store, zarr_format)
        object_store.proxy.faults = keep
    object_store.proxy.reset()
    (warning,) = reporter.warnings
    assert f"{location.url} is complete, but" in warning and "access was denied" in warning
    assert f"delete the object {MARK} there." in warning
    age(object_store, place, this_system(), 2**22 + 1)
    before = object_store.contents(place)
    for attempt in ATTEMPTS:
        with pytest.raises(OutputError, match="where there is a Zarr store already"):
            attempt(location)
    assert object_store.contents(place) == before and len(visible(location)) == 4


def test_a_run_that_is_alive_keeps_its_place(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    with publishing(location) as store:
        for attempt in ATTEMPTS:
            with pytest.raises(OutputError, match="where another run is writing"):
                attempt(location)
        fill(store)
    assert len(visible(location)) == 4


def test_a_run_on_another_computer_is_dead_when_its_mark_is_old(
    object_store: Service,
    location: RemoteLocation,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    age(object_store, place, "another-system")
    with pytest.raises(OutputError, match="cut off less than 10 minutes ago"):
        check_location_writable(location)
    monkeypatch.setattr(claim, "STALE_SECONDS", -1.0)
    check_location_writable(location)


def test_a_run_in_another_container_is_not_judged_by_its_number(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    """Containers may share name of host and kernel, but each counts its processes anew."""
    program = (
        "import tests.checkout\n"
        "from hyp3_stack.core.machine.processes import this_system\n"
        "print(this_system())\n"
    )
    made = subprocess.run(
        ["unshare", "--pid", "--fork", sys.executable, "-c", program],
        capture_output=True,
        text=True,
    )
    if made.returncode:
        pytest.skip(f"other numbers of processes take root: {made.stderr}")
    there = made.stdout.strip()
    dead = 2**22 + 1
    age(object_store, place, there, dead)
    with pytest.raises(OutputError, match="where another run is writing"):
        check_location_writable(location)
    age(object_store, place, this_system(), dead)
    check_location_writable(location)
    # As earlier versions wrote it.
    mark = {"run": "x", "host": socket.gethostname(), "process": dead, "begun": "2020-01-01"}
    object_store.put(f"{place}{MARK}", json.dumps(mark).encode())
    with pytest.raises(OutputError, match="where another run is writing"):
        check_location_writable(location)


def test_a_run_whose_place_was_taken_does_not_publish(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    with pytest.raises(OutputError, match="taken by another run"):
        with publishing(location) as store:
            fill(store)
            age(object_store, place, "another-system")
    assert visible(location) == []
    # What lies there belongs to the other run now.
    assert f"{place}{MARK}" in object_store.keys(place)


def test_a_run_that_slept_while_its_place_was_taken_writes_no_more(
    object_store: Service,
    location: RemoteLocation,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(late_metadata, "_CHECK_SECONDS", 0.0)
    with pytest.raises(OutputError, match="taken by another run"):
        with publishing(location) as store:
            fill(store)
            age(object_store, place, "another-system")
            before = object_store.contents(place)
            fill(store)
    assert object_store.contents(place) == before


def test_a_place_that_could_not_be_cleared_up_stays_ours(
    object_store: Service, location: RemoteLocation, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could build there without removing hidden chunks by hand."""
    monkeypatch.setattr(claim, "STALE_SECONDS", -1.0)
    with pytest.raises(RuntimeError):
        with publishing(location) as store:
            fill(store)
            object_store.proxy.faults = keep
            raise RuntimeError
    reporter = SilentReporter()
    with pytest.raises(OutputError, match="cannot be cleaned, because access was denied"):
        RemoteWorkspace(location, "a job").__enter__()
    object_store.proxy.reset()
    assert f"{place}{MARK}" in object_store.keys(place)
    with publishing(location, reporter) as store:
        fill(store)
    [said] = reporter.infos
    assert said.startswith(f"Removing what another run that stopped left at {location.url}")
    assert len(visible(location)) == 4
    assert not [key for key in object_store.keys(place) if ".hyp3-partial" in key]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".zmetadata", "where there is a Zarr store already"),
        ("zarr.json", "where there is a Zarr store already"),
        ("photo.jpg", "below which there are other objects (photo.jpg)"),
        ("sub/photo.jpg", "other objects (sub/photo.jpg)"),
        (f"{GROUPS[0]}/phase/0.0", "other objects"),
        ("", "which is an object already"),
    ],
)
def test_nothing_is_overwritten(
    object_store: Service, location: RemoteLocation, name: str, words: str
) -> None:
    key = f"{location.key}/{name}".rstrip("/")
    object_store.put(key, b"precious")
    for attempt in ATTEMPTS:
        with pytest.raises(OutputError) as caught:
            attempt(location)
        text = str(caught.value)
        assert words in text and text.startswith(f"ZARR_URL is {location.url}, ")
        assert "not replaced" in text and text.endswith(".")
    assert object_store.contents(location.key) == {key[len(location.key) :]: b"precious"}


def test_other_objects_beside_leftovers_are_kept(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    age(object_store, place, this_system(), 2**22 + 1)
    object_store.put(f"{place}notes.txt", b"mine")
    with pytest.raises(OutputError, match="other objects"):
        check_location_writable(location)
    assert object_store.get(f"{place}notes.txt") == b"mine"


def test_the_object_that_stands_for_an_empty_folder_is_no_content(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    object_store.put(place)
    check_location_writable(location)
    with publishing(location) as store:
        fill(store)
    assert len(visible(location)) == 4
    assert place in object_store.keys(place)


def test_names_that_begin_alike_do_not_disturb_and_checking_leaves_nothing(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    object_store.put(f"{location.key}.bak/.zmetadata", b"{}")
    object_store.put(f"{location.key}2", b"{}")
    check_location_writable(location)
    assert object_store.keys(place) == []


def test_many_threads_and_other_processes_write_through_one_store(
    object_store: Service, location: RemoteLocation, tmp_path: Path
) -> None:
    """As Dask's workers do: the pickled store knows the layout and writes chunks."""
    size = 160
    with publishing(location) as store:
        layout = xr.Dataset({"phase": (("y", "x"), np.full((size, size), np.nan, "float32"))})
        layout.to_zarr(
            store,
            group=GROUPS[0],
            zarr_format=2,
            consolidated=False,
            encoding={"phase": {"chunks": (16, 16), "_FillValue": np.float32("nan")}},
        )
        pickled = tmp_path / "store.pickle"
        pickled.write_bytes(pickle.dumps(store))
        assert b"SECRET" not in pickled.read_bytes().upper()
        assert os.environ["AWS_SECRET_ACCESS_KEY"].encode() not in pickled.read_bytes()
        program = (
            "import pickle, sys, pathlib, tests.checkout, numpy, zarr\n"
            f"store = pickle.loads(pathlib.Path({str(pickled)!r}).read_bytes())\n"
            f"array = zarr.open_group(store, path={GROUPS[0]!r}, mode='r+')['phase']\n"
            "array[:80] = numpy.arange(80 * 160, dtype='float32').reshape(80, 160)\n"
            "store.close()\n"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        array = zarr.open_group(store, path=GROUPS[0], mode="r+")["phase"]
        expected = values(size)

        def write(row: int) -> None:
            array[row : row + 16] = expected[row : row + 16]

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(write, range(80, size, 16)))
        zarr.consolidate_metadata(store, path=GROUPS[0], zarr_format=2)
        zarr.consolidate_metadata(store, zarr_format=2)
    with open_remote(location, GROUPS[0]) as stack:
        np.testing.assert_array_equal(stack.phase.values, expected)


def test_chunks_without_data_cost_no_request(
    object_store: Service, location: RemoteLocation
) -> None:
    with publishing(location) as store:
        array = zarr.create_array(
            store, name="a", shape=(64, 64), chunks=(8, 8), dtype="f4", fill_value=0, zarr_format=2
        )
        object_store.proxy.reset()
        array[:] = 0
        assert object_store.proxy.requests == []
        array[:8, :8] = 7
        assert [r.method for r in object_store.proxy.requests] == ["PUT"]
        array[:8, :8] = 0  # what this run wrote is removed again
        assert [r.method for r in object_store.proxy.requests] == ["PUT", "DELETE"]
        assert not array[:].any()
