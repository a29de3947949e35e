"""What a run that stopped leaves in an object store serves the next one, or is removed."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from hyp3_stack.core.errors import Canceled, OutputError
from hyp3_stack.core.machine.notes import FileNote, Note
from hyp3_stack.core.object_store import claim
from hyp3_stack.core.object_store.claim import MARK
from hyp3_stack.core.object_store.late_metadata import LateMetadataStore, is_document
from hyp3_stack.core.object_store.location import RemoteLocation
from hyp3_stack.core.object_store.object_note import JOURNAL
from hyp3_stack.core.object_store.publication import RemoteWorkspace, check_writable
from hyp3_stack.core.run.reporter import SilentReporter
from tests.object_store.proxy import Answer, Request
from tests.object_store.remote import age, fill, values, visible
from tests.object_store.service import Service
from tests.object_store.stacks import GROUPS


def lay_out(store: LateMetadataStore) -> zarr.Array[Any]:
    """Return an array of 16 chunks, none of which is written."""
    name, side = f"{GROUPS[0]}/phase", 64
    return zarr.create_array(
        store, name=name, shape=(side, side), chunks=(16, 16), dtype="f4", zarr_format=2
    )


def stop(location: RemoteLocation, identity: str = "test", near: Note | None = None) -> None:
    """Fill a place, note something, and be canceled."""
    workspace = RemoteWorkspace(location, identity, near)
    with pytest.raises(Canceled):
        with workspace as store:
            lay_out(store)[:] = values(64) + 1
            workspace.note.write(b"something")
            raise Canceled("stop")
    assert workspace.is_kept


def test_the_same_build_finds_chunks_and_note(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    stop(location)
    names = {key.removeprefix(place) for key in object_store.keys(place)}
    assert len(names) == 17 and JOURNAL in names and not any(map(is_document, names))
    check_writable(location)
    # As if it had been cut off while it made the stack visible.
    object_store.put(f"{place}{GROUPS[0]}/phase/.zarray", b"{}")
    workspace = RemoteWorkspace(location, "test")
    with workspace as store:
        assert workspace.note.read() == b"something"
        assert visible(location) == []
        assert {key.removeprefix(place) for key in object_store.keys(place)} == {*names, MARK}
        array = lay_out(store)
        np.testing.assert_array_equal(array[:], values(64) + 1)
        array[:16, :32] = 0  # without data now
        zarr.consolidate_metadata(store, zarr_format=2)
    left = {key.removeprefix(place) for key in object_store.keys(place)}
    gone = {f"{GROUPS[0]}/phase/0.0", f"{GROUPS[0]}/phase/0.1"}
    assert {name for name in left if not is_document(name)} == names - gone - {JOURNAL}


@pytest.mark.parametrize("identity", ["another", "test"])
def test_another_build_finds_nothing(
    object_store: Service, location: RemoteLocation, place: str, identity: str
) -> None:
    """Nor does the same one whose note was damaged."""
    stop(location)
    if identity == "test":
        object_store.put(f"{place}{JOURNAL}", object_store.get(f"{place}{JOURNAL}")[:-3])
    reporter = SilentReporter()
    workspace = RemoteWorkspace(location, identity, reporter=reporter)
    with pytest.raises(RuntimeError):
        with workspace:
            assert workspace.note.read() is None and not workspace.note.exists
            assert object_store.keys(place) == [f"{place}{MARK}"]
            raise RuntimeError
    [said] = reporter.infos
    assert said.startswith(f"Removing what another run that stopped left at {location.url}")


def test_a_note_on_disk_counts_with_its_anchor_only(
    object_store: Service, location: RemoteLocation, place: str, tmp_path: Path
) -> None:
    def near() -> FileNote:
        return FileNote(tmp_path / "note")

    stop(location, near=near())
    workspace = RemoteWorkspace(location, "test", near())
    with pytest.raises(Canceled):
        with workspace:
            assert workspace.note.read() == b"something"
            raise Canceled("stop")
    # Another build of the same identity was here, or the chunks were removed by hand.
    stop(location, near=FileNote(tmp_path / "other"))
    workspace = RemoteWorkspace(location, "test", near())
    with pytest.raises(Canceled):
        with workspace:
            assert workspace.note.read() is None and near().exists
            raise Canceled("stop")
    assert not workspace.is_kept and object_store.keys(place) == []


def test_a_run_that_slept_while_its_place_was_taken_writes_no_more(
    object_store: Service,
    location: RemoteLocation,
    place: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(claim, "BEAT_SECONDS", 0.05)
    workspace = RemoteWorkspace(location, "test")
    with pytest.raises(OutputError, match="taken by another run"):
        with workspace as store:
            fill(store)
            age(object_store, place, "another-system")
            before = object_store.contents(place)
            time.sleep(0.5)
            with pytest.raises(OutputError, match="taken by another run"):
                workspace.note.write(b"late")
            fill(store)
    assert object_store.contents(place) == before


def test_a_place_that_could_not_be_cleared_up_stays_ours(
    object_store: Service, location: RemoteLocation, place: str
) -> None:
    """Else nobody could build there without removing hidden chunks by hand."""

    def keep(request: Request) -> Answer | None:
        return Answer(403, "AccessDenied") if "?delete" in request.path else None

    stop(location)
    object_store.proxy.faults = keep
    with pytest.raises(OutputError, match="cannot be cleaned, because access was denied"):
        RemoteWorkspace(location, "another").__enter__()
    object_store.proxy.reset()
    assert f"{place}{MARK}" in object_store.keys(place)
    with RemoteWorkspace(location, "another") as store:
        fill(store)
    assert len(visible(location)) == 4
    assert not [key for key in object_store.keys(place) if ".hyp3-partial" in key]
