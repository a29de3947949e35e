"""Acquisitions that go on after midnight are one in all pairs, filters, re-runs and passes."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.errors import NoProductsError
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.sample_products.tiny import (
    burst,
    gamma_name,
    multi_name,
    rtc_name,
    slc,
    write_frame,
    write_pair,
)

from ..running import build

FIRST = datetime(2022, 12, 19, 23, 59, 58, tzinfo=timezone.utc)
CYCLE = timedelta(days=12)
STARTS = [FIRST + number * CYCLE for number in range(4)]
NETWORK = ((0, 1), (1, 2), (0, 2), (2, 3))
END = timedelta(seconds=6)


def granules(start: datetime) -> list[str]:
    return [burst(56072 + part, start + timedelta(seconds=3 * part)) for part in (1, 2, 0)]


def write_network(folder: Path, *pairs: tuple[int, int], processed: str | None = None) -> list[str]:
    names = []
    for number, (one, other) in enumerate(pairs):
        name = multi_name(56072, 3, 27, STARTS[one], STARTS[other] + END, f"{number:04X}")
        sides = granules(STARTS[one]), granules(STARTS[other])
        write_pair(folder, name, *sides, processed=processed)
        names.append(name)
    return names


def utc(*times: datetime) -> list[np.datetime64]:
    return [np.datetime64(time.replace(tzinfo=None), "ns") for time in times]


def opened(path: Path) -> xr.Dataset:
    with xr.open_dataset(path, decode_coords="all") as stack:
        return stack.load()


def test_pairs_share_their_acquisitions(tmp_path: Path) -> None:
    write_network(tmp_path / "in", *NETWORK)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", ZARR=tmp_path / "s.zarr")
    assert run.warnings == []
    pairs = sorted(NETWORK)
    for stack in (
        opened(tmp_path / "s.nc"),
        xr.open_zarr(tmp_path / "s.zarr", group="spatially_optimized").load(),
    ):
        assert stack.acquisition_time.values.tolist() == np.array(utc(*STARTS)).tolist()
        assert stack.reference_acquisition.values.tolist() == [one + 1 for one, _ in pairs]
        assert stack.secondary_acquisition.values.tolist() == [other + 1 for _, other in pairs]
        assert stack.temporal_baseline.values.tolist() == [12.0 * (b - a) for a, b in pairs]
        both = np.array([utc(STARTS[a], STARTS[b]) for a, b in pairs])
        np.testing.assert_array_equal(stack.time_bnds, both)
        np.testing.assert_array_equal(stack.reference_time, both[:, 0])
        np.testing.assert_array_equal(stack.secondary_time, both[:, 1])
        np.testing.assert_array_equal(stack.time, both[:, 0] + (both[:, 1] - both[:, 0]) // 2)
        labels = [f"{STARTS[a]:%Y%m%d}_{STARTS[b]:%Y%m%d}" for a, b in pairs]
        assert stack.pair_label.values.astype(str).tolist() == labels
        # The last burst begins 6 s later and takes 3.1 s: to the nanosecond.
        ends = utc(*(start + timedelta(seconds=9.1) for start in STARTS))
        np.testing.assert_array_equal(stack.acquisition_end_time, np.array(ends))
        assert stack.attrs["number_of_acquisitions"] == 4
    assert "2022-2023" in opened(tmp_path / "s.nc").attrs["acknowledgment"]


@pytest.mark.parametrize(
    ("period", "steps"),
    [
        ((None, date(2022, 12, 31)), 1),
        ((date(2022, 12, 31), None), 2),
        ((date(2022, 12, 19), date(2023, 1, 12)), 3),
        ((date(2023, 1, 1), None), 1),
        ((date(2022, 12, 20), date(2023, 1, 11)), 0),
    ],
)
def test_days_of_filters_are_those_of_the_start(
    tmp_path: Path, period: tuple[date | None, date | None], steps: int
) -> None:
    write_network(tmp_path / "in", *NETWORK)
    options = SelectionOptions(start=period[0], end=period[1])
    if not steps:
        with pytest.raises(NoProductsError, match="4 not within START and END"):
            select_products(tmp_path / "in", options)
        return
    assert len(select_products(tmp_path / "in", options).products) == steps


def test_append_knows_acquisitions_and_reruns_again(tmp_path: Path) -> None:
    write_network(tmp_path / "in", *NETWORK[:2])
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    write_network(tmp_path / "more", *NETWORK[2:])
    # As an earlier version of hyp3-isce2 may have named it: by the first day of the secondary.
    again = multi_name(56072, 3, 27, STARTS[0], STARTS[1], "FFFF")
    write_pair(tmp_path / "more", again, granules(STARTS[0]), granules(STARTS[1]))
    run = build(tmp_path / "more", NETCDF=tmp_path / "s.nc", APPEND=True)
    assert run.outputs["STEPS"] == 4
    [said] = run.warnings
    assert said.startswith(f"{again} holds the same acquisitions as")
    stack = opened(tmp_path / "s.nc")
    np.testing.assert_array_equal(stack.acquisition_time, np.array(utc(*STARTS)))
    assert stack.acquisition_end_time.encoding["dtype"] == np.int64


def test_frames_of_slc_over_midnight(tmp_path: Path) -> None:
    for number, (one, other) in enumerate(NETWORK):
        orbits = 30000 + 175 * one, 30000 + 175 * other
        name = gamma_name(STARTS[one], STARTS[other], f"{number:04X}")
        sides = [slc(STARTS[one], orbits[0])], [slc(STARTS[other], orbits[1])]
        write_pair(tmp_path / "in", name, *sides, orbits)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    stack = opened(tmp_path / "s.nc")
    np.testing.assert_array_equal(stack.acquisition_time, np.array(utc(*STARTS)))
    ends = utc(*(start + timedelta(seconds=27) for start in STARTS))
    np.testing.assert_array_equal(stack.acquisition_end_time, np.array(ends))
    assert stack.temporal_baseline.values.tolist() == [12.0, 24.0, 12.0, 12.0]


@pytest.mark.parametrize(
    ("period", "merged", "single"),
    [
        ({"END": "2022-12-31"}, 2, 3),
        ({"START": "2023-01-01"}, 1, 3),
        ({"START": "2022-12-31", "END": "2022-12-31"}, 1, 1),
    ],
)
def test_a_merged_pass_is_of_the_day_on_which_it_begins(
    tmp_path: Path, period: dict[str, str], merged: int, single: int
) -> None:
    for start in STARTS[:3]:
        for seconds in (-23, 2):
            time = start + timedelta(seconds=seconds)
            orbit = 30000 + 175 * STARTS.index(start)
            write_frame(tmp_path / "in", rtc_name(time), slc(time, orbit, "GRDH"))
    both = build(tmp_path / "in", NETCDF=tmp_path / "m.nc", MERGE_PASSES=True, **period)
    assert both.outputs["STEPS"] == merged
    stack = opened(tmp_path / "m.nc")
    assert all(len(str(names).split()) == 2 for names in stack.product_name.values)
    np.testing.assert_array_equal(
        stack.time_bnds[:, 1] - stack.time_bnds[:, 0], np.timedelta64(52, "s")
    )
    apart = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", **period)
    assert apart.outputs["STEPS"] == single
