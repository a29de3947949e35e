"""A stopped build whose chunks are damaged or gone ends equal; tests/faults/records.py has more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sample_products import SampleStack

from ..running import build
from .interrupted import assert_same, interrupt, outputs

pytestmark = pytest.mark.faults

STOPS = (25, 45, 70, 91)


@pytest.fixture(scope="module")
def undisturbed(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    build(small.folder, **outputs(folder))
    return folder


@pytest.fixture(scope="module")
def stopped(small: SampleStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for outputs, beside which copies of it wait as builds that stopped have left it."""
    folder = tmp_path_factory.mktemp("stopped") / "out"
    for percent in STOPS:
        interrupt(small.folder, percent, **outputs(folder))
        shutil.copytree(folder, folder.with_name(str(percent)))
        shutil.rmtree(folder)
    return folder


@pytest.mark.parametrize("percent", STOPS)
def test_every_noted_chunk_is_missed(
    small: SampleStack, undisturbed: Path, stopped: Path, percent: int
) -> None:
    """Of each output one chunk is gone and one has a bit flipped."""
    shutil.rmtree(stopped, ignore_errors=True)
    shutil.copytree(stopped.with_name(str(percent)), stopped)
    for pattern in ("chunks/*", "s.zarr/spatially_optimized/corr/*.*.*"):
        found = sorted(stopped.glob(f".s.*/{pattern}"))
        if found:
            found[0].unlink()
        if len(found) > 1:
            data = bytearray(found[-1].read_bytes())
            data[-1] ^= 1
            found[-1].write_bytes(data)
    run = build(small.folder, **outputs(stopped))
    assert any("Going on" in text and "damaged" in text for text in run.infos)
    assert_same(stopped, undisturbed)


def test_chunks_that_are_not_noted_are_removed(
    small: SampleStack, undisturbed: Path, stopped: Path
) -> None:
    """Readers would find them; what computers leave in folders, they do not."""
    shutil.rmtree(stopped, ignore_errors=True)
    shutil.copytree(stopped.with_name("70"), stopped)
    [array] = stopped.glob(".s.zarr*/s.zarr/spatially_optimized/corr")
    shutil.copy(next(array.glob("*.*.*")), array / "0.9.9")
    (array / ".DS_Store").write_bytes(b"Bud1")
    assert any("Going on" in text for text in build(small.folder, **outputs(stopped)).infos)
    (stopped / "s.zarr" / "spatially_optimized" / "corr" / ".DS_Store").unlink()
    assert_same(stopped, undisturbed)
    assert not list((stopped / "s.zarr").rglob("0.9.9"))
