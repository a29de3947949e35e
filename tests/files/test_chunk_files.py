"""Chunk files written and read without zarr: the same as zarr's, to the byte."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr
from pyproj import CRS

from hyp3_stack.core.dataset.stack_layer import StackLayer
from hyp3_stack.core.errors import OutputError
from hyp3_stack.core.files.chunking import Layouts
from hyp3_stack.core.files.zarr_layout import lay_out_store
from hyp3_stack.core.files.zarr_store import ZarrGroup
from hyp3_stack.core.machine.memory import MemoryBudget
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from hyp3_stack.core.run.reporter import SilentReporter

SHAPE, CHUNKS = (3, 70, 50), (1, 32, 20)


def stack() -> tuple[xr.Dataset, list[StackLayer]]:
    """Return layers with floats and with classes, empty chunks and some at the edges."""
    random = np.random.default_rng(5)
    phase = random.normal(size=SHAPE).astype("float32")
    phase[1, :32, :20] = np.nan
    phase[2] = np.nan
    phase[2, 69, 49] = 0.0
    water = random.integers(0, 2, SHAPE[1:]).astype("uint8")
    water[32:64, 20:40] = 255
    dataset = xr.Dataset(
        {
            "unw_phase": (("pair", "y", "x"), phase, {}, {"_FillValue": np.float32(np.nan)}),
            "water_mask": (("y", "x"), water, {}, {"_FillValue": np.uint8(255)}),
        }
    )
    dataset["spatial_ref"] = xr.Variable(
        (), 0, {"crs_wkt": CRS.from_epsg(32611).to_wkt(), "GeoTransform": "0 1 0 0 0 -1"}
    )
    table = PRODUCT_TYPES["INSAR_GAMMA"].layers
    layers = [
        StackLayer(table["unw_phase"], per_step=True),
        StackLayer(table["water_mask"], per_step=False),
    ]
    return dataset, layers


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(params=[2, 3])
def groups(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, Path]:
    """Return two stores with the same empty group."""
    dataset, layers = stack()
    stores = tmp_path / "ours", tmp_path / "zarrs"
    form = request.param
    layouts = Layouts(SHAPE, CHUNKS, CHUNKS, CHUNKS, CHUNKS, False, MemoryBudget())
    for store in stores:
        lay_out_store(store, ["maps"], dataset, layers, layouts, form, SilentReporter())
    return stores


def test_files_are_those_of_zarr(groups: tuple[Path, Path]) -> None:
    ours, zarrs = groups
    dataset, layers = stack()
    group = ZarrGroup(ours, "maps", layers)
    phase, water = dataset["unw_phase"].values, dataset["water_mask"].values
    for step in range(SHAPE[0]):
        for rows in (slice(0, 64), slice(64, 70)):
            part = phase[step : step + 1, rows]
            group.write(layers[0], slice(step, step + 1), rows, slice(0, 50), part)
    group.write(layers[1], slice(0, 1), slice(0, 70), slice(0, 50), water)
    theirs = zarr.open_group(zarrs, path="maps", mode="r+")
    theirs["unw_phase"][:] = phase
    theirs["water_mask"][:] = water
    written = files(ours)
    assert written == files(zarrs)
    chunks = [name for name in written if "unw_phase" in name and name[-1].isdigit()]
    # Of 3 x 3 x 3 chunks one is empty in the second step, and all but the last in the third.
    assert len(chunks) == 9 + 8 + 1
    assert not list(ours.rglob("*.partial"))


def test_a_block_replaces_what_an_earlier_attempt_wrote(groups: tuple[Path, Path]) -> None:
    ours, _ = groups
    dataset, layers = stack()
    group = ZarrGroup(ours, "maps", layers)
    phase = dataset["unw_phase"].values
    phase[0, 32:64] = np.nan
    whole = (slice(0, 70), slice(0, 50))
    ones = np.ones_like(phase)
    for values in (ones, phase.astype("float64")):
        group.write(layers[0], slice(0, 1), *whole, values[:1])
    found = np.empty(SHAPE[1:], "float32")
    group.read(layers[0], 0, *whole, found)
    np.testing.assert_array_equal(found, phase[0])


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (slice(0, 70), slice(0, 50)),
        (slice(32, 64), slice(20, 40)),
        (slice(31, 65), slice(19, 41)),
        (slice(66, 70), slice(45, 50)),
        (slice(3, 4), slice(7, 8)),
    ],
)
def test_blocks_of_any_position_are_read(
    groups: tuple[Path, Path], rows: slice, columns: slice
) -> None:
    """What zarr wrote, over the edges of chunks, with some that are missing."""
    _, zarrs = groups
    dataset, layers = stack()
    phase = dataset["unw_phase"].values
    theirs = zarr.open_group(zarrs, path="maps", mode="r+")
    theirs["unw_phase"][:] = phase
    group = ZarrGroup(zarrs, "maps", layers)
    # As a part of a larger block, which must not change elsewhere.
    block = np.full((SHAPE[0], 80, 60), 7.0, "float32")
    expected = block.copy()
    part = (slice(5, 5 + rows.stop - rows.start), slice(2, 2 + columns.stop - columns.start))
    for step in range(SHAPE[0]):
        group.read(layers[0], step, rows, columns, block[step][part])
        expected[step][part] = phase[step, rows, columns]
    np.testing.assert_array_equal(block, expected)


def test_a_damaged_chunk_is_an_error(groups: tuple[Path, Path]) -> None:
    ours, _ = groups
    _, layers = stack()
    group = ZarrGroup(ours, "maps", layers)
    whole = (slice(0, 70), slice(0, 50))
    # Values that compress: the file of others is a copy, which may be cut unnoticed.
    smooth = np.arange(np.prod(SHAPE[1:]), dtype="float32").reshape(1, *SHAPE[1:])
    group.write(layers[0], slice(0, 1), *whole, smooth)
    found = [path for path in (ours / "maps" / "unw_phase").rglob("*[0-9]") if path.is_file()]
    chunk = max(found, key=lambda path: path.stat().st_size)
    data = chunk.read_bytes()
    half = data[: len(data) // 2]
    cut = half.ljust(len(data), b"\0")
    for damaged in (data[:-50], data[:7], b"", b"\0" * len(data), cut):
        chunk.write_bytes(damaged)
        with pytest.raises(OutputError, match=f"{re.escape(str(chunk))} was damaged"):
            group.read(layers[0], 0, *whole, np.empty(SHAPE[1:], "float32"))
