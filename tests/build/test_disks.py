"""Disks that are small, fill up, or are read-only; processes that are killed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE

import pytest
import xarray as xr

from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack, harmonize_products
from tests.sample_products import SampleStack

from ..running import build, contents, harmonize, leftovers
from . import full_disk
from .disk import mounted
from .interrupted import assert_same, start
from .interrupted import outputs as full_outputs

pytestmark = pytest.mark.faults

OUTPUTS = {"netcdf": ("NETCDF",), "zarr": ("ZARR",), "both": ("NETCDF", "ZARR")}
LAYERS = {"LAYERS": "unw_phase,corr,amp,dem"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk on which the sample stack fits."""
    with mounted(tmp_path / "disk", "size=40m") as folder:
        yield folder


class Neighbor(SilentReporter):
    """Someone else who fills the disk once the run has come so far."""

    def __init__(self, disk: Path, percent: float) -> None:
        super().__init__()
        self.disk = disk
        self.begin = percent

    def progress(self, percent: float) -> None:
        super().progress(percent)
        grown = self.disk / "grown"
        if percent >= self.begin and not grown.exists():
            with contextlib.suppress(OSError), open(grown, "wb") as file:
                while True:
                    os.write(file.fileno(), bytes(4096))


class SuddenNeighbor(Neighbor):
    """Fills the disk just before a block is written, after files were opened for it."""

    def __init__(self, disk: Path, blocks: int) -> None:
        super().__init__(disk, 1000)
        self.blocks = blocks

    def canceled(self) -> bool:
        if threading.current_thread() is not threading.main_thread():
            self.blocks -= 1
            if self.blocks == 0:
                self.begin = 0
                self.progress(self.percent)
        return False


def outputs(folder: Path, kind: str) -> dict[str, str]:
    names = {"NETCDF": "s.nc", "ZARR": "s.zarr"}
    return {name: str(folder / names[name]) for name in OUTPUTS[kind]}


# --- disks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OUTPUTS)
def test_a_disk_too_small_is_found_before_writing(
    gamma: SampleStack, tmp_path: Path, kind: str
) -> None:
    with mounted(tmp_path / "disk", "size=2m") as disk:
        free = shutil.disk_usage(disk).free
        with pytest.raises(OutputError) as caught:
            build(gamma.folder, **outputs(disk, kind))
        text = str(caught.value)
        assert text.startswith(f"The disk of {disk} has 2 MB free, but the outputs need about ")
        assert text.endswith("free some space or choose another disk.")
        assert list(disk.iterdir()) == [] and shutil.disk_usage(disk).free == free


def test_the_estimate_counts_all_outputs_of_a_disk(gamma: SampleStack, tmp_path: Path) -> None:
    """Each alone fits, both together do not; on another disk the second fits again."""
    with mounted(tmp_path / "disk", "size=12m") as disk:
        build(gamma.folder, **outputs(disk, "netcdf"))
        size = (disk / "s.nc").stat().st_size
        assert size < 8e6
        (disk / "s.nc").unlink()
        with pytest.raises(OutputError, match="The disk of .* has .* MB free"):
            build(gamma.folder, **outputs(disk, "both"))
        run = build(gamma.folder, NETCDF=disk / "s.nc", ZARR=tmp_path / "elsewhere.zarr")
        assert run.outputs["STEPS"] == 6


@pytest.mark.parametrize(("kind", "percent"), [("netcdf", 50), ("zarr", 10), ("both", 50)])
def test_a_disk_that_fills_up_while_writing(
    gamma: SampleStack, disk: Path, kind: str, percent: float
) -> None:
    given = {"INPUT": str(gamma.folder)} | outputs(disk, kind) | LAYERS
    with pytest.raises(OutputError) as caught:
        build_stack.run(given, None, Neighbor(disk, percent))
    text = str(caught.value)
    assert str(disk) in text and "free some space" in text
    assert text.endswith(".") and "\n" not in text and "partial" not in text
    assert [path.name for path in disk.iterdir() if not path.name.startswith(".")] == ["grown"]
    # With room again, the same job goes on.
    (disk / "grown").unlink()
    run = build(gamma.folder, **outputs(disk, kind), **LAYERS)
    assert bool([text for text in run.infos if "Going on" in text]) == ("same job" in text)
    assert not leftovers(disk)


@pytest.mark.parametrize("spare", [0, 4096, 20_000, 60_000])
def test_a_disk_that_is_full_when_the_netcdf_file_is_put_together(
    small: SampleStack, disk: Path, tmp_path: Path, spare: int
) -> None:
    """NetCDF's library says that there is an error, or that access is denied."""
    given = {"INPUT": str(small.folder)} | outputs(disk, "netcdf")
    done = full_disk.run(disk, spare, tmp_path / "job.json", **given)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    last = json.loads(done.stdout.splitlines()[-1])
    assert "s.nc cannot be written (No space left on device); free some space" in last["text"]
    assert [path.name for path in disk.iterdir() if not path.name.startswith(".")] == ["grown"]
    (disk / "grown").unlink()
    build(small.folder, **outputs(disk, "netcdf"))
    assert not leftovers(disk)


def test_a_disk_too_full_to_hold_the_chunks_twice(
    larger: SampleStack, undisturbed: Path, disk: Path, tmp_path: Path
) -> None:
    """The chunks leave the spool as they enter the file; the result is the same."""
    spare = 1_000_000
    assert spare < (undisturbed / "s.nc").stat().st_size / 2
    given = {"INPUT": str(larger.folder)} | full_outputs(disk)
    done = full_disk.run(disk, spare, tmp_path / "job.json", **given)
    assert done.returncode == 0, done.stdout
    (disk / "grown").unlink()
    assert_same(disk, undisturbed)
    assert not leftovers(disk)


def test_an_older_stack_survives_a_disk_that_fills_up(gamma: SampleStack, disk: Path) -> None:
    build(gamma.folder, **outputs(disk, "both"), LAYERS="corr")
    before = contents(disk)
    given = {"INPUT": str(gamma.folder)} | outputs(disk, "both")
    with pytest.raises(OutputError):
        build_stack.run(given, None, Neighbor(disk, 10))
    (disk / "grown").unlink()
    for path in leftovers(disk):
        shutil.rmtree(path)
    assert contents(disk) == before


@pytest.fixture(scope="module")
def harmonized(gamma: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes out where there is room enough."""
    folder = tmp_path_factory.mktemp("harmonized") / "whole"
    harmonize(gamma.folder, folder, **LAYERS)
    return folder


@pytest.mark.parametrize("percent", [10, 60])
def test_harmonized_products_on_a_disk_that_fills_up(
    gamma: SampleStack, disk: Path, harmonized: Path, percent: float
) -> None:
    """GDAL does not tell when the end of a file does not fit; each kept file is complete."""
    given = {"INPUT": str(gamma.folder), "OUTPUT": str(disk / "out"), **LAYERS}
    with pytest.raises(OutputError) as caught:
        harmonize_products.run(given, None, Neighbor(disk, percent))
    text = str(caught.value)
    assert "cannot be written" in text and "free some space" in text
    assert "previous exception" not in text and "partial" not in text
    assert not leftovers(disk)
    kept = list((disk / "out").iterdir())
    assert 0 < len(kept) < 6
    for folder in kept:
        assert contents(folder) == contents(harmonized / folder.name)


@pytest.mark.parametrize("blocks", [1, 6, 10, 13])
def test_the_end_of_a_file_that_does_not_fit(
    gamma: SampleStack, disk: Path, harmonized: Path, blocks: int
) -> None:
    """A small file is written when it is closed, where GDAL keeps silent about failures."""
    given = {"INPUT": str(gamma.folder), "OUTPUT": str(disk / "out"), **LAYERS}
    with pytest.raises(OutputError, match="cannot be written .*; free some space"):
        harmonize_products.run(given, None, SuddenNeighbor(disk, blocks))
    assert not leftovers(disk)
    for folder in (disk / "out").iterdir():
        assert contents(folder) == contents(harmonized / folder.name)


def test_a_read_only_disk(small: SampleStack, tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "size=40m,ro") as disk:
        for kind in OUTPUTS:
            with pytest.raises(OutputError) as caught:
                build(small.folder, **outputs(disk, kind))
            text = str(caught.value)
            assert f"{disk}/s." in text and "Read-only file system" in text
            assert "choose a folder on a disk that is not mounted read-only" in text
        with pytest.raises(OutputError, match="Read-only file system"):
            harmonize(small.folder, disk / "out")


def test_inputs_on_a_read_only_disk(small: SampleStack, tmp_path: Path) -> None:
    """Nothing is written beside the products, no statistics and no index."""
    with mounted(tmp_path / "disk", "size=40m") as disk:
        shutil.copytree(small.folder, disk / "in")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True, timeout=30)
        run = build(disk / "in", **outputs(tmp_path, "both"))
        assert run.outputs["STEPS"] == 4 and run.warnings == []
        assert harmonize(disk / "in", tmp_path / "h").outputs["COPIED"] == 3


# --- kills --------------------------------------------------------------------------------------


def written(path: Path) -> bool:
    """Return whether an output is being written; at first an empty file tries the folder out."""
    try:
        return any(path.iterdir()) if path.is_dir() else path.stat().st_size > 0
    except FileNotFoundError:
        return False


def wait_for_partial(process: subprocess.Popen[bytes], folder: Path, count: int) -> None:
    """Wait until so many outputs are being written."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if sum(map(written, folder.glob(".*.hyp3-partial-*"))) >= count:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    process.kill()
    pytest.fail("nothing was written")


def test_a_killed_run_keeps_the_older_stack_and_the_next_one_clears_up(
    gamma: SampleStack, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    build(gamma.folder, **outputs(out, "both"), LAYERS="corr")
    old = contents(out)
    given = {**outputs(out, "both"), **LAYERS}
    process = start(tmp_path, {"INPUT": str(gamma.folder), **given}, output=PIPE)
    with process:
        wait_for_partial(process, out, 2)
        process.send_signal(signal.SIGKILL)
        answer, _ = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert b'"result"' not in answer
    assert len(leftovers(out)) == 2, "a killed process cannot clear up"
    kept = {name: data for name, data in contents(out).items() if "partial" not in name}
    assert kept == old
    run = build(gamma.folder, **given)
    assert sorted(path.name for path in out.iterdir()) == ["s.nc", "s.zarr"]
    with xr.open_dataset(run.netcdf) as stack:
        assert stack.sizes["pair"] == 6 and "unw_phase" in stack


def test_a_killed_harmonization(gamma: SampleStack, tmp_path: Path) -> None:
    out = tmp_path / "out"
    parameters = {"INPUT": str(gamma.folder), "OUTPUT": str(out), **LAYERS}
    process = start(tmp_path, parameters, "harmonizeproducts")
    with process:
        wait_for_partial(process, out, 1)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert leftovers(out)
    harmonize(gamma.folder, out, **LAYERS)
    assert not leftovers(out)
    assert sorted(path.name for path in out.iterdir()) == sorted(p.name for p in gamma.products)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_terminated_run_leaves_no_stack(
    gamma: SampleStack, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    process = start(tmp_path, {"INPUT": str(gamma.folder), **outputs(out, "both")}, output=PIPE)
    with process:
        wait_for_partial(process, out, 2)
        process.send_signal(number)
        answer, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    last = json.loads(answer.splitlines()[-1])
    assert last["type"] == "error" and last["kind"] == "Canceled"
    assert [path for path in out.iterdir() if not path.name.startswith(".")] == []
    goes_on = "go on from where it stopped" in last["text"]
    # A step that takes longer than a canceled run may is left where it is.
    assert bool(leftovers(out)) == goes_on or "left unfinished" in last["text"]
