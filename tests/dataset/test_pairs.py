"""The pairs of a network: their order, times and baselines, against the samples' truth."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.dataset.steps import pair_coordinates
from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.parameter_file import ParameterFile
from hyp3_stack.core.products.product import Product
from hyp3_stack.core.selection.acquisition_times import acquisition_times, in_step_order
from tests.sample_products import SampleStack

from ..running import Run

BURST = "S1_056072_IW2_20220814_20220907_VV_INT80_E09B"
MULTI = "S1_044_000000s1n00-093117s2n01-093118s3n01_IW_20250718_20250730_VV_INT80_B4FA"


@pytest.fixture(scope="module", params=["netcdf", "spatially_optimized", "temporally_optimized"])
def stack(request: pytest.FixtureRequest, built: Run) -> xr.Dataset:
    if request.param == "netcdf":
        return xr.open_dataset(built.netcdf, decode_coords="all").load()
    options = {"decode_coords": "all", "chunks": None}
    return xr.open_zarr(built.zarr, group=request.param, **options).load()


def utc(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(timezone.utc).replace(tzinfo=None), "ns")


def product(name: str, parameters: str | None = None) -> Product:
    parsed = parse_name(name)
    assert parsed is not None
    text = None if parameters is None else ParameterFile(parameters)
    return Product(parsed, Path("/nowhere") / name, "", (), text)


def test_pairs_against_truth(gamma: SampleStack, stack: xr.Dataset) -> None:
    truth = sorted(gamma.products, key=lambda p: (p.reference_time, p.secondary_time))
    assert list(stack.pair.values) == [1, 2, 3, 4, 5, 6]
    assert list(stack.product_name.values.astype(str)) == [p.name for p in truth]
    assert list(stack.pair_label.values.astype(str)) == [p.name[5:36] for p in truth]
    references = np.array([utc(p.reference_time) for p in truth])
    secondaries = np.array([utc(p.secondary_time) for p in truth])
    np.testing.assert_array_equal(stack.reference_time.values, references)
    np.testing.assert_array_equal(stack.secondary_time.values, secondaries)
    np.testing.assert_array_equal(stack.time.values, references + (secondaries - references) // 2)
    np.testing.assert_array_equal(
        stack.time_bnds.values, np.stack([references, secondaries], axis=1)
    )
    np.testing.assert_allclose(
        stack.temporal_baseline.values,
        (secondaries - references) / np.timedelta64(1, "D"),
        rtol=0,
        atol=1e-9,
    )
    np.testing.assert_array_equal(
        stack.perpendicular_baseline.values, [p.perpendicular_baseline for p in truth]
    )
    assert stack.perpendicular_baseline.attrs["units"] == "m"
    assert stack.temporal_baseline.dtype == np.float64


def test_pairs_may_share_a_middle_time(gamma: SampleStack, stack: xr.Dataset) -> None:
    """So that time cannot be the dimension; the sample network has such pairs."""
    hours = stack.time.values.astype("datetime64[h]")
    assert len(set(hours)) < len(hours)
    assert stack.unw_phase.dims == ("pair", "y", "x")


def test_acquisitions(gamma: SampleStack, stack: xr.Dataset) -> None:
    times = sorted(
        {p.reference_time for p in gamma.products} | {p.secondary_time for p in gamma.products}
    )
    np.testing.assert_array_equal(stack.acquisition_time.values, [utc(time) for time in times])
    assert list(stack.acquisition.values) == list(range(1, len(times) + 1))
    for number, time in (
        ("reference_acquisition", "reference_time"),
        ("secondary_acquisition", "secondary_time"),
    ):
        np.testing.assert_array_equal(
            stack.acquisition_time.values[stack[number].values - 1], stack[time].values
        )


def test_times_are_numbers_with_units(built: Run) -> None:
    with xr.open_dataset(built.netcdf, decode_times=False) as stack:
        for name in ("time", "reference_time", "secondary_time", "acquisition_time"):
            assert stack[name].dtype == np.float64
            assert " since 2014-01-01" in stack[name].attrs["units"]
            assert stack[name].attrs["calendar"] == "standard"
        assert stack.time.attrs["bounds"] == "time_bnds"
        assert stack.time_bnds.dims == ("pair", "nv")


def test_order_is_by_reference_then_secondary_time_then_name() -> None:
    names = [
        "S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_0001",
        "S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_0002",
        "S1AA_20230106T015136_20230130T015136_VVP024_INT80_G_ueF_0000",
        "S1BA_20230118T015137_20230130T015136_VVP012_INT80_G_ueF_0000",
        "S1AA_20230119T015137_20230120T015136_VVP012_INT80_G_ueF_0000",
    ]
    products = [product(name) for name in reversed(names)]
    assert [str(item) for item in in_step_order(products, lambda item: item)] == names


def test_granules_tell_the_time_of_day_of_isce_products() -> None:
    burst = product(
        BURST,
        "Reference Granule: S1_056072_IW2_20220814T125829_VV_67BC-BURST\n"
        "Secondary Granule: S1_056072_IW2_20220907T125830_VV_97A5-BURST\n",
    )
    assert acquisition_times(burst) == (
        datetime(2022, 8, 14, 12, 58, 29, tzinfo=timezone.utc),
        datetime(2022, 9, 7, 12, 58, 30, tzinfo=timezone.utc),
    )
    several = product(
        MULTI,
        "Reference Granule: S1_093118_IW3_20250718T172125_VV_238F-BURST, "
        "S1_093117_IW2_20250718T172122_VV_238F-BURST\n"
        "Secondary Granule: S1_093118_IW3_20250730T172125_VV_6465-BURST, "
        "S1_093117_IW2_20250730T172121_VV_6465-BURST\n",
    )
    first, second = acquisition_times(several)
    assert (first.hour, first.second, second.second) == (17, 22, 21), "the earliest burst"


@pytest.mark.parametrize(
    "parameters",
    [None, "", "Reference Granule: none\n", "Reference Granule: S1_1_IW2_20200101T000001_VV\n"],
)
def test_days_stand_where_no_granule_tells(parameters: str | None) -> None:
    item = product(BURST, parameters)
    assert acquisition_times(item) == item.name.times
    pairs = pair_coordinates([item])
    assert pairs["temporal_baseline"].values[0] == 24
    assert str(pairs["pair_label"].values[0]) == "20220814_20220907"
    assert np.isnan(pairs["perpendicular_baseline"].values[0])


def test_baselines_of_odd_parameter_files() -> None:
    name = "S1AA_20230106T015136_20230118T015137_VVP012_INT80_G_ueF_0001"
    for text, expected in (
        ("Baseline: -107.25\n", -107.25),
        ("baseline : 5\n", 5.0),
        ("Baseline: none\n", np.nan),
        ("Baseline: nan\n", np.nan),
        ("Baseline:\n", np.nan),
        ("", np.nan),
    ):
        found = pair_coordinates([product(name, text)])["perpendicular_baseline"].values
        np.testing.assert_array_equal(found, [expected])
