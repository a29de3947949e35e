"""A build that was stopped goes on where it stopped, and ends as if nothing had happened."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.machine.locks import FileLock
from hyp3_stack.core.work.journal import Journal
from tests.sample_products import SampleStack

from ..faults.amount import SEED, share
from ..running import build, contents, copy_products, layer_file, leftovers
from .interrupted import assert_same, interrupt, outputs, start

pytestmark = [pytest.mark.slow, pytest.mark.faults]


def test_killed_once_something_is_noted(
    larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    with start(tmp_path, {"INPUT": str(larger.folder), **outputs(tmp_path)}) as process:
        while process.poll() is None and len(list(tmp_path.glob(".s.nc.*/chunks/*"))) < 3:
            time.sleep(0.005)
        [journal] = tmp_path.glob(".s.nc.*/journal.npz")
        first = journal.stat().st_size  # of the note that nothing is done yet
        # A second passes before the next note, in which a process that goes on may be done.
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)
        process.send_signal(signal.SIGCONT)
        while process.poll() is None and journal.stat().st_size == first:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "s.nc").exists() and not (tmp_path / "s.zarr").exists()
    run = build(larger.folder, **outputs(tmp_path))
    assert any("Going on" in text for text in run.infos)
    assert_same(tmp_path, undisturbed)
    assert not leftovers(tmp_path)


def test_killed_at_random_moments(larger: SampleStack, undisturbed: Path, tmp_path: Path) -> None:
    """Kill -9 whenever some more has been written, twice, then let it end."""
    given = {"INPUT": str(larger.folder), **outputs(tmp_path)}
    chance = random.Random(SEED)
    files = sum(path.is_file() for path in undisturbed.rglob("*"))
    for _ in range(share(0.2)):
        kills = 0
        while kills < 2:
            with start(tmp_path, given) as process:
                _wait_for_files(process, tmp_path, chance.randrange(1, files))
                time.sleep(chance.random() / 5)
                process.send_signal(signal.SIGKILL)
            if process.returncode == -signal.SIGKILL:
                kills += 1
                assert not (tmp_path / "s.nc").exists() and not (tmp_path / "s.zarr").exists()
            else:  # it was done before
                _remove_outputs(tmp_path)
        build(larger.folder, **outputs(tmp_path))
        assert_same(tmp_path, undisturbed)
        assert not leftovers(tmp_path)
        _remove_outputs(tmp_path)


def _remove_outputs(folder: Path) -> None:
    (folder / "s.nc").unlink()
    shutil.rmtree(folder / "s.zarr")


def _wait_for_files(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Wait until an attempt has written so many files, or has ended."""
    begun = None
    while process.poll() is None:
        partials = list(folder.glob(".*.hyp3-partial-*"))
        files = sum(len(names) for path in partials for _, _, names in os.walk(path))
        begun = files if begun is None else min(begun, files)
        if files >= begun + count:
            return
        time.sleep(0.01)


def test_what_is_done_is_not_done_again(
    larger: SampleStack, undisturbed: Path, tmp_path: Path
) -> None:
    """However often a build stops: while maps are written, while series are, near the end."""

    def chunks(store: Path) -> dict[Path, int]:
        found = store.rglob("[0-9]*.[0-9]*.[0-9]*")
        return {path.relative_to(store): path.stat().st_ino for path in found}

    def assert_kept(before: dict[Path, int], now: dict[Path, int]) -> None:
        # Only what was under way when it stopped is written once more.
        assert len(before.items() & now.items()) >= 0.6 * len(before)

    done: dict[Path, int] = {}
    for percent in (20, 65, 92):
        interrupt(larger.folder, percent, **outputs(tmp_path))
        [store] = tmp_path.glob(".s.zarr.hyp3-partial-*/s.zarr")
        before, done = done, chunks(store)
        assert done
        assert_kept(before, done)
    run = build(larger.folder, **outputs(tmp_path))
    [text] = [text for text in run.infos if text.startswith("Going on")]
    assert int(text.split(";")[1].split()[0]) > 0
    assert_kept(done, chunks(run.zarr))
    assert_same(tmp_path, undisturbed)
    assert not leftovers(tmp_path)


CENTER = "766000,786000,3836000,3855000 [EPSG:32610]"
"""Inside of all larger products."""

CHANGES = {
    "product": ["NETCDF"],
    "note beside a layer": ["NETCDF"],
    "options": ["NETCDF"],
    "chunks lost": ["NETCDF"],
    "one output lost": ["NETCDF", "ZARR"],
    "root lost": ["ZARR"],
    "group lost": ["ZARR"],
    "array damaged": ["ZARR"],
}
"""What makes a build start over, and the outputs that it has."""


@pytest.mark.parametrize("change", CHANGES)
def test_another_build_starts_over(small: SampleStack, tmp_path: Path, change: str) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    copies = copy_products(small, folder)
    places = {name: outputs(out)[name] for name in CHANGES[change]}
    given = {**places, "CHUNK_SIZE": "0.2", "LAYERS": "corr"}
    interrupt(folder, 60, **given)
    if change == "product":
        os.utime(layer_file(copies[1], "corr"))
    elif change == "note beside a layer":
        path = layer_file(copies[1], "corr")
        path.with_name(f"{path.name}.aux.xml").write_text(
            '<PAMDataset><PAMRasterBand band="1"><NoDataValue>-9999</NoDataValue></PAMRasterBand>'
            "</PAMDataset>"
        )
    elif change == "options":
        given["RESAMPLING"] = "nearest"
    elif change == "one output lost":
        [lost] = out.glob(".s.zarr.hyp3-partial-*")
        shutil.rmtree(lost)
    elif change == "chunks lost":
        [lost] = out.glob(".s.nc.hyp3-partial-*/chunks")
        shutil.rmtree(lost)
    else:
        [group] = out.glob(".s.zarr.hyp3-partial-*/s.zarr/temporally_optimized")
        if change == "root lost":
            (group.parent / ".zgroup").unlink()
        elif change == "group lost":
            shutil.rmtree(group)
        else:
            (group / "corr" / ".zarray").write_text('{"zarr_format": 2, "sha')
    run = build(folder, **given)
    assert not any(text.startswith("Going on") for text in run.infos)
    assert sorted(out.iterdir()) == sorted(map(Path, places.values()))
    for made in out.iterdir():
        group = "temporally_optimized" if made.suffix == ".zarr" else None
        with xr.open_dataset(made, group=group, chunks=None) as stack:
            assert stack.corr.notnull().any(("y", "x")).values.all()


@pytest.mark.parametrize("change", ["one more", "one less"])
def test_steps_of_the_same_products_are_kept(
    larger: SampleStack, tmp_path: Path, change: str
) -> None:
    """They get other numbers where products were added or taken away meanwhile."""
    copies = copy_products(larger, tmp_path / "in")
    # Within all products, so that the grid stays.
    given = outputs(tmp_path) | {"EXTENT": CENTER}
    aside = tmp_path / copies[1].name
    if change == "one more":
        copies[1].rename(aside)
    interrupt(tmp_path / "in", 40, **given)
    if change == "one more":
        aside.rename(copies[1])
    else:
        copies[1].rename(aside)
    run = build(tmp_path / "in", **given)
    [text] = [text for text in run.infos if text.startswith("Going on")]
    assert int(text.split(";")[1].split()[0]) > 0
    (tmp_path / "anew").mkdir()
    build(tmp_path / "in", **outputs(tmp_path / "anew") | {"EXTENT": CENTER})
    assert_same(tmp_path, tmp_path / "anew")
    assert not leftovers(tmp_path)


def test_killed_when_the_store_had_its_name(small: SampleStack, tmp_path: Path) -> None:
    """Both outputs stand, but what the build kept for another attempt was not cleared up."""
    interrupt(small.folder, 60, **outputs(tmp_path))
    [store] = tmp_path.glob(".s.zarr.hyp3-partial-*/s.zarr")
    store.rename(tmp_path / "s.zarr")
    run = build(small.folder, **outputs(tmp_path))
    assert not any(text.startswith("Going on") for text in run.infos)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.nc", "s.zarr"]
    with xr.open_zarr(run.zarr, group="temporally_optimized", chunks=None) as stack:
        assert stack.corr.notnull().any(("y", "x")).values.all()


def test_one_build_at_a_time(small: SampleStack, tmp_path: Path) -> None:
    given = {"NETCDF": str(tmp_path / "s.nc")}
    interrupt(small.folder, 60, **given)
    before = contents(tmp_path)
    unfinished_folders = leftovers(tmp_path)
    [partial] = tmp_path.glob(".s.nc.hyp3-partial-*")
    lock = FileLock(partial / "lock")
    assert lock.take()
    try:
        # The same job, and another one of the same output.
        for options in ({}, {"RESAMPLING": "nearest"}):
            with pytest.raises(OutputError, match="Another run is building .*s.nc already"):
                build(small.folder, **given | options)
            assert contents(tmp_path) == before
            assert leftovers(tmp_path) == unfinished_folders
    finally:
        lock.release()
    build(small.folder, **given)
    assert not leftovers(tmp_path)


def test_notes_that_meet(tmp_path: Path) -> None:
    """Where disks are slow, the first note and the first one in the background."""
    note = tmp_path / "journal.npz"
    journal = Journal(note, {})
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: journal.begin(), range(20)))
    assert list(tmp_path.iterdir()) == [note]
    assert Journal(note, {}).resume()
