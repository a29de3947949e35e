"""One reference point for all pairs, and displacement computed from phase."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pyproj import Transformer

from hyp3_stack.core.errors import GridError, InvalidParameterError, ProductError
from tests.running import build, copy_products, layer_file

from .conftest import EPSG, Built, Stacker, stored

WAVELENGTH = 0.055465763
FACTOR = -WAVELENGTH / (4 * np.pi)
LAYERS = ("unw_phase", "corr", "los_disp", "vert_disp", "lv_theta", "wrapped_phase")
NETWORK = {"products": 6, "layers": LAYERS, "sidecars": False}
ISCE = {"product_type": "INSAR_ISCE_BURST", "products": 4, "sidecars": False}


@pytest.fixture(scope="module")
def plain(stacker: Stacker) -> Built:
    return stacker(NETWORK)


@pytest.fixture(scope="module")
def auto(stacker: Stacker) -> Built:
    return stacker(NETWORK, REFERENCE_POINT="auto", STATIC_LAYERS="per_pair")


def at_point(stack: xr.Dataset, layer: str) -> np.ndarray:
    there = {"x": float(stack.reference_point_x), "y": float(stack.reference_point_y)}
    return stack[layer].sel(there).values


def test_values_at_the_point_are_zero_in_all_pairs(auto: Built) -> None:
    np.testing.assert_array_equal(at_point(auto.stack, "unw_phase"), np.zeros(6))
    np.testing.assert_array_equal(at_point(auto.stack, "los_disp"), np.zeros(6))
    # 1e-8 m is the precision of float32 for a decimeter.
    np.testing.assert_allclose(at_point(auto.stack, "vert_disp"), 0, atol=2e-8)
    assert (at_point(auto.stack, "corr") > 0).all()


def test_auto_is_the_most_coherent_pixel_of_all_pairs(plain: Built, auto: Built) -> None:
    valid = np.isfinite(plain.stack.unw_phase.values).all(axis=0)
    mean = np.where(valid, plain.stack["corr"].values.astype(float).mean(axis=0), -1)
    row, column = np.unravel_index(np.nanargmax(mean), mean.shape)
    assert float(auto.stack.reference_point_x) == plain.stack.x.values[column]
    assert float(auto.stack.reference_point_y) == plain.stack.y.values[row]
    assert any("All pairs are referenced to the pixel" in text for text in auto.run.infos)


def test_what_was_subtracted_is_recorded(plain: Built, auto: Built) -> None:
    there = {"x": float(auto.stack.reference_point_x), "y": float(auto.stack.reference_point_y)}
    before = plain.stack.unw_phase.sel(there).values
    recorded = auto.stack.reference_phase
    assert recorded.dims == ("pair",) and recorded.attrs["units"] == "radian"
    np.testing.assert_array_equal(recorded, before)
    assert np.unique(before).size > 2
    found = auto.stack.unw_phase.values + recorded.values[:, None, None]
    expected = plain.stack.unw_phase.values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, atol=2e-5)
    for layer in ("unw_phase", "los_disp", "vert_disp"):
        comment = auto.stack[layer].attrs["comment"]
        assert "reference_point_x" in comment and "of the pair" not in comment
        assert "reference_point_x" not in plain.stack[layer].attrs["comment"]
    # What does not hang on the reference stays as it is.
    for layer in ("wrapped_phase", "corr"):
        np.testing.assert_array_equal(auto.stack[layer], plain.stack[layer])


def test_displacements_stay_consistent(auto: Built) -> None:
    stack = auto.stack
    los = stack.los_disp.values.astype(float)
    np.testing.assert_allclose(los, stack.unw_phase.values * FACTOR, atol=3e-8)
    vertical = los / np.sin(stack.lv_theta.values.astype(float))
    for step, product in enumerate(auto.products):
        # Where a pair is warped, the angle is a mean of four pixels, the displacement is not.
        limit = 1e-7 if product.epsg == EPSG else 1e-5
        np.testing.assert_allclose(stack.vert_disp.values[step], vertical[step], atol=limit)


@pytest.mark.parametrize("code", ["", " [EPSG:32610]", " [EPSG:4326]", "[EPSG:32611]"])
def test_coordinates(plain: Built, tmp_path: Path, code: str) -> None:
    stack = plain.stack
    valid = np.isfinite(stack.unw_phase.values).all(axis=0)
    row, column = np.argwhere(valid)[valid.sum() // 3]
    # Anywhere within the pixel.
    x, y = stack.x.values[column] + 31.0, stack.y.values[row] - 22.0
    if "4326" in code or "32611" in code:
        epsg = int(code.strip("[] ").partition(":")[2])
        x, y = Transformer.from_crs(EPSG, epsg, always_xy=True).transform(x, y)
    target = tmp_path / "stack.nc"
    build(plain.samples.folder, NETCDF=target, REFERENCE_POINT=f"{x:.9f},{y:.9f}{code}")
    made = stored(target)
    assert float(made.reference_point_x) == stack.x.values[column]
    assert float(made.reference_point_y) == stack.y.values[row]
    np.testing.assert_array_equal(made.reference_phase, stack.unw_phase.values[:, row, column])
    np.testing.assert_array_equal(made.unw_phase.values[:, row, column], 0)


@pytest.mark.parametrize(
    "text", ["somewhere", "1,2,3", "nan,4", "12", "a,b", "1,2 [EPSG:999999]", "automatic"]
)
def test_text_that_is_no_point(plain: Built, tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidParameterError, match="REFERENCE_POINT"):
        build(plain.samples.folder, NETCDF=tmp_path / "stack.nc", REFERENCE_POINT=text)
    assert not (tmp_path / "stack.nc").exists()


def test_a_point_outside(plain: Built, tmp_path: Path) -> None:
    for text in ("0,0", "10,10 [EPSG:4326]", "-120,95 [EPSG:4326]"):
        with pytest.raises(GridError, match="outside the stack, which covers"):
            build(plain.samples.folder, NETCDF=tmp_path / "stack.nc", REFERENCE_POINT=text)


def test_a_point_without_data_names_the_pair(plain: Built, tmp_path: Path) -> None:
    missing = np.isnan(plain.stack.unw_phase.values)
    only_some = missing.any(axis=0) & ~missing[0]
    row, column = np.argwhere(only_some)[0]
    first = int(np.argmax(missing[:, row, column]))
    name = plain.products[first].name
    point = f"{plain.stack.x.values[column]},{plain.stack.y.values[row]}"
    with pytest.raises(ProductError, match=f"{name} has no unwrapped phase at REFERENCE_POINT"):
        given = {"REFERENCE_POINT": point, "ON_BAD_PRODUCT": "skip"}
        build(plain.samples.folder, NETCDF=tmp_path / "stack.nc", **given)


@pytest.mark.parametrize(("lost", "layers"), [("corr", "unw_phase"), ("lv_theta", "vert_disp")])
def test_layers_that_the_point_needs(plain: Built, tmp_path: Path, lost: str, layers: str) -> None:
    paths = copy_products(plain.samples, tmp_path / "products", 2)
    layer_file(paths[1], lost).unlink()
    with pytest.raises(ProductError, match=f"{paths[1].name} has no layer {lost}"):
        given = {"REFERENCE_POINT": "auto", "LAYERS": layers}
        build(tmp_path / "products", NETCDF=tmp_path / "stack.nc", **given)


def test_nothing_to_refer(plain: Built, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match="references unw_phase, .* none of them"):
        build(plain.samples.folder, NETCDF=tmp_path / "s.nc", LAYERS="corr", REFERENCE_POINT="auto")


def test_backscatter_has_no_reference_point(stacker: Stacker, tmp_path: Path) -> None:
    rtc = stacker({"product_type": "RTC_GAMMA", "products": 3, "rows": 60, "columns": 60})
    with pytest.raises(InvalidParameterError, match="REFERENCE_POINT is for interferograms"):
        build(rtc.samples.folder, NETCDF=tmp_path / "stack.nc", REFERENCE_POINT="auto")


def test_isce_pairs(stacker: Stacker) -> None:
    """They come without a reference of their own and without displacement."""
    plain = stacker(ISCE)
    built = stacker(ISCE, REFERENCE_POINT="AUTO", LAYERS="unw_phase,los_disp,conncomp")
    np.testing.assert_array_equal(at_point(built.stack, "unw_phase"), np.zeros(4))
    np.testing.assert_array_equal(at_point(built.stack, "los_disp"), np.zeros(4))
    expected = (plain.stack.unw_phase - built.stack.reference_phase) * FACTOR
    np.testing.assert_allclose(built.stack.los_disp, expected, atol=1e-7)
    assert np.abs(built.stack.reference_phase.values).max() > 0.1


def test_displacement_from_phase_equals_the_ordered_one(stacker: Stacker, tmp_path: Path) -> None:
    plain = stacker(NETWORK)
    folder = tmp_path / "products"
    for path in copy_products(plain.samples, folder):
        layer_file(path, "los_disp").unlink()
    build(folder, NETCDF=tmp_path / "stack.nc", LAYERS="los_disp")
    stack = stored(tmp_path / "stack.nc")
    assert set(stack.data_vars) & {"unw_phase", "los_disp"} == {"los_disp"}
    found, expected = stack.los_disp.values, plain.stack.los_disp.values
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=3e-7, atol=0)
    assert (found == 0).sum() == (expected == 0).sum() >= 4, "the pairs' own reference pixels"
    attributes = stack.los_disp.attrs
    assert attributes["units"] == "m" and "toward the sensor" in attributes["comment"]
    assert "unw_phase" in attributes["computed"] and "6 of 6 pairs" in attributes["computed"]
    assert attributes["wavelength"] == WAVELENGTH
    assert WAVELENGTH == pytest.approx(299792458 / 5.405000454334350e9, rel=1e-7)
    assert "computed" not in plain.stack.los_disp.attrs


def test_displacement_that_only_some_pairs_have(plain: Built, tmp_path: Path) -> None:
    paths = copy_products(plain.samples, tmp_path / "products")
    for path in paths[::2]:
        layer_file(path, "los_disp").unlink()
    run = build(tmp_path / "products", NETCDF=tmp_path / "stack.nc")
    assert run.warnings == []
    stack = stored(tmp_path / "stack.nc")
    np.testing.assert_allclose(stack.los_disp, plain.stack.los_disp, rtol=3e-7, atol=0)
    assert "3 of 6 pairs" in stack.los_disp.attrs["computed"]


def test_without_phase_there_is_no_displacement(plain: Built, tmp_path: Path) -> None:
    [path] = copy_products(plain.samples, tmp_path / "products", 1)
    for layer in ("los_disp", "unw_phase"):
        layer_file(path, layer).unlink()
    with pytest.raises(ProductError, match="has no layer los_disp"):
        build(tmp_path / "products", NETCDF=tmp_path / "stack.nc", LAYERS="los_disp")
