"""Damaged stacks end neither an assessment nor an append: each is told in a sentence."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

from hyp3_stack.core.errors import Canceled, InvalidParameterError, OutputError
from hyp3_stack.core.files import survival
from hyp3_stack.core.files.written_stack import open_stack
from hyp3_stack.core.run.reporter import SilentReporter
from tests.checkout import ROOT
from tests.sample_products import SampleStack

from ..running import Run, assert_one_sentence, build, contents

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def stack(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A stack of all products but the last."""
    folder = tmp_path_factory.mktemp("whole")
    products = folder / "products"
    shutil.copytree(small.folder, products)
    shutil.rmtree(max(path for path in products.iterdir() if path.is_dir()))
    return build(products, NETCDF=folder / "stack.nc", ZARR=folder / "stack.zarr")


def run_core(task: str, **parameters: str) -> tuple[int, dict[str, object]]:
    """Run a job as on the command line; return the exit code and the last answer."""
    job = {"protocol": 1, "task": task, "parameters": parameters}
    done = subprocess.run(
        [sys.executable, str(ROOT / "core")],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "worker.py" not in done.stderr, done.stderr  # what Zarr says of lost tasks is its own
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("lost", ["corr in nc", "unw_phase in nc", "corr in zarr"])
def test_pixels_that_are_lost_are_missed(
    stack: Run, small: SampleStack, tmp_path: Path, lost: str
) -> None:
    """A chunk that an index or a folder does not hold reads as one without data."""
    layer, kind = lost.split(" in ")
    target = tmp_path / f"s.{kind}"
    if kind == "nc":
        shutil.copy(stack.netcdf, target)
        with h5py.File(target, "r+") as file:
            block = file[layer][0, :30, :32]
            assert np.isfinite(block).any()
            file[layer][0, :30, :32] = np.nan
    else:
        shutil.copytree(stack.zarr, target)
        min((target / "spatially_optimized" / layer).glob("0.*")).unlink()
    before = contents(target) if kind == "zarr" else target.read_bytes()
    output = {"nc": "NETCDF", "zarr": "ZARR"}[kind]
    with pytest.raises(OutputError) as caught:
        build(small.folder, APPEND=True, **{output: target})
    name = "coherence_mean" if layer == "corr" else "valid_fraction"
    assert_one_sentence(caught.value, str(target), "is damaged", name, "its pixels give")
    assert (contents(target) if kind == "zarr" else target.read_bytes()) == before


def test_a_damaged_root_is_told_and_can_be_replaced(
    stack: Run, small: SampleStack, tmp_path: Path
) -> None:
    """HDF5 fails on it in other ways than on other files, and may crash the second time."""
    target = tmp_path / "s.nc"
    content = bytearray(stack.netcdf.read_bytes())
    content[content.index(b"OHDR") + 20] ^= 0x10
    target.write_bytes(content)
    code, answer = run_core("buildstack", INPUT=str(small.folder), NETCDF=str(target), APPEND="yes")
    text = str(answer["text"])
    assert code == 1 and f"NETCDF is {target}, which" in text and "defect" not in text
    assert target.read_bytes() == content
    assert build(small.folder, NETCDF=target).outputs["STEPS"] == 4


def test_a_stack_that_blocks_its_reader_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = tmp_path / "stack.zarr" / "zarr.json"
    pipe.parent.mkdir()
    os.mkfifo(pipe)  # whoever opens it waits for a writer
    monkeypatch.setattr(survival, "LIMIT_SECONDS", 4.0)
    with pytest.raises(
        InvalidParameterError, match=r"ZARR is .*stack\.zarr, .* finish within 4 seconds"
    ):
        survival.check_survival(pipe.parent, "ZARR", SilentReporter())


def test_a_cancel_ends_the_wait(tmp_path: Path) -> None:
    class Reporter(SilentReporter):
        def __init__(self) -> None:
            super().__init__()
            self.stop = threading.Event()

        def canceled(self) -> bool:
            return self.stop.is_set()

    pipe = tmp_path / "stack.zarr" / "zarr.json"
    pipe.parent.mkdir()
    os.mkfifo(pipe)
    reporter = Reporter()
    timer = threading.Timer(1.0, reporter.stop.set)
    timer.start()
    with pytest.raises(Canceled):
        survival.check_survival(pipe.parent, "ZARR", reporter)
    timer.join()


def test_a_reader_that_takes_all_memory_is_told(stack: Run, tmp_path: Path) -> None:
    store = tmp_path / "stack.zarr"
    shutil.copytree(stack.zarr, store)
    for group in ("spatially_optimized", "temporally_optimized"):
        path = store / group / "x_bnds" / ".zarray"
        array = json.loads(path.read_text())
        array["shape"][0] = 1 << 40
        path.write_text(json.dumps(array))
    code, answer = run_core("assessstack", INPUT=str(store), JSON=str(tmp_path / "a.json"))
    assert code == 1
    assert str(store) in str(answer["text"])


def test_a_damaged_attribute_is_named(stack: Run, tmp_path: Path) -> None:
    content = bytearray(stack.netcdf.read_bytes())
    content[content.index(b"title\0") - 8] ^= 0xFF
    (tmp_path / "s.nc").write_bytes(content)
    with pytest.raises(InvalidParameterError) as caught, open_stack(tmp_path / "s.nc"):
        pass
    assert_one_sentence(caught.value, f"{tmp_path}/s.nc", "cannot be read as a stack", "attribute")


def test_a_chunk_without_end_is_not_read(stack: Run, tmp_path: Path) -> None:
    shutil.copytree(stack.zarr, tmp_path / "s.zarr")
    chunk = min((tmp_path / "s.zarr" / "spatially_optimized" / "corr").glob("0.*"))
    os.truncate(chunk, 1 << 40)  # a sparse file, which takes no space
    with open_stack(tmp_path / "s.zarr", "spatially_optimized") as opened:
        with pytest.raises(InvalidParameterError) as caught:
            opened.read("corr", [0])
    assert_one_sentence(caught.value, f"{tmp_path}/s.zarr", "a chunk of", "corr is damaged")
