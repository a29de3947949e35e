"""Stacks that another program has written anew: the same displacement, or a sentence why not."""

import shutil

import netCDF4
import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.analysis.pair_selection import select_pairs
from hyp3_stack.core.contract import SPATIAL_GROUP
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.files.written_stack import open_stack
from tests.running import assert_one_sentence
from tests.written_stacks import enlarge

from .inverting import invert

CHOICES = {"WEIGHTS": "variance", "TROPOSPHERE": "height", "MIN_TEMPORAL_COHERENCE": "0"}
LAYERS = ("displacement", "velocity", "velocity_standard_error", "dem")

SIXTEEN_BITS = {"dtype": "int16", "_FillValue": -32768}
PACKINGS = {
    "unw_phase": {**SIXTEEN_BITS, "scale_factor": 0.002, "add_offset": 1.5},
    "corr": {"dtype": "uint8", "_FillValue": 255, "scale_factor": 1 / 254},
    "dem": {**SIXTEEN_BITS, "scale_factor": 0.25},
}
FILLS = {
    "unw_phase": {"_FillValue": -9999.0},
    "corr": {"_FillValue": -1.0},
    "dem": {"dtype": "int16", "_FillValue": -32768},
}


@pytest.fixture(scope="module")
def expected(moving_stack, tmp_path_factory):
    """Displacement of the stack as it was built, and the area that it is referenced to."""
    run = invert(moving_stack.netcdf, NETCDF=tmp_path_factory.mktemp("as") / "d.nc", **CHOICES)
    with xr.open_dataset(run.netcdf) as dataset:
        return dataset.load(), run.outputs["REFERENCE"]


@pytest.mark.parametrize(("name", "encodings"), [("file.nc", PACKINGS), ("store.zarr", FILLS)])
def test_packed_numbers_and_other_fill_values(moving_stack, expected, tmp_path, name, encodings):
    with xr.open_dataset(moving_stack.netcdf) as dataset:
        if name.endswith(".nc"):
            dataset.to_netcdf(tmp_path / name, encoding=encodings)
        else:
            # As a new program would, which knows nothing of how it was stored.
            dataset.drop_encoding().to_zarr(tmp_path / name, encoding=encodings, zarr_format=2)
    run = invert(tmp_path / name, NETCDF=tmp_path / "d.nc", REFERENCE_AREA=expected[1], **CHOICES)
    with xr.open_dataset(run.netcdf) as found:
        for layer in LAYERS:
            before = expected[0][layer].values
            limit = 3e-5 if layer != "dem" else 0.6
            if layer.startswith("velocity"):
                limit *= 10  # per year, of a quarter of one
            np.testing.assert_array_equal(np.isnan(found[layer]), np.isnan(before))
            assert np.nanmax(np.abs(found[layer].values - before)) < limit, layer


def rewritten(moving_stack, folder, change):
    with xr.open_dataset(moving_stack.netcdf) as dataset:
        change(dataset).to_netcdf(folder / "changed.nc")
    return folder / "changed.nc"


UNITS = (
    "days since 2020-02-29 23:59:59.500000",
    "minutes since 2023-01-01 06:30",
    "milliseconds since 1970-01-01",
    "nanoseconds since 2000-01-01T00:00:00Z",
)


def in_unit(unit, stack, folder):
    """Return a stack whose times count in another unit."""

    def change(dataset):
        for name in ("reference_time", "secondary_time", "acquisition_time"):
            dataset[name].encoding = {"units": unit, "dtype": "float64"}
        return dataset

    return rewritten(stack, folder, change)


def times_of(path):
    with open_stack(path) as stack:
        pairs = select_pairs(stack, "unw_phase", None, None, None).network
        return pairs.times, stack.instants("acquisition_time")


@pytest.mark.parametrize("unit", UNITS)
def test_times_in_other_units(moving_stack, tmp_path, unit):
    path = in_unit(unit, moving_stack, tmp_path)
    for found, before in zip(times_of(path), times_of(moving_stack.netcdf), strict=True):
        assert np.abs((found - before) / np.timedelta64(1, "s")).max() < 1e-3


def test_motion_of_times_in_another_unit(moving_stack, expected, tmp_path):
    path = in_unit(UNITS[0], moving_stack, tmp_path)
    run = invert(path, NETCDF=tmp_path / "d.nc", REFERENCE_AREA=expected[1], **CHOICES)
    with xr.open_dataset(run.netcdf) as found:
        seconds = (found.time - expected[0].time.values) / np.timedelta64(1, "s")
        assert np.abs(seconds).max() < 1e-3
        assert np.nanmax(np.abs(found.velocity - expected[0].velocity)) < 1e-7


@pytest.mark.parametrize(
    "attributes", [{"calendar": "noleap"}, {"units": "seconds since 1970-01-01 00:00:00 +02:00"}]
)
def test_times_of_which_the_instant_is_not_clear(moving_stack, tmp_path, attributes):
    path = rewritten(moving_stack, tmp_path, lambda dataset: dataset)
    with netCDF4.Dataset(path, "a") as stack:
        stack["reference_time"].setncatts(attributes)
    with pytest.raises(InvalidParameterError) as raised:
        invert(path, NETCDF=tmp_path / "d.nc")
    assert_one_sentence(raised.value, "changed.nc", "times of its pairs", "calendar")


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda d: d.transpose("y", "x", "pair", ...), ["unw_phase on the", "y, x, pair"]),
        (lambda d: d.transpose("pair", "x", "y", ...), ["pair, x, y", "transpose"]),
        (
            lambda d: d.assign(unw_phase=d.unw_phase.expand_dims("band", 1)),
            ["pair, band, y, x", "in that order"],
        ),
        (lambda d: d.assign(looks_range=d.looks_range * 0), ["looks", "coherence or none"]),
    ],
    ids=["steps last", "columns first", "a fourth dimension", "no looks"],
)
def test_what_is_refused(moving_stack, tmp_path, change, words):
    with pytest.raises(InvalidParameterError) as raised:
        invert(rewritten(moving_stack, tmp_path, change), NETCDF=tmp_path / "d.nc")
    assert_one_sentence(raised.value, "changed.nc", *words)


def test_layers_of_the_user_are_no_layers_of_the_stack(moving_stack, expected, tmp_path):
    def change(dataset):
        seasons = np.zeros((4, *dataset.dem.shape), "float32")
        every = dataset.unw_phase.expand_dims("method")
        return dataset.assign(by_season=(("season", "y", "x"), seasons), tried=every)

    path = rewritten(moving_stack, tmp_path, change)
    run = invert(path, NETCDF=tmp_path / "d.nc", REFERENCE_AREA=expected[1], **CHOICES)
    with xr.open_dataset(run.netcdf) as found:
        assert np.array_equal(found.velocity, expected[0].velocity, equal_nan=True)


def test_the_phase_of_a_small_part(moving_stack, expected, tmp_path):
    """So small that no island of phase has the area from which one counts."""
    with xr.open_zarr(moving_stack.zarr, group=SPATIAL_GROUP) as stack:
        x, y = (float(stack[axis][30]) for axis in "xy")
        spacing = float(stack.x[1] - stack.x[0])
    around = f"{x - 4 * spacing},{x + 4 * spacing},{y - 4 * spacing},{y + 4 * spacing}"
    run = invert(
        moving_stack.zarr,
        NETCDF=tmp_path / "d.nc",
        REPORT=tmp_path / "report.html",
        EXTENT=around,
        REPAIR="both",
    )
    assert (tmp_path / "report.html").exists()
    assert "There are no islands of phase to repair" in " ".join(map(str, run.infos))


def test_a_chunk_that_has_no_room(moving_stack, tmp_path):
    """It has to be decompressed as a whole, also for a few of its pixels."""
    shutil.copytree(moving_stack.zarr / SPATIAL_GROUP, tmp_path / "s.zarr")
    enlarge(tmp_path / "s.zarr", 4000, ("unw_phase", "corr"), in_one_chunk=True)
    with pytest.raises(InvalidParameterError) as caught:
        invert(tmp_path / "s.zarr", NETCDF=tmp_path / "d.nc", MEMORY="1000")
    assert_one_sentence(str(caught.value))
    assert "in chunks of 960 MB" in str(caught.value)
