"""Products that do not lie in meters on a map, and how the CRS of a grid is chosen."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from pyproj import CRS, Transformer
from rasterio.transform import Affine

from hyp3_stack.core.errors import GridError, InconsistentProductsError, ProductError
from hyp3_stack.core.grid.plan import GridOptions, make_plan
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.running import assert_one_sentence, build, copy_products, harmonize, layer_file
from tests.sample_products import SampleStack

from .test_plan import plan_of, raster

POLAR = "+proj=stere +lat_0=90 +lon_0=-120 +datum=WGS84 +units=km +no_defs"
OWN = "+proj=tmerc +lat_0=34 +lon_0=-120 +x_0=50000 +datum=WGS84 +units=m +no_defs"
NAMELESS = "a system without name and code"

OTHERS = {
    "degrees": ("EPSG:4326", 0.0008),
    "degrees of another datum": ("EPSG:4269", 0.0008),
    "US feet": ("EPSG:2229", 262.4666),
    "kilometers, no code": (POLAR, 0.1),
}


def field(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return coherence that is linear in eastings and northings of UTM zone 10N, in kilometers."""
    return 0.5 + 0.02 * (x / 1000.0 - 774.0) + 0.03 * (y / 1000.0 - 3846.0)


def copies(stack: SampleStack, folder: Path, count: int) -> list[Path]:
    """Copy so many products of zone 10."""
    names = [item.name for item in stack.products if item.epsg == 32610][:count]
    for path in copy_products(stack, folder):
        if path.name not in names:
            shutil.rmtree(path)
    return [folder / name for name in names]


def put_into(folder: Path, crs: str, spacing: float) -> None:
    """Write a product's layers anew in another CRS, with the coherence of :func:`field`."""
    with rasterio.open(layer_file(folder, "corr")) as file:
        to_there = Transformer.from_crs(file.crs, crs, always_xy=True)
        left, bottom, right, top = to_there.transform_bounds(*file.bounds)
    width, height = (math.ceil(size / spacing) for size in (right - left, top - bottom))
    transform = Affine(spacing, 0, left, 0, -spacing, top)
    to_map = Transformer.from_crs(crs, "EPSG:32610", always_xy=True)
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = to_map.transform(left + column * spacing, top - row * spacing)
    values = field(np.asarray(x), np.asarray(y))
    for layer, stored in (
        ("unw_phase", values.astype("float32")),
        ("corr", values.astype("float32")),
        ("water_mask", np.ones(values.shape, "uint8")),
    ):
        path = layer_file(folder, layer)
        nodata = 255 if layer == "water_mask" else 0
        with rasterio.open(
            path, "w", driver="GTiff", width=width, height=height, count=1, dtype=stored.dtype,
            crs=crs, transform=transform, nodata=nodata,
        ) as target:  # fmt: skip
            target.write(stored, 1)


def check_field(stack: xr.Dataset, step: int, tolerance: float) -> None:
    x, y = np.meshgrid(stack.x.values, stack.y.values)
    found = stack.corr.values[step]
    data = np.isfinite(found)
    # Beyond the centers of the outermost pixels GDAL takes them as they are.
    inside = data.copy()
    inside[[0, -1]] = inside[:, [0, -1]] = False
    for axis in (0, 1):
        for way in (-1, 1):
            inside &= np.roll(data, way, axis)
    assert inside.mean() > 0.5
    assert np.abs(found - field(x, y))[inside].max() < tolerance


@pytest.mark.parametrize("kind", OTHERS)
def test_products_that_are_not_in_meters_are_warped_beside_others(
    small: SampleStack, tmp_path: Path, kind: str
) -> None:
    folders = copies(small, tmp_path / "in", 3)
    put_into(folders[0], *OTHERS[kind])
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["CRS"] == "EPSG:32610"
    [line] = [line for line in run.infos if "  warped: " in line]
    code = OTHERS[kind][0]
    name = code if code.startswith("EPSG") else NAMELESS
    assert folders[0].name in line and f"from {name}" in line
    with xr.open_dataset(run.netcdf) as stack:
        assert float(stack.x[1] - stack.x[0]) == 80.0 and stack.x.attrs["units"] == "m"
        # A steep field, of which a pixel is 0.0029 at most: 0.02 pixels.
        check_field(stack, list(stack.product_name.values).index(folders[0].name), 6e-5)


@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_but_products_that_are_not_in_meters(
    small: SampleStack, tmp_path: Path, kind: str
) -> None:
    folders = copies(small, tmp_path / "in", 2)
    for folder in folders:
        put_into(folder, *OTHERS[kind])
    with pytest.raises(GridError) as caught:
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    text = str(caught.value)
    assert_one_sentence(text)
    code = OTHERS[kind][0]
    name = CRS.from_user_input(code).name if code.startswith("EPSG") else NAMELESS
    assert f"{folders[0].name} lies in {name}" in text
    assert "choose a TARGET_CRS" in text and "EPSG:32610" in text
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", TARGET_CRS="EPSG:32610")
    with xr.open_dataset(run.netcdf) as stack:
        # The lattice of HyP3's own interferograms.
        assert (stack.x.values % 80.0 == 0.0).all() and (stack.y.values % 80.0 == 0.0).all()
        for step in range(2):
            check_field(stack, step, 6e-5)


def test_they_are_harmonized_as_well(small: SampleStack, tmp_path: Path) -> None:
    folders = copies(small, tmp_path / "in", 3)
    put_into(folders[0], *OTHERS["degrees"])
    run = harmonize(tmp_path / "in", tmp_path / "out")
    assert (run.outputs["COPIED"], run.outputs["WARPED"]) == (2, 1)
    with rasterio.open(layer_file(tmp_path / "out" / folders[0].name, "corr")) as file:
        assert file.crs.to_epsg() == 32610 and file.res == (80.0, 80.0)


def test_they_are_appended(small: SampleStack, tmp_path: Path) -> None:
    folders = copies(small, tmp_path / "in", 3)
    put_into(folders[2], *OTHERS["US feet"])
    last = folders[2].rename(tmp_path / folders[2].name)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    last.rename(tmp_path / "in" / last.name)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", APPEND=True)
    assert run.outputs["STEPS"] == 3
    with xr.open_dataset(run.netcdf) as stack:
        check_field(stack, list(stack.product_name.values).index(last.name), 6e-5)


@pytest.mark.parametrize("spacing", [0.0004, 0.0016, 80.0])
def test_pixels_of_another_size_on_the_ground(
    small: SampleStack, tmp_path: Path, spacing: float
) -> None:
    """Also a raster of which only the CRS is that of degrees."""
    folder = copies(small, tmp_path / "in", 2)[0]
    for path in folder.glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            place = (771_880, 3_848_440) if spacing == 80.0 else (-120.0, 34.7)
            file.crs = "EPSG:4326"
            file.transform = Affine(spacing, 0, place[0], 0, -spacing, place[1])
    with pytest.raises(ProductError) as caught:
        select_products(tmp_path / "in", SelectionOptions())
    text = str(caught.value)
    assert_one_sentence(text)
    assert folder.name in text and "WGS 84 (EPSG:4326)" in text
    assert ("has no place" if spacing == 80.0 else "but by its name of 80 m") in text


def test_a_map_in_meters_without_a_code_is_carried(small: SampleStack, tmp_path: Path) -> None:
    folders = copies(small, tmp_path / "in", 2)
    for folder in folders:
        put_into(folder, OWN, 80.0)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert any("1 products are copied bit for bit, 1 are warped" in line for line in run.infos)
    with xr.open_dataset(run.netcdf, decode_coords="all") as stack:
        assert CRS.from_wkt(stack.spatial_ref.attrs["crs_wkt"]) == CRS.from_wkt(run.outputs["CRS"])
        to_map = Transformer.from_crs(OWN, "EPSG:32610", always_xy=True)
        x, y = to_map.transform(*np.meshgrid(stack.x.values, stack.y.values))
        found = stack.corr.values[0]
        inside = np.isfinite(found)
        np.testing.assert_allclose(found[inside], field(x, y)[inside], atol=1e-6)
    appended = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", APPEND=True)
    assert appended.outputs["STEPS"] == 2


def test_a_map_with_heights_is_that_of_its_map(small: SampleStack, tmp_path: Path) -> None:
    for folder in copies(small, tmp_path / "in", 2):
        for path in folder.glob("*.tif"):
            with rasterio.open(path, "r+") as file:
                file.crs = rasterio.crs.CRS.from_user_input("EPSG:32610+5773")
    products = select_products(tmp_path / "in", SelectionOptions()).products
    plan = make_plan(products, GridOptions())
    assert plan.grid.crs == "EPSG:32610" and plan.copied == 2


# --- ties ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rasters", "chosen", "reason"),
    [
        (
            [raster(32611), raster(32610, width=300)],
            "EPSG:32610",
            "as many lie in EPSG:32610 as in EPSG:32611, and the stack takes WGS 84 / UTM zone 10N "
            "(EPSG:32610), where their pixels are more",
        ),
        (
            [raster(32611, width=300), raster(32611), raster(32610), raster(32610)],
            "EPSG:32611",
            "as many lie in EPSG:32611 as in EPSG:32610, and the stack takes WGS 84 / UTM zone 11N "
            "(EPSG:32611), where their pixels are more",
        ),
        (
            [raster(32612), raster(32611), raster(32610)],
            "EPSG:32610",
            "as many lie in EPSG:32610 as in EPSG:32611 and EPSG:32612, and the stack takes WGS 84 "
            "/ UTM zone 10N (EPSG:32610), which has the lowest code",
        ),
        (
            [raster(32612), raster(32611), raster(32611), raster(32610)],
            "EPSG:32611",
            "more lie in WGS 84 / UTM zone 11N (EPSG:32611) than in any other",
        ),
        (
            [raster(32611), raster(32611), raster(32610)],
            "EPSG:32611",
            "most lie in WGS 84 / UTM zone 11N (EPSG:32611)",
        ),
    ],
)
def test_the_reason_is_true(rasters: list, chosen: str, reason: str) -> None:
    plan = plan_of(*rasters)
    assert plan.grid.crs == chosen
    assert reason in plan.reasons[0]
    assert ("most lie" in plan.reasons[0]) == ("most lie" in reason)


def test_spacings_that_users_made_are_told(small: SampleStack, tmp_path: Path) -> None:
    folder = copies(small, tmp_path / "in", 2)[0]
    for path in folder.glob("*.tif"):
        with rasterio.open(path, "r+") as file:
            file.transform = file.transform * Affine.scale(1.25)
    with pytest.raises(InconsistentProductsError, match="by their names all have 80 m"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
