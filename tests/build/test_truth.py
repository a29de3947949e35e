"""The values of a stack against those of its products and against truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from tests.sample_products import SampleProduct, SampleStack
from tests.sample_products.spec import LAYERS

from ..running import PHASES, Run, build, contents
from ..truth import Positions, difference, measure_shift, near_change, stored, window_of

EPSG = 32610
FLOATS = tuple(layer for layer in LAYERS["INSAR_GAMMA"] if layer != "water_mask")
STATIC = ("lv_theta", "lv_phi", "inc_map", "inc_map_ell", "dem", "water_mask")


@pytest.fixture(scope="module")
def stack(built: Run) -> xr.Dataset:
    with xr.open_dataset(built.netcdf) as dataset:
        return dataset.load()


@pytest.fixture(scope="module")
def all_per_pair(per_pair: Run) -> xr.Dataset:
    with xr.open_dataset(per_pair.netcdf) as dataset:
        return dataset.load()


@pytest.fixture(scope="module")
def raw(per_pair: Run) -> xr.Dataset:
    """The per-pair stack as stored, masks as uint8."""
    with xr.open_dataset(per_pair.netcdf, mask_and_scale=False) as dataset:
        return dataset.load()


def positions(stack: xr.Dataset, step: int = 1) -> Positions:
    return Positions(stack.x.values[::step], stack.y.values[::step], EPSG, 80.0)


def in_order(gamma: SampleStack, stack: xr.Dataset) -> list[SampleProduct]:
    """Return the samples in the order of the stack's pairs."""
    by_name = {product.name: product for product in gamma.products}
    return [by_name[name] for name in stack.product_name.values]


def copied(gamma: SampleStack, stack: xr.Dataset) -> list[tuple[int, SampleProduct]]:
    return [(i, p) for i, p in enumerate(in_order(gamma, stack)) if p.epsg == EPSG]


def warped(gamma: SampleStack, stack: xr.Dataset) -> list[tuple[int, SampleProduct]]:
    return [(i, p) for i, p in enumerate(in_order(gamma, stack)) if p.epsg != EPSG]


def test_most_products_are_copied(gamma: SampleStack, built: Run) -> None:
    assert {product.epsg for product in gamma.products} == {EPSG, EPSG + 1}
    assert built.outputs["CRS"] == f"EPSG:{EPSG}"
    assert built.outputs["STEPS"] == 6 and built.outputs["SKIPPED"] == 0
    assert any("4 products are copied bit for bit, 2 are warped" in line for line in built.infos)


@pytest.mark.parametrize("layer", LAYERS["INSAR_GAMMA"])
def test_copied_products_equal_their_files_bit_for_bit(
    gamma: SampleStack, raw: xr.Dataset, layer: str
) -> None:
    for pair, product in copied(gamma, raw):
        values = raw[layer].values[pair]
        expected = stored(product, layer)
        rows, columns = window_of(positions(raw), product)
        inside = values[rows, columns]
        if layer == "water_mask":
            assert values.dtype == np.uint8
            assert set(np.unique(expected)) == {0, 1}, "water must be part of the test"
            np.testing.assert_array_equal(inside, expected)
        else:
            bits = np.uint32
            data = expected != 0
            assert 0.2 < data.mean() < 1
            np.testing.assert_array_equal(inside.view(bits)[data], expected.view(bits)[data])
            missing = ~data
            if layer in PHASES:
                missing[product.reference_pixel] = False
            assert np.isnan(inside[missing]).all()
        outside = np.ones(values.shape, bool)
        outside[rows, columns] = False
        assert outside.any()
        assert (
            (values[outside] == 255).all()
            if layer == "water_mask"
            else np.isnan(values[outside]).all()
        )


@pytest.mark.parametrize("layer", PHASES)
def test_zero_at_the_reference_pixel_is_kept(
    gamma: SampleStack, stack: xr.Dataset, layer: str
) -> None:
    found = []
    for pair, product in enumerate(in_order(gamma, stack)):
        row, column = positions(stack).in_product(product)
        row_0, column_0 = product.reference_pixel
        here = (np.floor(row) == row_0) & (np.floor(column) == column_0)
        found.append(here.sum())
        assert (stack[layer].values[pair][here] == 0).all()
        others = stack[layer].values[pair][~here]
        assert not (others == 0).any(), "any other zero means no data"
    assert sum(found) >= 4, "each copied product has one such pixel"


@pytest.mark.parametrize("layer", FLOATS)
def test_warped_products_lie_within_a_twentieth_of_a_pixel(
    gamma: SampleStack, all_per_pair: xr.Dataset, layer: str
) -> None:
    where = positions(all_per_pair, 2)
    for pair, product in warped(gamma, all_per_pair):
        usable = ~near_change(where, product, "water_mask", 1.5)
        values = all_per_pair[layer].values[pair][::2, ::2]
        right, up = measure_shift(where, product, layer, values, usable)
        assert abs(right) < 0.05 and abs(up) < 0.05, (product.name, right, up)
        truth = where.truth(product, layer)
        error = difference(values, truth, layer)[usable]
        spread = np.pi if layer == "wrapped_phase" else np.nanstd(truth)
        assert abs(np.nanmean(error)) < 0.005 * spread
        assert np.isfinite(error).mean() > 0.3


@pytest.mark.parametrize("layer", ["dem", "corr", "unw_phase", "wrapped_phase"])
def test_the_measure_sees_a_tenth_of_a_pixel(
    gamma: SampleStack, all_per_pair: xr.Dataset, layer: str
) -> None:
    pair, product = warped(gamma, all_per_pair)[0]
    x, y = all_per_pair.x.values[::2] + 8.0, all_per_pair.y.values[::2] + 8.0
    elsewhere = Positions(x, y, EPSG, 80.0)
    usable = ~near_change(elsewhere, product, "water_mask", 1.5)
    values = all_per_pair[layer].values[pair][::2, ::2]
    right, up = measure_shift(elsewhere, product, layer, values, usable)
    assert right == pytest.approx(0.1, abs=0.02) and up == pytest.approx(0.1, abs=0.02)


def test_masks_of_warped_products_are_right_except_beside_a_shore(
    gamma: SampleStack, raw: xr.Dataset
) -> None:
    where = positions(raw)
    for pair, product in warped(gamma, raw):
        values = raw.water_mask.values[pair]
        truth = where.truth(product, "water_mask")
        expected = np.where(np.isnan(truth), 255, truth).astype(np.uint8)
        wrong = values != expected
        row, column = where.in_product(product)
        rows, columns = product.shape
        # Nearest takes the value of a point up to 0.71 pixels away.
        beside = near_change(where, product, "water_mask", 0.75) & ~np.isnan(truth)
        edge = np.minimum.reduce([row, rows - row, column, columns - column])
        assert not (wrong & ~beside & (np.abs(edge) > 0.01)).any()
        assert set(np.unique(values)) == {0, 1, 255}


@pytest.mark.parametrize("layer", ["lv_theta", "lv_phi", "inc_map_ell"])
def test_angles_of_warped_products_are_not_rotated(
    gamma: SampleStack, all_per_pair: xr.Dataset, layer: str
) -> None:
    """The zones' grids are rotated by 0.06 rad against each other, the angles mean true east."""
    where = positions(all_per_pair)
    for pair, product in warped(gamma, all_per_pair):
        error = difference(all_per_pair[layer].values[pair], where.truth(product, layer), layer)
        assert np.isfinite(error).any()
        assert np.nanmax(np.abs(error)) < 1e-3


def test_coordinates_are_pixel_centers(gamma: SampleStack, stack: xr.Dataset) -> None:
    x, y = stack.x.values, stack.y.values
    assert x.dtype == y.dtype == np.float64
    assert (np.diff(x) == 80).all() and (np.diff(y) == -80).all()
    # Centers of GAMMA products lie on multiples of the spacing in this sample; its own files tell.
    rights, lows = [], []
    for _, product in copied(gamma, stack):
        across, down = product.centers()
        assert np.isin(across, x).all() and np.isin(down, y).all()
        rights.append(across.max())
        lows.append(down.min())
    assert x.max() >= max(rights) and y.min() <= min(lows)
    west, step, _, north, _, down = map(float, stack.spatial_ref.attrs["GeoTransform"].split())
    assert (west, north) == (x[0] - 40, y[0] + 40) and (step, down) == (80, -80)


@pytest.mark.parametrize("layer", STATIC)
def test_static_layers_are_put_together_copied_products_first(
    gamma: SampleStack, stack: xr.Dataset, raw: xr.Dataset, layer: str
) -> None:
    order = [i for i, _ in copied(gamma, raw)] + [i for i, _ in warped(gamma, raw)]
    fill = raw[layer].attrs["_FillValue"]
    expected = np.full(raw[layer].shape[1:], fill)
    for pair in order:
        values = raw[layer].values[pair]
        absent = expected == 255 if layer == "water_mask" else np.isnan(expected)
        expected = np.where(absent, values, expected)
    assert stack[layer].dims == ("y", "x")
    if layer == "water_mask":
        expected = np.where(expected == 255, np.nan, expected.astype("float32"))
    np.testing.assert_array_equal(stack[layer].values, expected)


def test_inputs_are_untouched(small: SampleStack, tmp_path: Path) -> None:
    before = contents(small.folder)
    build(small.folder, NETCDF=tmp_path / "s.nc", ZARR=tmp_path / "s.zarr", LAYERS="corr")
    assert contents(small.folder) == before


@pytest.mark.parametrize("crs", ["EPSG:32611", "EPSG:3857", "ESRI:102003"])
def test_any_target_crs_in_meters(gamma: SampleStack, tmp_path: Path, crs: str) -> None:
    run = build(
        gamma.folder, NETCDF=tmp_path / "s.nc", TARGET_CRS=crs,
        LAYERS="dem", STATIC_LAYERS="per_pair",
    )  # fmt: skip
    with xr.open_dataset(run.netcdf) as stack:
        stack.load()
    assert stack.sizes["pair"] == 6
    wkt = stack.spatial_ref.attrs["crs_wkt"]
    where = Positions(stack.x.values[::3], stack.y.values[::3], wkt, 80.0)
    for pair, product in list(enumerate(in_order(gamma, stack)))[1:3]:
        values = stack.dem.values[pair][::3, ::3]
        usable = ~near_change(where, product, "water_mask", 1.5)
        right, up = measure_shift(where, product, "dem", values, usable)
        assert abs(right) < 0.05 and abs(up) < 0.05


def test_resampling_methods(small: SampleStack, tmp_path: Path) -> None:
    results = {}
    for method in ("auto", "nearest", "bilinear", "cubic"):
        run = build(small.folder, NETCDF=tmp_path / f"{method}.nc", RESAMPLING=method)
        with xr.open_dataset(run.netcdf) as stack:
            results[method] = stack.load()
    [(pair, product)] = warped(small, results["auto"])
    for method, layer, from_file in (
        ("auto", "unw_phase", True),
        ("auto", "corr", False),
        ("nearest", "corr", True),
        ("bilinear", "unw_phase", False),
        ("cubic", "unw_phase", False),
        ("cubic", "water_mask", True),
    ):
        values = results[method][layer].values
        values = values[pair] if values.ndim == 3 else values
        present = values[np.isfinite(values)]
        sources = np.concatenate([stored(p, layer).ravel() for p in small.products])
        assert np.isin(present, sources).all() == from_file, (method, layer)
    assert np.nanmax(results["cubic"].corr) <= 1 and np.nanmin(results["cubic"].corr) >= 0
    # Copied products do not depend on the method.
    for pair, _ in copied(small, results["auto"]):
        for method in ("nearest", "bilinear", "cubic"):
            np.testing.assert_array_equal(
                results[method].corr.values[pair], results["auto"].corr.values[pair]
            )


def test_classes_and_angles_with_a_seam_are_never_averaged(
    gamma: SampleStack, tmp_path: Path
) -> None:
    stacks = {}
    for method in ("auto", "cubic"):
        run = build(
            gamma.folder,
            NETCDF=tmp_path / f"{method}.nc",
            RESAMPLING=method,
            LAYERS="wrapped_phase,lv_phi,water_mask,dem",
            STATIC_LAYERS="per_pair",
        )
        with xr.open_dataset(run.netcdf) as stack:
            stacks[method] = stack.load()
    for pair, _ in warped(gamma, stacks["auto"]):
        for layer in ("wrapped_phase", "lv_phi", "water_mask"):
            np.testing.assert_array_equal(
                stacks["cubic"][layer].values[pair], stacks["auto"][layer].values[pair]
            )
        assert (stacks["cubic"].dem.values[pair] != stacks["auto"].dem.values[pair]).any()
