"""Files that come with products: names, texts, times, zips, and what is no layer."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.scan import scan_folder
from hyp3_stack.core.stack.steps import acquisition_times
from hyp3_stack.core.tasks import build_stack
from tests.sample_products import SampleProduct
from tests.stack.running import build, copy_products, layer_file, zip_product
from tests.stack.truth import window_of

from .conftest import EPSG, TYPES, Built, Stacker, stored
from .edited import copy_as, replace_entry

CONSTANTS = ("693000", "6337286.6")
"""What ISCE products hold in place of the height of the satellite and the radius of the Earth."""


def name_time(name: str) -> np.datetime64:
    return np.datetime64(name).astype("datetime64[ns]")


def decoded(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, decode_coords="all") as stack:
        return stack.load()


def instants(*times: object) -> np.ndarray:
    return np.array([np.datetime64(time.replace(tzinfo=None), "ns") for time in times])


def test_times_of_day(built: Built) -> None:
    """ISCE names hold days; the granules of the parameter file tell the time."""
    stack = decoded(built.run.netcdf)
    starts = instants(*(product.reference_time for product in built.products))
    if built.dimension == "time":
        np.testing.assert_array_equal(stack.time, starts)
        return
    ends = instants(*(product.secondary_time for product in built.products))
    np.testing.assert_array_equal(stack.reference_time, starts)
    np.testing.assert_array_equal(stack.secondary_time, ends)
    np.testing.assert_array_equal(stack.time, starts + (ends - starts) // 2)
    days = (ends - starts) / np.timedelta64(1, "D")
    np.testing.assert_allclose(stack.temporal_baseline, days, rtol=0, atol=1e-9)
    assert starts[0].astype("datetime64[h]") != starts[0].astype("datetime64[D]")
    baselines = [product.perpendicular_baseline for product in built.products]
    np.testing.assert_array_equal(stack.perpendicular_baseline, baselines)
    parts = "Ymd" if "ISCE" in built.samples.spec.product_type else "Y"
    length = 17 if parts == "Ymd" else 31
    assert {len(label) for label in stack.pair_label.values} == {length}
    first = str(stack.attrs["time_coverage_start"])
    assert first.startswith(f"{built.products[0].reference_time:%Y-%m-%dT%H:%M}")


@pytest.mark.parametrize("kind", ["INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def test_constants_of_isce_are_not_passed_on(stacker: Stacker, tmp_path: Path, kind: str) -> None:
    built = stacker({"product_type": kind, "rows": 60, "columns": 60, "products": 3})
    product = built.products[0]
    text = (product.path / f"{product.name}.txt").read_text()
    assert all(constant in text for constant in CONSTANTS)
    for name, variable in built.stack.variables.items():
        if variable.dims[-2:] != ("y", "x"):
            written = json.dumps(np.asarray(variable.values).astype(str).tolist())
            written += json.dumps({key: str(value) for key, value in variable.attrs.items()})
            assert not any(constant in written for constant in CONSTANTS), name
    # The parameter files are kept word for word as provenance; nothing else may hold them.
    attributes = {key: str(value) for key, value in built.stack.attrs.items()}
    attributes.pop("hyp3_parameters_json", None)
    assert not any(constant in json.dumps(attributes) for constant in CONSTANTS)


def test_files_in_radar_geometry_are_no_layers(stacker: Stacker) -> None:
    built = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60})
    product = built.products[0]
    assert len(list(product.path.glob("*_rdr.tif"))) == 4
    for found in scan_folder(built.samples.folder).products:
        assert any(name.endswith("_wrapped_phase_rdr.tif") for name in found.files)
        assert not any("rdr" in name or name in ("lat", "lon", "los") for name in found.layers)
    assert not any("rdr" in str(name) for name in built.stack.variables)


def test_a_product_of_nothing_but_radar_geometry(stacker: Stacker, tmp_path: Path) -> None:
    samples = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60}).samples
    [path] = copy_products(samples, tmp_path / "products", 1)
    for layer in path.glob("*.tif"):
        if "_rdr" not in layer.name:
            layer.unlink()
    with pytest.raises(Exception, match=f"{path.name} holds no layer") as error:
        build(tmp_path / "products", NETCDF=tmp_path / "stack.nc")
    assert type(error.value).__name__ == "ProductError"


@pytest.mark.parametrize(
    ("granules", "expected"),
    [
        # As written before hyp3-isce2#291: merged scenes instead of bursts.
        (
            "S1A_IW_SLC__1SSV_20230106T015138_20230106T015200_046653_059789_1234",
            "2023-01-06T01:51:38",
        ),
        # The earliest burst counts, in whatever order they are written.
        (
            "S1_136232_IW3_20230106T015141_VV_238F-BURST, "
            "S1_136231_IW2_20230106T015139_VV_238F-BURST",
            "2023-01-06T01:51:39",
        ),
        # A list may run over midnight: only bursts of the day in the name count.
        (
            "S1_136232_IW3_20230107T000001_VV_238F-BURST, "
            "S1_136231_IW2_20230106T235959_VV_238F-BURST",
            "2023-01-06T23:59:59",
        ),
        ("something else", "2023-01-06T00:00:00"),
        (None, "2023-01-06T00:00:00"),
    ],
)
def test_lists_of_granules(
    stacker: Stacker, tmp_path: Path, granules: str | None, expected: str
) -> None:
    multi = {"product_type": "INSAR_ISCE_MULTI_BURST", "rows": 60, "columns": 60}
    product = stacker(multi).samples.products[0]
    copy_as(product, tmp_path, parameters={"Reference Granule": granules})
    [found] = scan_folder(tmp_path).products
    assert instants(acquisition_times(found)[0])[0] == name_time(expected)


@pytest.mark.parametrize("merged", [True, False])
def test_old_names(stacker: Stacker, tmp_path: Path, merged: bool) -> None:
    """Merged bursts before hyp3-isce2 4.0 were named after corners; their layers are the same."""
    multi = {"product_type": "INSAR_ISCE_MULTI_BURST", "rows": 60, "columns": 60}
    built = stacker(multi)
    folder = tmp_path / "products"
    for product in built.products:
        first, second = product.name.split("_IW_")[1].split("_")[:2]
        path = "S1A_064_E053_1_N27_3_E054_1_N27_8" if merged else "S1_064_000000s1n00-1"
        if not merged:
            path = "S1_064_000000s1n00-056069s2n04-000000s3n00_IW"
        copy_as(product, folder, f"{path}_{first}_{second}_VV_INT80_{product.name[-4:]}")
    run = build(folder, NETCDF=tmp_path / "stack.nc")
    assert run.outputs["STEPS"] == len(built.products) and run.warnings == []
    stack = stored(tmp_path / "stack.nc")
    for layer in ("unw_phase", "corr", "conncomp", "dem", "amp"):
        np.testing.assert_array_equal(stack[layer], built.stack[layer])
    assert stack.attrs["product_type"] == "INSAR_ISCE_MULTI_BURST"


def test_utctime_and_other_spellings(stacker: Stacker, tmp_path: Path) -> None:
    """Until late 2021 the key was UTCtime; keys added since are missing in such products."""
    gamma = stacker({"rows": 60, "columns": 60, "layers": ("unw_phase", "corr")})
    product = gamma.samples.products[0]
    later = (
        "Reference Pass Direction",
        "Slant range near",
        "Spacecraft height",
        "Phase at reference point",
    )
    path = copy_as(product, tmp_path / "products", parameters=dict.fromkeys(later))
    value = product.parameters["UTC time"]
    replace_entry(path, "UTC time", None)
    text = path / f"{path.name}.txt"
    text.write_text(text.read_text() + f"UTCtime: {value}\n")
    [found] = scan_folder(tmp_path / "products").products
    assert found.parameters.number("UTC time") == float(value)
    assert found.parameters.text("Reference Pass Direction") is None
    assert build(tmp_path / "products", NETCDF=tmp_path / "stack.nc").outputs["STEPS"] == 1


def test_values_with_colons(stacker: Stacker) -> None:
    burst = stacker({"product_type": "INSAR_ISCE_BURST", "rows": 60, "columns": 60})
    product = burst.samples.products[0]
    [found] = [p for p in scan_folder(burst.samples.folder).products if p.name.text == product.name]
    stop = found.parameters.text("Radar sensing stop")
    assert re.fullmatch(r"2023-01-06T01:51:\d\d\.\d{6}", stop)


def test_readme_of_each_type(built: Built) -> None:
    for product in scan_folder(built.samples.folder).products:
        assert product.readme.processed is not None and product.readme.processed.year == 2025
        isce = "ISCE" in product.name.product_type
        assert product.readme.plugin_version == ("4.1.4" if isce else "9.0.5")
        assert product.readme.software_version == ("2.6.3" if isce else "20240627")
    versions = str(built.stack.attrs.get("hyp3_plugin_versions", ""))
    assert not versions or versions == ("4.1.4" if isce else "9.0.5")


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


@pytest.mark.parametrize(
    ("kind", "version"), [*((kind, "2") for kind in TYPES), ("RTC_GAMMA", "3"), (TYPES[1], "3")]
)
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
    outputs = build_stack.run(parameters, None, _silent())
    assert outputs["STEPS"] == 2
    stack = stored(tmp_path / "stack.nc")
    assert list(stack.product_name.values) == names
    assert "PRODUCTS" not in stack.attrs["history"]


def _silent() -> object:
    from hyp3_stack.core.reporter import SilentReporter

    return SilentReporter()


def test_water_is_data_whatever_the_tag(stacker: Stacker, tmp_path: Path) -> None:
    """Some products tag 0, which is water, as missing."""
    gamma = {"rows": 130, "columns": 140, "layers": ("unw_phase", "corr", "water_mask")}
    built = stacker(gamma, STATIC_LAYERS="per_pair")
    folder = tmp_path / "products"
    for path in copy_products(built.samples, folder):
        retagged(layer_file(path, "water_mask"), 0)
    build(folder, NETCDF=tmp_path / "stack.nc", STATIC_LAYERS="per_pair")
    found = stored(tmp_path / "stack.nc").water_mask.values
    np.testing.assert_array_equal(found, built.stack.water_mask.values)
    for values in found:
        assert set(np.unique(values)) == {0, 1, 255}


def retagged(path: Path, nodata: float | None) -> None:
    with rasterio.open(path) as file:
        values, profile = file.read(), file.profile | {"nodata": nodata}
    with rasterio.open(path, "w", **profile) as file:
        file.write(values)


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
            values, profile = file.read(), file.profile
        with rasterio.open(
            layer_file(path, "conncomp"), "w", **profile | {"dtype": "uint8", "nodata": 0}
        ) as file:
            file.write(values.astype("uint8"))
    build(folder, NETCDF=tmp_path / "stack.nc")
    np.testing.assert_array_equal(stored(tmp_path / "stack.nc").conncomp, variable)


def turn(path: Path, by: float) -> None:
    """Add to all angles of a file, around the circle."""
    with rasterio.open(path) as file:
        values, profile = file.read(1), file.profile
    turned = (values.astype(float) + by + np.pi) % (2 * np.pi) - np.pi
    with rasterio.open(path, "w", **profile) as file:
        file.write(np.where(values == 0, 0, turned).astype("float32"), 1)


def test_angles_across_the_seam(stacker: Stacker, tmp_path: Path) -> None:
    """Viewed from the west, the direction to the sensor may be just above or below pi."""
    options = {"layers": ("unw_phase", "corr", "lv_phi", "wrapped_phase")}
    built = stacker(options, STATIC_LAYERS="per_pair")
    middle = float(np.nanmean(built.stack.lv_phi))
    by = -np.pi - middle
    folder = tmp_path / "products"
    for path in copy_products(built.samples, folder):
        turn(layer_file(path, "lv_phi"), by)
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
