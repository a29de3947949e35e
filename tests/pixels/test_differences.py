"""Static layers are kept once; how far products differ in them is recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.grid.placement import Treatment
from hyp3_stack.core.machine.blocks import whole_blocks
from hyp3_stack.core.pixels.static_layers import StaticReader
from tests.sample_products import SampleStack

from ..running import build, contents_of, copy_products, layer_file, samples

LARGEST = "largest_difference_between_products"


@pytest.fixture(scope="module")
def overlapping(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Two products of one zone that overlap."""
    return samples(
        tmp_path_factory,
        products=2,
        rows=60,
        columns=64,
        noise=False,
        neighbor_zone_share=0,
        layers=("dem", "lv_phi", "water_mask"),
        sidecars=False,
    )


def change(folder: Path, layer: str, value: float) -> float:
    """Change a pixel in the middle of a layer; return what it was."""
    with rasterio.open(layer_file(folder, layer), "r+") as file:
        values = file.read(1)
        row, column = values.shape[0] // 2, values.shape[1] // 2
        before = values[row, column]
        values[row, column] = value
        file.write(values, 1)
    return float(before)


def recorded(tmp_path: Path, name: str, layer: str) -> float:
    run = build(tmp_path / "in", NETCDF=tmp_path / f"{name}.nc")
    with xr.open_dataset(run.netcdf) as stack:
        return float(stack[layer].attrs[LARGEST])


@pytest.mark.parametrize("height", [None, 4321.5])
def test_rounding_is_no_difference_to_products_that_are_appended(
    overlapping: SampleStack, tmp_path: Path, height: float | None
) -> None:
    folders = copy_products(overlapping, tmp_path / "in")
    before = 0.0 if height is None else change(folders[1], "dem", height)
    late = folders[1].rename(tmp_path / folders[1].name)
    options = {"NETCDF": tmp_path / "s.nc", "KEEP_BITS": "dem=4,lv_phi=4"}
    build(tmp_path / "in", **options)
    late.rename(folders[1])
    run = build(tmp_path / "in", **options, APPEND=True)
    with xr.open_dataset(run.netcdf) as stack:
        found = {name: stack[name].attrs[LARGEST] for name in ("dem", "lv_phi")}
    assert found["lv_phi"] < 1e-3
    if height is None:
        assert found["dem"] < 1e-3
    else:
        assert found["dem"] == pytest.approx(height - before, abs=abs(before) / 16)


def test_a_changed_height_is_recorded(overlapping: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(overlapping, tmp_path / "in")
    assert recorded(tmp_path, "same", "dem") < 1e-3
    before = change(folders[1], "dem", 4321.5)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", ZARR=tmp_path / "s.zarr")
    for stack in (
        xr.open_dataset(run.netcdf),
        xr.open_zarr(run.zarr, group="spatially_optimized"),
        xr.open_zarr(run.zarr, group="temporally_optimized"),
    ):
        with stack:
            assert stack.dem.attrs[LARGEST] == pytest.approx(4321.5 - before, rel=1e-5)
    with xr.open_dataset(run.netcdf) as stack:
        assert not (stack.dem == 4321.5).any(), "the first product counts"
    change(folders[0], "dem", 1234.5)
    recorded(tmp_path, "first", "dem")
    with xr.open_dataset(tmp_path / "first.nc") as stack:
        assert (stack.dem == 1234.5).sum() == 1


def test_angles_differ_the_short_way_around(overlapping: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(overlapping, tmp_path / "in")
    with rasterio.open(layer_file(folders[0], "lv_phi")) as file:
        typical = float(np.median(file.read(1)))
    opposite = typical - np.sign(typical) * (np.pi + 1.0)
    before = change(folders[1], "lv_phi", opposite)
    apart = abs(opposite - before)
    assert apart > np.pi
    assert recorded(tmp_path, "changed", "lv_phi") == pytest.approx(2 * np.pi - apart, abs=0.01)


def test_a_changed_class_is_recorded(overlapping: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(overlapping, tmp_path / "in")
    assert recorded(tmp_path, "same", "water_mask") == 0
    with rasterio.open(layer_file(folders[1], "water_mask")) as file:
        height, width = file.shape
        is_land = file.read(1)[height // 2, width // 2]
    change(folders[1], "water_mask", 1 - is_land)
    assert recorded(tmp_path, "changed", "water_mask") == 1


def test_no_data_is_no_difference(overlapping: SampleStack, tmp_path: Path) -> None:
    folders = copy_products(overlapping, tmp_path / "in")
    change(folders[1], "water_mask", 255)
    assert recorded(tmp_path, "gap", "water_mask") == 0
    # The first product has the gap now: the second fills it.
    change(folders[0], "water_mask", 255)
    run = build(tmp_path / "in", NETCDF=tmp_path / "filled.nc")
    with xr.open_dataset(run.netcdf, mask_and_scale=False) as stack:
        with rasterio.open(layer_file(folders[0], "water_mask")) as file:
            x, y = file.xy(file.height // 2, file.width // 2)
        found = int(stack.water_mask.sel(x=x, y=y))
        with rasterio.open(layer_file(folders[1], "water_mask")) as file:
            row, column = file.index(x, y)
            assert found == file.read(1)[row, column]


def test_one_product_differs_from_nothing(overlapping: SampleStack, tmp_path: Path) -> None:
    copy_products(overlapping, tmp_path / "in", 1)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    with xr.open_dataset(run.netcdf) as stack:
        assert LARGEST not in stack.dem.attrs


def test_the_same_tiles_are_compared_however_blocks_are_cut(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    stack = samples(
        tmp_path_factory,
        products=3,
        rows=700,
        columns=740,
        neighbor_zone_share=0.4,
        layers=("dem",),
        sidecars=False,
    )
    folder = tmp_path / "in"
    folders = copy_products(stack, folder)
    source, layers = contents_of(folder, EXTENT_MODE="intersection")
    (warped,) = (item for item in source.placements if item.treatment is Treatment.WARP)
    for path in folders:
        # The largest difference tells which tiles were compared. There are no gaps, which are
        # filled from any tile.
        with rasterio.open(layer_file(path, "dem"), "r+") as file:
            heights = np.full(file.shape, 100.0, "float32")
            if path.name == warped.product.name.text:
                heights += np.arange(heights.size).reshape(file.shape) / 100
            file.write(heights, 1)
    dem = next(item.layer for item in layers if item.name == "dem")
    shape = (source.grid.height, source.grid.width)
    static = StaticReader(source)
    differences = [
        max(
            difference
            for rows, columns in whole_blocks(shape, unit, 1)
            if (difference := static.read(dem, rows, columns)[1]) is not None
        )
        for unit in (shape, (100, 300), (333, shape[1]), (64, 64))
    ]
    # GDAL interpolates positions a little differently in parts of a tile.
    assert differences == pytest.approx([differences[0]] * 4, abs=1.0)
    assert differences[0] > 1000.0
