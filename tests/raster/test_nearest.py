"""Nearest pixels that are looked up once: they have to be those that GDAL itself takes."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.warp import transform_bounds

from hyp3_stack.core.grid.lattice import Grid
from hyp3_stack.core.inputs.raster_grid import Raster
from hyp3_stack.core.products.nodata import NoData
from hyp3_stack.core.raster.bands import Band, joined_bands
from hyp3_stack.core.raster.layer_reader import gdal_environment
from hyp3_stack.core.raster.raster_file import RasterFile
from hyp3_stack.core.raster.tiles import WarpedRaster, warp_tiles
from hyp3_stack.core.raster.warping import Warps

ZONE = Raster(32611, 143480.0, 3924520.0, 80.0, 260, 330)
CASES: dict[str, tuple[Raster, int, float]] = {
    "neighboring zone": (ZONE, 32610, 80.0),
    "finer grid": (ZONE, 32610, 31.0),
    "coarser grid": (ZONE, 32610, 430.0),
    "off the lattice": (replace(ZONE, left=143511.7, top=3924497.3), 32611, 80.0),
    "half a pixel off": (replace(ZONE, left=143520.0, top=3924560.0), 32611, 80.0),
    "degrees": (Raster(4326, -120.9, 35.4, 0.0009, 290, 200), 32610, 80.0),
    "polar": (Raster(3031, -1200000.0, 800000.0, 120.0, 150, 170), 32706, 80.0),
    "one row": (replace(ZONE, height=1), 32610, 80.0),
    "one column": (replace(ZONE, width=1), 32610, 80.0),
    "more columns than 16 bits count": (
        Raster(32611, 143480.0, 3924520.0, 2.0, 66000, 60),
        32610,
        300.0,
    ),
}
DTYPES = {
    "float32": (NoData(0.0), math.nan, "float32"),
    "float64": (NoData(-9999.0, (math.nan, 0.0)), math.nan, "float64"),
    "uint8": (NoData(), 255.0, "uint8"),
    "int16": (NoData(-32768.0, (0.0,)), -32768.0, "int16"),
}


def grid_over(raster: Raster, epsg: int, spacing: float) -> Grid:
    """Return a grid that holds a raster but for its left margin, and much around it."""
    left, bottom, right, top = transform_bounds(raster.crs, f"EPSG:{epsg}", *raster.bounds)
    left = math.floor((left + 7 * spacing) / spacing) * spacing
    top = math.ceil((top + 40 * spacing) / spacing) * spacing
    width, height = math.ceil((right - left) / spacing), math.ceil((top - bottom) / spacing)
    return Grid(epsg, left, top, spacing, width + 90, height + 60)


def write(path: Path, raster: Raster, dtype: str, missing: NoData, **options: object) -> Path:
    """Write noise of which a third is missing."""
    random = np.random.default_rng(11)
    shape = (raster.height, raster.width)
    values = random.integers(1, 250, shape).astype(dtype)
    for value in missing.all:
        values[random.random(shape) < 0.15] = value
    profile = {"height": raster.height, "width": raster.width, "count": 1, "dtype": dtype}
    with rasterio.open(
        path, "w", driver="GTiff", crs=raster.crs, transform=raster.transform, **profile, **options
    ) as file:
        file.write(values, 1)
    return path


def by_gdal(band: Band, grid: Grid, rows: slice, columns: slice) -> NDArray[np.generic]:
    """Return what GDAL makes of the file itself."""
    expected = np.empty((rows.stop - rows.start, columns.stop - columns.start), band.dtype)
    settings = (band.missing.value, band.outside, band.dtype)
    with (
        rasterio.open(joined_bands([band])) as source,
        closing(WarpedRaster(source, grid, Resampling.nearest, *settings)) as warped,
    ):
        for down, across in warp_tiles(grid, rows, columns):
            here = slice(down.start - rows.start, down.stop - rows.start)
            there = slice(across.start - columns.start, across.stop - columns.start)
            expected[here, there] = warped.read(down, across)[0]
    return expected


@pytest.mark.parametrize("case", CASES)
def test_they_are_those_of_gdal(tmp_path: Path, case: str) -> None:
    raster, epsg, spacing = CASES[case]
    grid = grid_over(raster, epsg, spacing)
    dtypes = list(DTYPES) if raster.width < 1 << 16 else ["uint8"]  # they take long
    with gdal_environment(), ExitStack() as files:
        warps = files.enter_context(Warps())
        bands: list[Band] = []
        for dtype in dtypes:
            missing, outside, wanted = DTYPES[dtype]
            options = {"compress": "deflate", "tiled": True} if dtype == "int16" else {}
            path = write(tmp_path / f"{dtype}.tif", raster, dtype, missing, **options)
            file = files.enter_context(closing(RasterFile(str(path))))
            bands.append(Band(file, missing, outside, wanted))
        joined = []
        for band in bands:
            warp = warps.of("product", raster, grid, Resampling.nearest, band)
            joined.append((warp, warp.join(band)))
        assert len({id(warp) for warp, _ in joined}) == 1
        different: set[float] = set()
        for rows in (slice(0, 101), slice(101, grid.height)):
            for columns in (slice(0, grid.width), slice(5, 6)):
                for band, (warp, number) in zip(bands, joined, strict=True):
                    expected = by_gdal(band, grid, rows, columns)
                    found = warp.read(number, rows, columns)
                    assert found.dtype == expected.dtype
                    np.testing.assert_array_equal(found, expected)
                    different |= set(found[~np.isnan(found)].tolist())
        assert len(different) > 50


def test_a_raster_elsewhere_has_none(tmp_path: Path) -> None:
    missing, outside, wanted = DTYPES["float32"]
    path = write(tmp_path / "a.tif", ZONE, "float32", missing)
    grid = replace(grid_over(ZONE, 32610, 80.0), left=-4e5)
    with gdal_environment(), closing(RasterFile(str(path))) as file, Warps() as warps:
        band = Band(file, missing, outside, wanted)
        warp = warps.of("product", ZONE, grid, Resampling.nearest, band)
        found = warp.read(warp.join(band), slice(0, grid.height), slice(0, grid.width))
    assert np.isnan(found).all()
