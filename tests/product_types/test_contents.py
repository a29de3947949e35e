"""Values of each type of products come into stacks as they are, from folders and zips."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack
from tests.running import build, copy_products, layer_file, zip_product
from tests.sample_products import SampleProduct
from tests.truth import window_of

from .conftest import EPSG, TYPES, Built, Stacker, stored
from .edited import rewrite


@pytest.fixture(scope="module")
def small(stacker: Stacker) -> dict[str, Built]:
    """Small stacks; backscatter in decibels, which are warped through a virtual raster."""
    return {
        kind: stacker(
            {"product_type": kind, "rows": 60, "columns": 60}
            | ({"scale": "decibel"} if "RTC" in kind else {})
        )
        for kind in TYPES
    }


@pytest.mark.parametrize("kind", TYPES)
def test_zips_give_the_same_stack(tmp_path: Path, kind: str, small: dict[str, Built]) -> None:
    folder = tmp_path / "zips"
    folder.mkdir()
    for product in small[kind].samples.products:
        zip_product(product.path, folder / f"{product.name}.zip")
    build(folder, NETCDF=tmp_path / "zips.nc")
    same_values(stored(tmp_path / "zips.nc"), small[kind].stack)


def same_values(one: xr.Dataset, other: xr.Dataset) -> None:
    assert set(one.variables) == set(other.variables)
    for name in one.variables:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=str(name))


@pytest.mark.parametrize(("kind", "version"), [*zip(TYPES, "2323", strict=True)])
def test_netcdf_and_zarr_hold_the_same(
    tmp_path: Path, kind: str, version: str, small: dict[str, Built]
) -> None:
    run = build(
        small[kind].samples.folder,
        ZARR=tmp_path / "stack.zarr",
        ZARR_FORMAT=version,
        CHUNK_SIZE=0.05,
    )
    assert run.warnings == []
    netcdf = small[kind].stack
    for group in ("spatially_optimized", "temporally_optimized"):
        zarr = stored(tmp_path / "stack.zarr", group)
        rasters = [name for name, item in netcdf.items() if item.dims[-2:] == ("y", "x")]
        assert len(rasters) >= 6
        for name in (*rasters, *netcdf.coords):
            np.testing.assert_array_equal(
                zarr[name].values, netcdf[name].values, err_msg=f"{group} {name}"
            )
            if name in rasters:
                assert zarr[name].dtype == netcdf[name].dtype
                for key in ("long_name", "units", "flag_masks", "flag_values", "scale"):
                    np.testing.assert_array_equal(
                        zarr[name].attrs.get(key), netcdf[name].attrs.get(key)
                    )


def test_only_the_products_that_a_run_retrieved(stacker: Stacker, tmp_path: Path) -> None:
    """``PRODUCTS`` is how preparestack hands over; another order may lie in the same folder."""
    built = stacker({"rows": 60, "columns": 60, "layers": ("unw_phase", "corr")})
    names = [product.name for product in built.products[:2]]
    parameters = {
        "INPUT": str(built.samples.folder),
        "NETCDF": str(tmp_path / "stack.nc"),
        "PRODUCTS": names,
    }
    outputs = build_stack.run(parameters, None, SilentReporter())
    assert outputs["STEPS"] == 2
    stack = stored(tmp_path / "stack.nc")
    assert list(stack.product_name.values) == names
    assert "PRODUCTS" not in stack.attrs["history"]


def test_water_is_data_whatever_the_tag(stacker: Stacker, tmp_path: Path) -> None:
    """Some products tag 0, which is water, as missing."""
    gamma = {"rows": 130, "columns": 140, "layers": ("unw_phase", "corr", "water_mask")}
    built = stacker(gamma, STATIC_LAYERS="per_pair")
    folder = tmp_path / "products"
    for path in copy_products(built.samples, folder):
        rewrite(layer_file(path, "water_mask"), nodata=0)
    build(folder, NETCDF=tmp_path / "stack.nc", STATIC_LAYERS="per_pair")
    found = stored(tmp_path / "stack.nc").water_mask.values
    np.testing.assert_array_equal(found, built.stack.water_mask.values)
    for values in found:
        assert set(np.unique(values)) == {0, 1, 255}


def test_components_are_integers(stacker: Stacker, tmp_path: Path) -> None:
    options = {"product_type": "INSAR_ISCE_BURST", "layers": ("unw_phase", "conncomp", "corr")}
    built = stacker(options)
    variable = built.stack.conncomp
    assert variable.dtype == np.uint8 and variable.attrs["_FillValue"] == 255
    assert set(np.unique(variable)) == {0, 1, 2, 3, 255}
    folder = tmp_path / "products"
    paths = copy_products(built.samples, folder)
    # The documents say bytes, so some version may write them.
    for path in paths:
        with rasterio.open(layer_file(path, "conncomp")) as file:
            assert file.dtypes == ("float32",)
        rewrite(layer_file(path, "conncomp"), dtype="uint8", nodata=0)
    build(folder, NETCDF=tmp_path / "stack.nc")
    np.testing.assert_array_equal(stored(tmp_path / "stack.nc").conncomp, variable)


def test_angles_across_the_seam(stacker: Stacker, tmp_path: Path) -> None:
    """Viewed from the west, the direction to the sensor may be just above or below pi."""
    options = {"layers": ("unw_phase", "corr", "lv_phi", "wrapped_phase")}
    built = stacker(options, STATIC_LAYERS="per_pair")
    middle = float(np.nanmean(built.stack.lv_phi))
    by = -np.pi - middle

    def turned(values: np.ndarray) -> np.ndarray:
        around = (values.astype(float) + by + np.pi) % (2 * np.pi) - np.pi
        return np.where(values == 0, 0, around)

    folder = tmp_path / "products"
    for path in copy_products(built.samples, folder):
        rewrite(layer_file(path, "lv_phi"), turned)
    for mode in ("per_pair", "once"):
        build(folder, NETCDF=tmp_path / "stack.nc", STATIC_LAYERS=mode, RESAMPLING="bilinear")
        stack = stored(tmp_path / "stack.nc")
        found = stack.lv_phi.values
        assert np.nanmin(found) < -3.1 and np.nanmax(found) > 3.1
        assert np.nanmin(np.abs(found)) > 3.0, "no mean of both sides of the seam"
        if mode == "once":
            assert stack.lv_phi.attrs["largest_difference_between_products"] < 1e-3
            continue
        for step, product in enumerate(built.products):
            truth = built.positions.truth(product, "lv_phi") + by
            error = (found[step] - truth + np.pi) % (2 * np.pi) - np.pi
            assert np.nanmax(np.abs(error)) < 1e-4
        # Both sides of the seam of the wrapped phase are there too, and nothing between.
        phase = stack.wrapped_phase.values
        for step, product in enumerate(built.products):
            source = values_of(product, "wrapped_phase")
            present = phase[step][np.isfinite(phase[step])]
            assert np.isin(present, source).all()
            if product.epsg == EPSG:
                window = window_of(built.positions, product)
                inside = phase[step][window]
                np.testing.assert_array_equal(inside[source != 0], source[source != 0])


def values_of(product: SampleProduct, layer: str) -> np.ndarray:
    with rasterio.open(layer_file(product.path, layer)) as file:
        return file.read(1)


def test_names_tell_what_orders_were() -> None:
    rtc = parse_name("S1A_IW_20250420T135654_DVP_RTC30_G_sduned_7959")
    assert (rtc.scale, rtc.radiometry) == ("decibel", "sigma0")
    again = parse_name("S1A_IW_20250420T135654_DVP_RTC30_G_sduned_0000")
    other = parse_name("S1A_IW_20250420T135654_DVP_RTC30_G_spuned_0000")
    assert rtc.identity == again.identity != other.identity
    pair = parse_name("S1AC_20251001T204513_20251007T204359_HHR006_INT40_G_ueF_1DBE")
    assert pair.scale is None and pair.radiometry is None and pair.ground is None
    assert parse_name("S1_056072_IW2_20220814_20220907_VV_INT80_E09B").ground == "056072_IW2"
    old = parse_name("S1A_064_E053_1_N27_3_E054_1_N27_8_20200604_20200616_VV_INT80_7EB5")
    assert old.ground is None and old.relative_orbit == 64


def test_isce_layers_say_what_they_are(stacker: Stacker) -> None:
    options = {"rows": 60, "columns": 60}
    gamma = stacker(options).stack
    isce = stacker(options | {"product_type": "INSAR_ISCE_MULTI_BURST"}).stack
    assert "power" in gamma.amp.attrs["long_name"] and "power" not in isce.amp.attrs["long_name"]
    assert "GAMMA" in isce["corr"].attrs["comment"]
    assert list(isce["corr"].attrs["valid_range"]) == [0, 1]


def test_the_middle_of_pairs_that_share_it(stacker: Stacker) -> None:
    """Two pairs of a network may have one middle; both stay."""
    built = stacker({"rows": 60, "columns": 60, "layers": ("unw_phase",), "products": 8})
    middles = [p.reference_time + (p.secondary_time - p.reference_time) / 2 for p in built.products]
    assert len(set(middles)) < 8
    assert built.stack.sizes["pair"] == 8 == len(set(built.stack.product_name.values))


def test_inputs_may_be_read_only(stacker: Stacker, tmp_path: Path) -> None:
    samples = stacker({"rows": 60, "columns": 60, "layers": ("unw_phase",)}).samples
    folder = Path(shutil.copytree(samples.folder, tmp_path / "products"))
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    build(folder, NETCDF=tmp_path / "stack.nc", REFERENCE_POINT=None, LAYERS="los_disp")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
