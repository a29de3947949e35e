"""Outputs appear complete or not at all, also when a process is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.machine.atomic import complete_or_absent, remove_leftovers

NAMES = ["s.nc", "a b.zarr", "star*[1]?.nc", "ünï.nc", ".hidden", "x.hyp3-partial-y"]


@pytest.fixture
def dead() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize("name", NAMES)
def test_a_file_appears_when_it_is_complete(tmp_path: Path, name: str) -> None:
    final = tmp_path / "new" / name
    with complete_or_absent(final) as partial:
        assert partial.parent == final.parent and partial.name.startswith(".")
        partial.write_text("one")
        assert not final.exists()
    assert final.read_text() == "one"
    with complete_or_absent(final) as partial:
        partial.write_text("two")
        assert final.read_text() == "one"
    assert final.read_text() == "two"
    assert list(final.parent.iterdir()) == [final]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_replaces_a_folder_as_a_whole(tmp_path: Path, name: str) -> None:
    final = tmp_path / name
    (final / "deep").mkdir(parents=True)
    (final / "deep" / "old").write_text("old")
    with complete_or_absent(final) as partial:
        partial.mkdir()
        (partial / "new").write_text("new")
        assert (final / "deep" / "old").exists()
    assert [path.name for path in final.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [final]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, OSError])
def test_nothing_is_left_of_a_failure(tmp_path: Path, error: type[BaseException]) -> None:
    final = tmp_path / "s.zarr"
    final.mkdir()
    (final / "old").write_text("old")
    with pytest.raises(error), complete_or_absent(final) as partial:
        (partial / "deep").mkdir(parents=True)
        (partial / "deep" / "new").write_text("new")
        raise error("on purpose")
    assert list(tmp_path.iterdir()) == [final]
    assert (final / "old").read_text() == "old"


def test_nothing_written_is_an_error_not_an_empty_output(tmp_path: Path) -> None:
    (tmp_path / "s.nc").write_text("old")
    with pytest.raises(FileNotFoundError), complete_or_absent(tmp_path / "s.nc"):
        pass
    assert (tmp_path / "s.nc").read_text() == "old"


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for final in (tmp_path / "file" / "s.nc", tmp_path / ("n" * 300), Path("/proc/none/s.nc")):
        with pytest.raises(
            OutputError, match="cannot be written .*choose a(nother folder| shorter name)"
        ):
            with complete_or_absent(final):
                pytest.fail("work must not begin")


def test_leftovers_of_dead_runs_go_those_of_others_stay(tmp_path: Path, dead: int) -> None:
    final = tmp_path / "s*[1].zarr"
    gone = [
        tmp_path / f".{final.name}.hyp3-partial-{dead}-0a1b2c3d",
        tmp_path / f".{final.name}.hyp3-partial-unreadable",
    ]
    stay = [
        tmp_path / f".{final.name}.hyp3-partial-{os.getpid()}-0a1b2c3d",
        tmp_path / f".{final.name}.hyp3-partial-1-0a1b2c3d",
        tmp_path / f".other.zarr.hyp3-partial-{dead}-0a1b2c3d",
        tmp_path / f"{final.name}.hyp3-partial-{dead}-0a1b2c3d",
        tmp_path / f".s1.zarr.hyp3-partial-{dead}-0a1b2c3d",
    ]
    for path in gone + stay:
        path.mkdir()
        (path / "chunk").write_text("x")
    remove_leftovers(final)
    assert sorted(tmp_path.iterdir()) == sorted(stay)


def test_a_folder_gets_its_name_back_after_a_kill_between_two_renames(
    tmp_path: Path, dead: int
) -> None:
    final = tmp_path / "s.zarr"
    aside = tmp_path / f".s.zarr.hyp3-partial-{dead}-0a1b2c3d-old"
    partial = tmp_path / f".s.zarr.hyp3-partial-{dead}-0a1b2c3d"
    for path, text in ((aside, "old"), (partial, "new")):
        path.mkdir()
        (path / "chunk").write_text(text)
    with pytest.raises(RuntimeError), complete_or_absent(final):
        raise RuntimeError("on purpose")
    assert list(tmp_path.iterdir()) == [final]
    assert (final / "chunk").read_text() == "old"
    # Where the new one got the name, the old one is in the way.
    aside.mkdir()
    remove_leftovers(final)
    assert list(tmp_path.iterdir()) == [final]


def test_links_are_replaced_not_followed(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "data").write_text("precious")
    final = tmp_path / "link"
    final.symlink_to(real)
    with complete_or_absent(final) as partial:
        partial.mkdir()
    assert (real / "data").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
