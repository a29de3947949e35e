"""The memory that a build may take: its division, and the peak of a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.build.stack_request import StackRequest
from hyp3_stack.core.files.chunking import Layouts
from hyp3_stack.core.machine.blocks import BAND_BYTES, thread_count
from hyp3_stack.core.machine.memory import MOST_THREADS, MemoryBudget
from hyp3_stack.core.parameters.output_parameters import (
    DEFAULT_MEMORY_MEGABYTES,
    SMALLEST_MEMORY_MEGABYTES,
)
from hyp3_stack.core.run.reporter import SilentReporter
from tests.sample_products import SampleStack

from ..running import Run, build

ROOT = Path(__file__).resolve().parents[2]


def test_the_default_leaves_blocks_and_threads_as_they_are_best() -> None:
    budget = MemoryBudget.of(DEFAULT_MEMORY_MEGABYTES, 4_000_000)
    assert (budget.band_bytes, budget.threads) == (BAND_BYTES, thread_count())
    most = MemoryBudget.of(DEFAULT_MEMORY_MEGABYTES, 4_000_000, MOST_THREADS)
    assert most == MemoryBudget() == MemoryBudget(BAND_BYTES, 256_000_000, MOST_THREADS)
    for size, is_held in ((128_000_000, True), (128_000_004, False)):
        assert MemoryBudget.of(DEFAULT_MEMORY_MEGABYTES, size).holds(size) == is_held


def test_blocks_of_series_take_the_memory_of_threads_that_there_are_not() -> None:
    tiles = [MemoryBudget.of(1000, 4_000_000, threads).tile_bytes for threads in range(1, 9)]
    assert tiles == [640_000_000 - threads * 3 * BAND_BYTES for threads in range(1, 9)]


def test_blocks_shrink_and_grow_with_memory() -> None:
    budgets = [MemoryBudget.of(megabytes) for megabytes in range(SMALLEST_MEMORY_MEGABYTES, 9000)]
    for budget, more in zip(budgets, budgets[1:], strict=False):
        assert 0 < budget.band_bytes <= more.band_bytes <= BAND_BYTES
        # Another thread takes its memory from the blocks of series.
        assert 0 < budget.tile_bytes and (
            budget.tile_bytes < more.tile_bytes or budget.threads < more.threads
        )
        assert 1 <= budget.threads <= more.threads <= thread_count()
    assert budgets[0].threads == 1
    assert budgets[-1].tile_bytes > 1_000_000_000
    for megabytes, budget in zip(range(SMALLEST_MEMORY_MEGABYTES, 9000), budgets, strict=True):
        # Five copies of each thread's block on top of Python itself.
        assert 320e6 + 5 * budget.threads * budget.band_bytes <= max(1000e6, megabytes * 1e6)
        # Series of products: a tile, and 10.5 bytes for each pixel that the threads read.
        read = budget.threads * budget.band_bytes / 4 * 10.5
        assert 320e6 + budget.tile_bytes + read <= max(1000e6, megabytes * 1e6)


def test_large_chunks_take_the_place_of_threads() -> None:
    assert MemoryBudget.of(1000, 100_000_000).threads == 1
    assert MemoryBudget.of(1000, 50_000_000).threads == min(2, thread_count())
    assert MemoryBudget.of(1000, 500_000_000).threads == 1
    assert not MemoryBudget.of(1000, 500_000_000).holds(500_000_000)
    assert MemoryBudget.of(4000, 500_000_000).holds(500_000_000)
    for chunk in range(4_000_000, 128_000_000, 4_000_000):
        budget = MemoryBudget.of(1000, chunk)
        copies = 3 * budget.threads * max(chunk, budget.band_bytes)
        assert 320e6 + budget.tile_bytes + copies <= 1000e6


@pytest.fixture(scope="module")
def usual(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return build(small.folder, ZARR=tmp_path_factory.mktemp("usual") / "s.zarr")


@pytest.mark.parametrize("memory", [450, 5000])
def test_memory_changes_no_value(
    small: SampleStack, usual: Run, tmp_path: Path, memory: int
) -> None:
    run = build(small.folder, ZARR=tmp_path / "s.zarr", MEMORY=memory)
    for group in ("spatially_optimized", "temporally_optimized"):
        with (
            xr.open_zarr(usual.zarr, group=group, mask_and_scale=False) as one,
            xr.open_zarr(run.zarr, group=group, mask_and_scale=False) as other,
        ):
            for name in one.variables:
                np.testing.assert_array_equal(one[name].values, other[name].values, str(name))
            assert one["corr"].encoding["chunks"] == other["corr"].encoding["chunks"]


@pytest.mark.parametrize(("memory", "told"), [("450", True), ("", False)])
def test_chunks_that_memory_does_not_hold_are_told(tmp_path: Path, memory: str, told: bool) -> None:
    output = str(tmp_path / "s.zarr")
    given = {"INPUT": str(tmp_path), "ZARR": output, "CHUNK_SIZE": "512", "MEMORY": memory}
    reporter = SilentReporter()
    build = StackRequest.from_parameters(given).build
    Layouts.of((1, 2600, 2600), build.chunk_megabytes, build.memory_megabytes, reporter)
    assert reporter.warnings == told * [
        "Chunks of 27 MB take more memory than MEMORY (450 MB) allows; lower CHUNK_SIZE or raise "
        "MEMORY."
    ]


LAUNCHER = """
import resource, subprocess, sys
subprocess.run([sys.executable, "core", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count in other units")
def test_the_peak_of_a_process_stays_below(gamma: SampleStack, tmp_path: Path) -> None:
    parameters = {
        "INPUT": str(gamma.folder),
        "NETCDF": str(tmp_path / "s.nc"),
        "ZARR": str(tmp_path / "s.zarr"),
        "MEMORY": SMALLEST_MEMORY_MEGABYTES,
    }
    job = json.dumps({"protocol": 1, "task": "buildstack", "parameters": parameters})
    path = tmp_path / "job.json"
    path.write_text(job)
    # Linux counts the memory of a process that starts another into the peak of the other.
    done = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert 100_000 < int(done.stdout) < 1000 * SMALLEST_MEMORY_MEGABYTES
