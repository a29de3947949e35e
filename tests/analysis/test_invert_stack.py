"""From products to displacement: values, layout and choices of ``hyp3:invertstack``."""

import json
import shutil

import netCDF4
import numpy as np
import pytest
import xarray as xr
import zarr

from hyp3_stack.core.contract import RECORD, SPATIAL_GROUP, TEMPORAL_GROUP
from tests.running import build, samples
from tests.sample_products.ground_truth import ground_truth

from .inverting import MOVING, invert

AUTO_TOLERANCE = 5e-4
"""Meters: the fault cuts the area that is chosen, where medians of pairs do not add up exactly."""


def area_of(run):
    """Return x, y and radius of the reference area."""
    return tuple(float(part) for part in run.outputs["REFERENCE"].partition(" ")[0].split(","))


def truth_of(spec, dataset, run):
    """Return the true displacement on the grid of a dataset, relative to the reference area."""
    x, y = np.meshgrid(dataset.x, dataset.y)
    epsg = int(run.outputs["REFERENCE"].partition("EPSG:")[2].rstrip("]"))
    motion = ground_truth(spec, x, y, epsg).displacement
    left, top, radius = area_of(run)
    inside = np.hypot(x - left, y - top) <= radius
    # Of all pairs the same pixels count.
    inside &= (dataset.valid_pairs == dataset.sizes["pair"]).values
    return motion - np.median(motion[:, inside], axis=1)[:, None, None]


def check_against_truth(spec, run, tolerance):
    dataset = xr.open_dataset(run.netcdf)
    expected = truth_of(spec, dataset, run)
    known = np.isfinite(dataset.displacement.values)
    is_connected = (dataset.gap_count == 0).values
    assert is_connected.mean() > 0.1
    error = np.abs(dataset.displacement.values - expected)[:, is_connected]
    assert np.isfinite(error).all() and error.max() < tolerance
    assert known.any(axis=0).mean() == known.all(axis=0).mean()
    return dataset


def test_displacement_is_the_truth(moving, inverted):
    dataset = check_against_truth(moving.spec, inverted, AUTO_TOLERANCE)
    measured = (dataset.mask == 0).values
    assert (dataset.displacement[0].values[measured] == 0).all()
    assert np.isnan(dataset.displacement.values[:, ~measured]).all()
    assert np.nanstd(dataset.displacement[-1]) > 1e-3
    pairs = inverted.outputs["PAIRS"]
    assert pairs == dataset.sizes["pair"] == 15
    assert inverted.outputs["DATES"] == dataset.sizes["time"]
    assert inverted.outputs["COMPONENTS"] == 1


@pytest.mark.parametrize("kind", ["INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def test_products_made_with_isce(kind, tmp_path, tmp_path_factory):
    stack = samples(
        tmp_path_factory,
        product_type=kind,
        products=7,
        rows=50,
        columns=60,
        noise=False,
        sidecars=False,
        neighbor_zone_share=0.0,
        layers=("unw_phase", "corr"),
        signals=MOVING,
    )
    built = build(stack.folder, NETCDF=tmp_path / "pairs.nc")
    run = invert(built.netcdf, NETCDF=tmp_path / "d.nc")
    check_against_truth(stack.spec, run, 2e-4)


def test_all_outputs_hold_the_same(inverted):
    from_file = xr.open_dataset(inverted.netcdf)
    for group in (SPATIAL_GROUP, TEMPORAL_GROUP):
        from_store = xr.open_zarr(inverted.zarr, group=group)
        assert set(from_store.variables) == set(from_file.variables)
        for name, variable in from_file.variables.items():
            xr.testing.assert_equal(
                xr.DataArray(variable.values), xr.DataArray(from_store[name].values)
            )


def test_layout(moving_stack, inverted):
    raw = xr.open_dataset(inverted.netcdf, decode_cf=False)
    source = xr.open_dataset(moving_stack.netcdf, decode_cf=False)
    maps = [name for name, item in raw.variables.items() if item.dims[-2:] == ("y", "x")]
    assert json.loads(raw.attrs[RECORD])["maps"] == maps
    assert {"dem", "lv_theta", "water_mask"} <= set(maps)
    for name in maps:
        attributes = raw[name].attrs
        assert attributes["grid_mapping"] == "spatial_ref"
        is_mask = raw[name].dtype == np.uint8
        fill = attributes["_FillValue"]
        assert fill == 255 if is_mask else np.isnan(fill)
    for name in ("dem", "lv_theta", "water_mask"):
        assert np.array_equal(raw[name], source[name], equal_nan=name != "water_mask")
        assert raw[name].attrs["long_name"] == source[name].attrs["long_name"]
    assert raw.spatial_ref.attrs["GeoTransform"] == source.spatial_ref.attrs["GeoTransform"]
    times = xr.open_dataset(inverted.netcdf).time
    starts = xr.open_dataset(moving_stack.netcdf).acquisition_time
    after = (times.values - starts.values) / np.timedelta64(1, "s")
    assert ((after > 5) & (after < 30)).all()
    bounds = xr.open_dataset(inverted.netcdf).time_bnds
    assert (bounds.mean("nv") == times).all() and (bounds[:, 0] == starts.values).all()
    assert np.allclose(raw.x_bnds.mean("nv"), raw.x) and np.allclose(raw.y_bnds.mean("nv"), raw.y)
    store = zarr.open_group(inverted.zarr, mode="r", use_consolidated=False)
    for group in (SPATIAL_GROUP, TEMPORAL_GROUP):
        for name in maps:
            assert "PROJCRS" in store[group][name].attrs["_CRS"]["wkt"]


def test_provenance(inverted):
    dataset = xr.open_dataset(inverted.netcdf)
    settings = json.loads(dataset.attrs[RECORD])["settings"]
    assert settings["WEIGHTS"] == "variance" and settings["GAPS"] == "minimum_norm"
    assert settings["REFERENCE_AREA"] == dataset.attrs["reference_area"]
    before, own = dataset.attrs["history"].splitlines()
    assert "hyp3:buildstack" in before
    assert "hyp3:invertstack INPUT=pairs.zarr NETCDF=displacement.nc" in own
    assert np.isfinite(dataset.pair_reference_phase).all()
    assert (dataset.pair_residual_rms < 0.02).all()


def test_velocity_and_step(moving, moving_stack, inverted, tmp_path):
    day = np.datetime64(moving.spec.start) + MOVING.step_day
    x, y, _ = area_of(inverted)
    run = invert(
        moving_stack.netcdf, NETCDF=tmp_path / "d.nc", STEPS=str(day), REFERENCE_AREA=f"{x},{y},50"
    )
    dataset = xr.open_dataset(run.netcdf)
    expected = truth_of(moving.spec, dataset, run)
    connected = (dataset.gap_count == 0).values
    name = f"step_{str(day).replace('-', '')}"
    after = int(np.searchsorted(dataset.time.values, day))
    years = (dataset.time.values - dataset.time.values[0]) / np.timedelta64(1, "D") / 365.25
    velocity = (expected[1] - expected[0]) / (years[1] - years[0])
    jump = expected[after] - expected[after - 1] - velocity * (years[after] - years[after - 1])
    assert np.abs(dataset.velocity.values - velocity)[connected].max() < 1e-5
    assert np.abs(dataset[name].values - jump)[connected].max() < 1e-6
    assert np.nanmax(dataset.velocity_standard_error.values[connected]) < 1e-5


def test_the_reference_area_is_the_users(moving, moving_stack, inverted, tmp_path):
    first = xr.open_dataset(inverted.netcdf)
    whole = (first.valid_pairs == first.sizes["pair"]).values
    row, column = np.argwhere(whole)[-1]
    x, y = float(first.x[column]), float(first.y[row])
    run = invert(
        moving_stack.netcdf,
        NETCDF=tmp_path / "d.nc",
        REFERENCE_AREA=f"{x},{y},50",
    )
    assert area_of(run) == (x, y, 50.0)
    dataset = check_against_truth(moving.spec, run, 2e-7)
    assert np.abs(dataset.displacement[:, row, column]).max() < 1e-9
    assert (dataset.pair_residual_rms < 1e-5).all()


def test_the_stacks_own_reference_point(moving, tmp_path):
    built = build(moving.folder, NETCDF=tmp_path / "pairs.nc", REFERENCE_POINT="auto")
    run = invert(built.netcdf, NETCDF=tmp_path / "d.nc")
    stack = xr.open_dataset(built.netcdf)
    assert area_of(run)[:2] == (stack.reference_point_x, stack.reference_point_y)
    check_against_truth(moving.spec, run, 2e-4)


def test_part_of_the_stack(moving_stack, inverted, tmp_path):
    whole = xr.open_dataset(inverted.netcdf)
    x, y, radius = area_of(inverted)
    spacing = float(whole.x[1] - whole.x[0])
    west, east = x - 8 * spacing, x + 6 * spacing
    run = invert(
        moving_stack.netcdf,
        NETCDF=tmp_path / "d.nc",
        REFERENCE_AREA=f"{x},{y},{radius}",
        EXTENT=f"{west},{east},{y - 500},{y + 700}",
    )
    part = xr.open_dataset(run.netcdf)
    assert part.sizes["x"] < whole.sizes["x"] and part.sizes["y"] < whole.sizes["y"]
    same = whole.sel(x=part.x, y=part.y)
    for name in ("displacement", "velocity", "dem", "mask", "temporal_coherence"):
        assert np.allclose(part[name], same[name], atol=1e-6, equal_nan=True), name


def test_part_of_the_period(moving_stack, inverted, tmp_path):
    times = xr.open_dataset(inverted.netcdf).time.values.astype("datetime64[D]")
    run = invert(moving_stack.netcdf, NETCDF=tmp_path / "d.nc", START=times[1], END=times[-2])
    found = xr.open_dataset(run.netcdf)
    assert (found.time.values.astype("datetime64[D]") == times[1:-1]).all()
    assert run.outputs["PAIRS"] < 15


def test_a_network_of_two_parts_is_told(moving, tmp_path):
    times = sorted({product.reference_time for product in moving.products})
    middle = times[len(times) // 2]
    kept = [
        product.name
        for product in moving.products
        if product.secondary_time < middle or product.reference_time >= middle
    ]
    built = build(moving.folder, NETCDF=tmp_path / "pairs.nc", PRODUCTS=",".join(kept))
    run = invert(built.netcdf, NETCDF=tmp_path / "d.nc")
    assert run.outputs["COMPONENTS"] == 2
    assert any("consists of 2 parts" in text for text in run.warnings)
    dataset = xr.open_dataset(run.netcdf)
    assert (dataset.gap_count.values[(dataset.mask == 0).values] >= 1).all()
    assert dataset.attrs["component_count"] == 2


def test_frames_of_one_pass_are_one_acquisition(moving_stack, inverted, tmp_path):
    """hyp3-lib #257: slices drift, so that products of a date begin with other frames."""
    path = tmp_path / "drifting.nc"
    shutil.copyfile(moving_stack.netcdf, path)
    with netCDF4.Dataset(path, "a") as stack:
        times = stack["reference_time"]
        times[4] -= {"seconds": 25, "milliseconds": 25_000}[times.units.partition(" ")[0]]
    run = invert(path, NETCDF=tmp_path / "d.nc")
    assert run.outputs["DATES"] == inverted.outputs["DATES"]
    found, expected = (xr.open_dataset(each.netcdf) for each in (run, inverted))
    assert np.array_equal(found.gap_count, expected.gap_count, equal_nan=True)
    assert np.nanmax(np.abs(found.displacement.values - expected.displacement.values)) < 1e-6


def test_gaps_along_lines(moving_stack, inverted, tmp_path):
    run = invert(moving_stack.netcdf, NETCDF=tmp_path / "d.nc", GAPS="linear")
    found, expected = (xr.open_dataset(each.netcdf) for each in (run, inverted))
    assert np.array_equal(found["mask"], expected["mask"])
    connected = (expected.gap_count == 0).values
    change = np.abs(found.displacement.values - expected.displacement.values)
    assert change[:, connected].max() < 1e-6 and np.nanmax(change) > 1e-6


def test_static_layers_of_every_pair_and_rounded_phase(moving, inverted, tmp_path):
    built = build(
        moving.folder,
        NETCDF=tmp_path / "pairs.nc",
        STATIC_LAYERS="per_pair",
        KEEP_BITS="unw_phase=14",
    )
    run = invert(built.netcdf, NETCDF=tmp_path / "d.nc")
    dataset = check_against_truth(moving.spec, run, 5e-4)
    assert dataset.dem.dims == ("y", "x") and np.isfinite(dataset.dem).mean() > 0.5


def test_stacks_without_unwrapped_phase_or_coherence(moving, tmp_path):
    built = build(moving.folder, NETCDF=tmp_path / "pairs.nc", LAYERS="los_disp")
    run = invert(built.netcdf, NETCDF=tmp_path / "d.nc", LAYER="los_disp", WEIGHTS="none")
    check_against_truth(moving.spec, run, AUTO_TOLERANCE)
