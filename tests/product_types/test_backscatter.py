"""Backscatter: scales, layover and shadow bits, heights, dates."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.errors import InconsistentProductsError, InvalidParameterError
from tests.running import build, copy_products, harmonize, layer_file
from tests.truth import window_of

from .conftest import EPSG, Built, Stacker, stored
from .edited import copy_as, rewrite

SCALES = ("power", "amplitude", "decibel")
DARK_AND_BRIGHT = {"power": (1e-4, 10.0), "amplitude": (0.01, 3.0), "decibel": (-40.0, 10.0)}
POLARIZATIONS = ("VV", "VH")
RTC = {"product_type": "RTC_GAMMA", "layers": ("VV", "VH", "ls_map")}
SMALL = {"product_type": "RTC_GAMMA", "products": 3, "rows": 60, "columns": 60}


def to_power(values: np.ndarray, scale: str) -> np.ndarray:
    values = values.astype("float64")
    return {"power": values, "amplitude": values**2, "decibel": 10 ** (values / 10)}[scale]


@pytest.fixture(scope="module", params=SCALES)
def scaled(request: pytest.FixtureRequest, stacker: Stacker) -> Built:
    return stacker(RTC | {"scale": request.param})


@pytest.fixture(scope="module")
def power(stacker: Stacker) -> Built:
    return stacker(RTC | {"scale": "power"})


def test_the_samples_have_one_truth(scaled: Built, power: Built) -> None:
    assert [p.epsg for p in scaled.products] == [p.epsg for p in power.products]
    assert len({p.epsg for p in power.products}) == 2
    np.testing.assert_array_equal(scaled.stack.x, power.stack.x)


@pytest.mark.parametrize("polarization", POLARIZATIONS)
def test_whatever_the_scale_the_mean_is_one_of_power(
    scaled: Built, power: Built, polarization: str
) -> None:
    name = f"{polarization}_backscatter"
    found = to_power(scaled.stack[name].values, scaled.samples.spec.scale)
    expected = power.stack[name].values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    present = ~np.isnan(expected)
    # float32 holds -30 dB to 2e-6 dB, which is 5e-7 of the power; it is rounded several times.
    np.testing.assert_allclose(found[present], expected[present], rtol=2e-6)


def test_the_mean_of_decibels_would_be_another(power: Built) -> None:
    """The test above can fail: beside a shore both means differ by far more than its limit."""
    pair = np.array([0.2, 0.002])
    assert 10 ** np.log10(pair).mean() < 0.25 * pair.mean()
    values = power.stack.VV_backscatter.values
    steps = values[..., 1:] / values[..., :-1]
    assert np.nanmax(steps) > 5


def test_missing_backscatter_is_nan_on_disk(scaled: Built) -> None:
    for polarization in POLARIZATIONS:
        values = scaled.stack[f"{polarization}_backscatter"].values
        assert np.isnan(values).any() and np.isfinite(values).any()
        assert not np.isinf(values).any()
        assert np.nanmin(values) > (-60 if scaled.samples.spec.scale == "decibel" else 0)


def test_attributes_tell_the_scale(scaled: Built) -> None:
    attributes = scaled.stack.VV_backscatter.attrs
    scale = scaled.samples.spec.scale
    assert attributes["scale"] == scale
    assert attributes["radiometry"] == "gamma0"
    assert attributes["polarization"] == "VV"
    assert attributes["units"] == ("0.1 lg(re 1)" if scale == "decibel" else "1")
    # CF's standard name is that of the ratio of powers.
    assert ("standard_name" in attributes) == (scale == "power")


@pytest.mark.parametrize("wanted", SCALES)
def test_conversion(scaled: Built, power: Built, wanted: str, tmp_path: Path) -> None:
    target = tmp_path / "stack.nc"
    build(scaled.samples.folder, NETCDF=target, SCALE=wanted, LAYERS="VV,VH")
    converted = stored(target)
    delivered = scaled.samples.spec.scale
    for polarization in POLARIZATIONS:
        name = f"{polarization}_backscatter"
        assert converted[name].attrs["scale"] == wanted
        assert converted[name].attrs["units"] == ("0.1 lg(re 1)" if wanted == "decibel" else "1")
        expected = power.stack[name].values
        found = to_power(converted[name].values, wanted)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        present = ~np.isnan(expected)
        np.testing.assert_allclose(found[present], expected[present], rtol=2e-6)
        if wanted == delivered:
            np.testing.assert_array_equal(converted[name].values, scaled.stack[name].values)


@pytest.mark.parametrize("scale", SCALES)
def test_cubic_resampling_leaves_no_holes_and_no_negative_power(
    stacker: Stacker, tmp_path: Path, scale: str
) -> None:
    """It overshoots beside bright targets, where the mean of neighbors stays positive."""
    samples = stacker(SMALL | {"scale": scale, "neighbor_zone_share": 0.5}).samples
    folder = tmp_path / "products"
    for path in copy_products(samples, folder):
        for layer in ("VV", "area"):
            with rasterio.open(layer_file(path, layer)) as file:
                values, profile = file.read(1), file.profile
            values[20:40, 20:40] = DARK_AND_BRIGHT[scale if layer == "VV" else "power"][0]
            values[28:32, 28:32] = DARK_AND_BRIGHT[scale if layer == "VV" else "power"][1]
            with rasterio.open(layer_file(path, layer), "w", **profile) as file:
                file.write(values, 1)
    stacks = {}
    for method in ("bilinear", "cubic"):
        target = tmp_path / f"{method}.nc"
        run = build(folder, NETCDF=target, RESAMPLING=method, SCALE="decibel", LAYERS="VV,area")
        stacks[method] = stored(run.netcdf)
    assert (stacks["cubic"].VV_backscatter != stacks["bilinear"].VV_backscatter).any()
    assert stacks["cubic"].VV_backscatter.min() >= -50.001 and stacks["cubic"].area.min() > 0
    for name in ("VV_backscatter", "area"):
        held = stacks["bilinear"][name].notnull()
        np.testing.assert_array_equal(stacks["cubic"][name].notnull(), held)
    harmonize(folder, tmp_path / "h", RESAMPLING="cubic", LAYERS="VV")
    again = stored(build(tmp_path / "h", NETCDF=tmp_path / "h.nc", SCALE="decibel").netcdf)
    np.testing.assert_array_equal(
        again.VV_backscatter.notnull(), stacks["cubic"].VV_backscatter.notnull()
    )


def test_several_scales_need_one_to_be_chosen(stacker: Stacker, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    for number, scale in enumerate(SCALES):
        one = stacker(SMALL | {"scale": scale})
        copy_as(one.samples.products[number], mixed)
    with pytest.raises(InconsistentProductsError, match="scale.*SCALE") as error:
        build(mixed, NETCDF=tmp_path / "stack.nc")
    assert all(scale in str(error.value) for scale in SCALES)
    run = build(mixed, NETCDF=tmp_path / "stack.nc", SCALE="amplitude")
    assert run.outputs["STEPS"] == 3
    stack = stored(tmp_path / "stack.nc")
    alike = stacker(SMALL | {"scale": "power"}).stack
    for polarization in POLARIZATIONS:
        name = f"{polarization}_backscatter"
        found, expected = stack[name].values ** 2, alike[name].values
        present = ~np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(found), ~present)
        np.testing.assert_allclose(found[present], expected[present], rtol=2e-6)


def test_one_scene_in_two_scales_is_no_rerun(stacker: Stacker, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    for scale in ("power", "decibel"):
        for product in stacker(SMALL | {"scale": scale}).samples.products:
            copy_as(product, mixed)
    for given in ({}, {"SCALE": "power"}):
        with pytest.raises(InconsistentProductsError, match="scales|processed in two ways"):
            build(mixed, NETCDF=tmp_path / "stack.nc", **given)
    assert not (tmp_path / "stack.nc").exists()


def test_unknown_scale(tmp_path: Path, stacker: Stacker) -> None:
    with pytest.raises(InvalidParameterError, match="SCALE is 'dB'.*decibel"):
        build(stacker(SMALL).samples.folder, NETCDF=tmp_path / "stack.nc", SCALE="dB")


def test_layover_and_shadow_bits(power: Built) -> None:
    variable = power.stack.ls_map
    assert variable.dtype == np.uint8 and variable.attrs["_FillValue"] == 255
    present = variable.values[variable.values != 255]
    assert 0 not in present, "0 means that HyP3 did not look there"
    masks = variable.attrs["flag_masks"]
    assert masks.dtype == np.uint8 and list(masks) == [1, 2, 4, 8, 16]
    assert len(variable.attrs["flag_meanings"].split()) == 5
    assert (present & 1).all()
    assert {int(value) for value in np.unique(present)} & {5, 7}, "layover must be there"
    assert not (present & ~np.uint8(31)).any()


def test_heights_at_and_below_zero_are_data(stacker: Stacker, tmp_path: Path) -> None:
    built = stacker(
        {"product_type": "RTC_GAMMA", "layers": ("VV", "dem")}, STATIC_LAYERS="per_pair"
    )
    zeros = 0
    for step, product in enumerate(built.products):
        with rasterio.open(layer_file(product.path, "dem")) as file:
            assert file.dtypes == ("int16",) and file.nodata is None
            heights = file.read(1)
        if product.epsg != EPSG:
            continue
        values = built.stack.dem.values[step][window_of(built.positions, product)]
        np.testing.assert_array_equal(values, heights.astype("float32"))
        assert (heights < 0).any()
        zeros += (heights == 0).sum()
    assert zeros > 0
    assert built.stack.dem.dtype == np.float32
    # Warped: within the outline of the raster nothing is missing.
    [step] = [i for i, product in enumerate(built.products) if product.epsg != EPSG]
    row, column = built.positions.in_product(built.products[step])
    rows, columns = built.products[step].shape
    inside = (row > 1) & (row < rows - 1) & (column > 1) & (column < columns - 1)
    values = built.stack.dem.values[step]
    assert np.isfinite(values[inside]).all() and (values[inside] < 0).any()
    once = tmp_path / "once.nc"
    build(built.samples.folder, NETCDF=once)
    static = stored(once).dem
    assert static.dims == ("y", "x") and static.attrs["largest_difference_between_products"] >= 0
    first = next(product for product in built.products if product.epsg == EPSG)
    window = window_of(built.positions, first)
    with rasterio.open(layer_file(first.path, "dem")) as file:
        np.testing.assert_array_equal(static.values[window], file.read(1).astype("float32"))


def test_old_heights_with_a_value_for_missing_data(stacker: Stacker, tmp_path: Path) -> None:
    folder = tmp_path / "products"
    [path] = copy_products(stacker(SMALL | {"layers": ("VV", "dem")}).samples, folder, 1)
    with rasterio.open(layer_file(path, "dem")) as file:
        heights = file.read(1)
    heights[:9] = -32767
    rewrite(layer_file(path, "dem"), lambda _: heights, nodata=-32767)
    build(folder, NETCDF=tmp_path / "stack.nc")
    values = stored(tmp_path / "stack.nc").dem.values
    assert np.isnan(values[:9]).all()
    np.testing.assert_array_equal(values[9:], heights[9:].astype("float32"))


def test_local_incidence_changes_with_time(stacker: Stacker) -> None:
    stack = stacker(SMALL).stack
    assert stack.inc_map.dims == stack.area.dims == ("time", "y", "x")
    assert stack.dem.dims == ("y", "x")
    assert stack.inc_map.attrs["units"] == "radian" and stack.area.attrs["units"] == "m2"


def test_dates(power: Built) -> None:
    stack, products = power.stack, power.products
    with xr.open_dataset(power.run.netcdf, decode_coords="all") as decoded:
        times = decoded.time.values
        bounds = decoded.time_bnds.values
    starts = [np.datetime64(p.reference_time.replace(tzinfo=None), "ns") for p in products]
    np.testing.assert_array_equal(times, np.array(starts))
    assert (np.diff(times) > np.timedelta64(0)).all()
    assert list(stack.platform.values) == ["S1A"] * 4
    # Start and stop as the granule's name in the README tells.
    for (start, stop), product in zip(bounds, products, strict=True):
        assert start == np.datetime64(product.reference_time.replace(tzinfo=None), "ns")
        length = (stop - start) / np.timedelta64(1, "s")
        assert length == 27
    assert "time_bnds" in (stack.time.attrs | stack.time.encoding).values()
    assert products[1].reference_time - products[0].reference_time > timedelta(days=11)
