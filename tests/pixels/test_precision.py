"""Rounding to fewer mantissa bits: the arithmetic, what is told of it, and what stays exact."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.pixels.precision import (
    Precision,
    largest_relative_error,
    parse_keep_bits,
    round_mantissa,
)
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.sample_products import SampleStack

from ..running import Run, build, samples

GROUPS = ("spatially_optimized", "temporally_optimized")
INSAR = PRODUCT_TYPES["INSAR_GAMMA"].layers
TINY = np.finfo("float32").tiny
LARGEST = np.finfo("float32").max


def numbers(count: int = 100_000) -> np.ndarray:
    """Return float32 numbers of all signs and sizes, as a raster."""
    random = np.random.default_rng(7)
    sizes = 10.0 ** random.uniform(-37, 38, count)
    return (sizes * random.choice([-1, 1], count)).astype("float32").reshape(-1, 100)


def rounded(values: Any, bits: int) -> np.ndarray:
    result = np.atleast_2d(np.array(values, "float32"))
    round_mantissa(result, bits)
    return result


# --- arithmetic ---------------------------------------------------------------------------------


@pytest.mark.parametrize("bits", range(1, 23))
def test_the_error_stays_below_its_bound_and_reaches_it(bits: int) -> None:
    exact = numbers()
    found = rounded(exact, bits)
    error = np.abs(found.astype(float) - exact) / np.abs(exact.astype(float))
    assert error.max() <= largest_relative_error(bits) == 2.0 ** -(bits + 1)
    # Half a step off the values that lie just above half a step.
    assert error.max() > 0.98 / (1.0 + 2.0 ** (bits + 1))
    # Nothing is left in the bits that were given up.
    assert not (found.view("uint32") & np.uint32((1 << (23 - bits)) - 1)).any()


def test_ties_go_to_the_even_neighbor() -> None:
    # With two bits: 1, 1.25, 1.5, 1.75, 2, 2.5, ...
    ties = [1.125, 1.375, 1.625, 1.875, 2.25, -1.125, -1.375]
    np.testing.assert_array_equal(rounded(ties, 2)[0], [1, 1.5, 1.5, 2, 2, -1, -1.5])
    np.testing.assert_array_equal(rounded([1.126, 1.124, 1.99], 2)[0], [1.25, 1, 2])


@pytest.mark.parametrize("bits", [1, 7, 22])
def test_what_is_no_number_stays_and_nothing_becomes_infinite(bits: int) -> None:
    special = np.array([0.0, -0.0, np.inf, -np.inf, LARGEST, -LARGEST, TINY, -TINY], "float32")
    found = rounded(special, bits)[0]
    np.testing.assert_array_equal(found.view("uint32"), special.view("uint32"))
    missing = np.array([0x7FC00000, 0x7FFFFFFF, 0xFFFFFFFF, 0x7F800001, 0xFFC00000], "uint32")
    kept = missing.copy()
    round_mantissa(kept.view("float32").reshape(1, -1), bits)
    np.testing.assert_array_equal(kept, missing)


def test_rounding_twice_changes_nothing_and_order_is_kept() -> None:
    exact = np.sort(numbers().ravel()).reshape(1, -1)
    once = rounded(exact, 5)
    np.testing.assert_array_equal(rounded(once, 5), once)
    assert (np.diff(once) >= 0).all()
    shares = rounded(np.linspace(0, 1, 10_001), 3)
    assert shares.min() == 0.0 and shares.max() == 1.0, "coherence stays within its range"


# --- parameter ----------------------------------------------------------------------------------


def test_what_is_kept_of_which_layer() -> None:
    some = parse_keep_bits(["corr=7", " amp = 8"])
    assert [some.bits(INSAR[name]) for name in ("corr", "amp", "dem")] == [7, 8, None]
    every = parse_keep_bits(["10", "unw_phase=16", "dem=23"])
    expected = {layer.name: None if layer.is_mask else 10 for layer in INSAR.values()}
    expected |= {"unw_phase": 16, "dem": None}
    assert {name: every.bits(layer) for name, layer in INSAR.items()} == expected
    assert expected["water_mask"] is None
    by_variable = parse_keep_bits(["VV_backscatter=9"])
    assert by_variable == parse_keep_bits(["VV=9"])
    assert by_variable.bits(PRODUCT_TYPES["RTC_GAMMA"].layers["VV"]) == 9
    assert parse_keep_bits([]) == Precision()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0", "1 to 23"),
        ("24", "1 to 23"),
        ("-3", "1 to 23"),
        ("7.5", "1 to 23"),
        ("many", "corr=7,amp=8"),
        ("corr", "corr=7,amp=8"),
        ("corr=", "1 to 23"),
        ("=7", "1 to 23"),
        ("corr=0", "'corr=0'"),
        ("corr=24", "'corr=24'"),
        ("corr=seven", "'corr=seven'"),
        ("corr:7", "'corr:7'"),
        ("7,8", "two numbers for all other layers"),
        ("corr=7,corr=8", "two numbers for corr"),
        ("VV=7,VV_backscatter=8", "two numbers for VV"),
        ("height=7", "not a layer of HyP3.*unw_phase, corr, amp"),
        ("water_mask=7", "water_mask.*never rounded"),
        ("7,conncomp=7", "conncomp.*never rounded"),
        ("ls_map=7", "ls_map.*never rounded"),
        ("data_mask=7", "data_mask.*never rounded"),
        ("source_frame=7", "source_frame.*never rounded"),
        ("amp=7", "amp, which is not in the stack; it can name: unw_phase, corr"),
        ("VV=7", "VV, which is not in the stack"),
    ],
)
def test_bad_values(small: SampleStack, tmp_path: Path, given: str, words: str) -> None:
    with pytest.raises(InvalidParameterError, match=f"KEEP_BITS.*{words}") as caught:
        build(small.folder, NETCDF=tmp_path / "s.nc", KEEP_BITS=given)
    text = str(caught.value)
    assert text.endswith(".") and "\n" not in text
    assert list(tmp_path.iterdir()) == []


# --- stacks -------------------------------------------------------------------------------------


def test_only_what_was_asked_for_is_rounded(gamma: SampleStack, built: Run, tmp_path: Path) -> None:
    run = build(
        gamma.folder,
        NETCDF=tmp_path / "s.nc",
        ZARR=tmp_path / "s.zarr",
        KEEP_BITS="corr=7,dem=5",
    )
    options = {"decode_cf": False}
    with xr.open_dataset(built.netcdf, **options) as one:
        for path, group in ((run.netcdf, None), *((run.zarr, name) for name in GROUPS)):
            engine = {} if group is None else {"engine": "zarr", "group": group}
            with xr.open_dataset(path, **options, **engine) as other:
                for name in one.variables:
                    if one[name].dims[-2:] != ("y", "x"):
                        continue
                    expected = one[name].values
                    bits = {"corr": 7, "dem": 5}.get(str(name))
                    if bits is not None:
                        expected = expected.copy()
                        round_mantissa(expected.reshape(-1, expected.shape[-1]), bits)
                        assert (expected != one[name].values).any()
                    if name not in ("mask_reason",):
                        np.testing.assert_array_equal(other[name].values, expected, str(name))
                    attributes = other[name].attrs
                    assert attributes.get("quantization_nsb") == bits
                    assert ("quantization" in attributes) == (bits is not None)
                # The mask agrees with the coherence that stands beside it.
                low = (other.mask_reason.values & 8) > 0
                np.testing.assert_array_equal(low, other["corr"].values < 0.1)
                means = np.nanmean(other["corr"].values.astype(float), axis=(1, 2))
                np.testing.assert_allclose(other.coherence_mean.values, means, rtol=1e-6)
                difference = "largest_difference_between_products"
                assert other.dem.attrs[difference] == one.dem.attrs[difference]
                for name in ("look_vector_x", "look_vector_z"):
                    assert other[name].values == one[name].values


def test_attributes_of_rounded_layers(small: SampleStack, tmp_path: Path) -> None:
    run = build(small.folder, NETCDF=tmp_path / "s.nc", KEEP_BITS="9")
    with netCDF4.Dataset(run.netcdf) as file:
        container = file["quantization_info"]
        assert container.algorithm == "bitround" and container.shape == ()
        assert re.match(r"HyP3 Stack version \d+\.\d+\.\d+ ", container.implementation)
        assert "1.12" in container.comment
        for name in ("unw_phase", "corr"):
            # netCDF4 has a method of this name.
            assert file[name].getncattr("quantization") == "quantization_info"
            assert file[name].quantization_nsb == 9
            assert file[name].quantization_nsb.dtype == np.int32
            assert file[name].quantization_maximum_relative_error == 2.0**-10
            assert math.isnan(file[name]._FillValue)
        for name in ("water_mask", "data_mask", "mask_reason"):
            assert not any("quantization" in key for key in file[name].ncattrs())
        assert "KEEP_BITS=9" in file.history
    for given in (None, "23"):
        run = build(small.folder, NETCDF=tmp_path / "exact.nc", LAYERS="corr", KEEP_BITS=given)
        with netCDF4.Dataset(run.netcdf) as file:
            assert "quantization_info" not in file.variables
            assert not any("KEEP_BITS" in text for text in run.infos)


def test_the_phase_stays_zero_at_reference_points(tmp_path_factory, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    layers = ("unw_phase", "corr", "los_disp")
    stack = samples(tmp_path_factory, products=4, rows=60, columns=64, noise=False, layers=layers)
    for point in (None, "auto"):
        exact = build(stack.folder, NETCDF=tmp_path / "exact.nc", REFERENCE_POINT=point)
        run = build(stack.folder, NETCDF=tmp_path / "s.nc", REFERENCE_POINT=point, KEEP_BITS="4")
        with xr.open_dataset(exact.netcdf) as one, xr.open_dataset(run.netcdf) as other:
            zeros = one.unw_phase.values == 0
            assert zeros.any()
            np.testing.assert_array_equal(other.unw_phase.values[zeros], 0)
            np.testing.assert_array_equal(one.unw_phase.isnull(), other.unw_phase.isnull())
            if point is not None:
                there = {"x": other.reference_point_x, "y": other.reference_point_y}
                assert (other.unw_phase.sel(there) == 0).all()
                assert (other.los_disp.sel(there) == 0).all()
                np.testing.assert_array_equal(one.reference_phase, other.reference_phase)
                assert one.reference_point_x == other.reference_point_x


def test_the_build_tells_what_it_rounds(tmp_path_factory, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    stack = samples(
        tmp_path_factory, products=2, rows=200, columns=200, layers=("unw_phase", "corr")
    )
    exact = build(stack.folder, NETCDF=tmp_path / "exact.nc", LAYERS="corr")
    run = build(stack.folder, NETCDF=tmp_path / "s.nc", LAYERS="corr", KEEP_BITS="corr=7")
    [layer] = [text for text in run.infos if text.startswith("KEEP_BITS")]
    assert "corr keeps 7 bits" in layer and "at most 0.39 %" in layer

    def stored(path: Path) -> int:
        import h5py

        with h5py.File(path) as file:
            return int(file["corr"].id.get_storage_size())

    assert stored(run.netcdf) < 0.7 * stored(exact.netcdf)


def test_look_vectors_come_from_exact_angles(gamma: SampleStack, tmp_path: Path) -> None:
    options = {"LOOK_VECTORS": True, "LAYERS": "lv_theta,lv_phi"}
    exact = build(gamma.folder, NETCDF=tmp_path / "exact.nc", **options)
    run = build(gamma.folder, NETCDF=tmp_path / "s.nc", KEEP_BITS="8", **options)
    with xr.open_dataset(exact.netcdf) as one, xr.open_dataset(run.netcdf) as other:
        for axis in "xyz":
            expected = one[f"look_vector_{axis}"].values.copy()
            round_mantissa(expected, 8)
            found = other[f"look_vector_{axis}"]
            np.testing.assert_array_equal(found.values, expected)
            assert found.attrs["quantization_nsb"] == 8
