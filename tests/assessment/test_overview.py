"""What the report says first: facts, attention, the map of the area, small maps, the table."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from hyp3_stack.core.assessment.area_map import draw_area
from hyp3_stack.core.assessment.overview import Overview, StepFacts, gaps, read_overview
from hyp3_stack.core.assessment.page import step_table
from hyp3_stack.core.assessment.pictures import read_thumbnails
from hyp3_stack.core.files.written_stack import open_stack_groups

from ..written_stacks import Written

Change = Callable[[netCDF4.Dataset], None]


def overview_of(path: Path) -> Overview:
    with open_stack_groups(path) as opened:
        return read_overview(opened[0])


@pytest.fixture
def changed(file_copy: Path) -> Callable[[Change], Overview]:
    """Return a function that gives the overview of a stack in which something was changed."""

    def make(change: Change) -> Overview:
        with netCDF4.Dataset(file_copy, "a") as file:
            file.set_auto_mask(False)
            change(file)
        return overview_of(file_copy)

    return make


def test_facts_are_those_of_the_stack(gamma_stack: Written) -> None:
    facts = dict(overview_of(gamma_stack.netcdf).facts)
    with gamma_stack.open() as stack:
        first = str(stack["reference_time"].values.min())[:10]
        last = str(stack["secondary_time"].values.max())[:10]
        assert facts["Period"].startswith(f"{first} to {last} (")
        sizes = stack.sizes
        assert facts["Pairs"] == f"{sizes['pair']}, of {sizes['acquisition']} acquisitions"
        path, ascending = (int(stack[name][0]) for name in ("orbit_relative", "pass_direction"))
        direction = "ascending" if ascending else "descending"
        assert facts["Path, direction"] == f"path {path}, {direction}"
        shares = 100 * stack["valid_fraction"].values
        assert facts["Data"].startswith(f"{shares.min():.0f} to {shares.max():.0f} %")
        left, bottom, right, top = stack.attrs["bounding_box"]
    assert facts["Area"].endswith(f"{(right - left) / 1000:.0f} x {(top - bottom) / 1000:.0f} km")


def test_steps_are_the_pairs(gamma_stack: Written) -> None:
    steps = overview_of(gamma_stack.netcdf).steps
    with gamma_stack.open() as stack:
        days = stack["temporal_baseline"].values
        assert [step.days for step in steps] == pytest.approx(
            days.astype("timedelta64[D]").astype(float) if days.dtype.kind == "m" else days
        )
        assert [step.baseline for step in steps] == pytest.approx(
            stack["perpendicular_baseline"].values
        )
        assert [step.coherence for step in steps] == pytest.approx(stack["coherence_mean"].values)
        assert [step.valid for step in steps] == pytest.approx(stack["valid_fraction"].values)


def test_steps_with_little_data_or_coherence_are_named(
    changed: Callable[[Change], Overview],
) -> None:
    def spoil(file: netCDF4.Dataset) -> None:
        file["valid_fraction"][1] = 0.01
        file["coherence_mean"][2] = 0.1

    found = changed(spoil)
    second, third = found.steps[1].label, found.steps[2].label
    assert any(text.startswith(f"{second} has less than half") for text in found.attention)
    assert f"{third} has a mean coherence below 0.25." in found.attention


def test_gaps_parts_and_lone_dates_are_named(changed: Callable[[Change], Overview]) -> None:
    def tear(file: netCDF4.Dataset) -> None:
        for name in ("reference_time", "secondary_time"):
            file[name][-1] = file[name][-1] + 400 * 86400.0

    found = changed(tear)
    last = found.steps[-1]
    texts = " ".join(found.attention)
    assert "The network has 2 parts that no pair connects" in texts
    assert re.search(rf"No acquisition from \S+ to {last.reference} \(\d+ days\)\.", texts)
    assert last.secondary in texts and "in one pair only" in texts


def test_what_is_damaged_is_left_out(changed: Callable[[Change], Overview]) -> None:
    def damage(file: netCDF4.Dataset) -> None:
        file["reference_time"].units = "nothing"
        file.footprint = "POLYGON ((1 2, 300 400))"
        file.bounding_box = "here"
        file["pass_direction"].flag_values = np.array([7.5])

    found = changed(damage)
    assert (found.steps, found.footprint, found.attention) == ((), (), ())
    assert not {"Area", "Period"} & dict(found.facts).keys()


def test_gaps_are_longer_than_usual() -> None:
    days = np.datetime64("2023-01-01") + 12 * np.array([0, 1, 2, 3, 9, 10])
    assert gaps(days) == [("2023-02-06", "2023-04-19", 72)]
    assert gaps(days[:4]) == gaps(days[:1]) == []


@pytest.mark.parametrize("kind", ["netcdf", "zarr"])
def test_small_maps_are_every_so_many_pixels(gamma_stack: Written, kind: str) -> None:
    with open_stack_groups(getattr(gamma_stack, kind)) as opened:
        found = read_thumbnails(opened[0], is_remote=False)
    assert found is not None and found.layer == "unw_phase"
    with gamma_stack.open() as stack:
        values = stack["unw_phase"].values
    assert found.steps == tuple(range(len(values)))
    stride = math.ceil(max(values.shape[1:]) / 180)
    assert np.array_equal(found.maps, values[:, ::stride, ::stride], equal_nan=True)
    assert found.low == -found.high < 0


def test_small_maps_of_backscatter_are_in_decibel(rtc_stack: Written) -> None:
    with open_stack_groups(rtc_stack.netcdf) as opened:
        found = read_thumbnails(opened[0], is_remote=True)
    assert found is not None and found.units == "dB"
    assert -60 < found.low < found.high < 30


def test_the_table_has_a_row_for_each_of_many_pairs() -> None:
    steps = [
        StepFacts(f"2020-01-{n % 28 + 1:02d}", "2021-01-01", float(n), -1.5, math.nan, n / 300)
        for n in range(300)
    ]
    table = step_table(steps, is_insar=True)
    assert table.count("<tr>") == 301 and len(table) < 100_000
    assert '<td data-value=""></td>' in table, "what is not known sorts last"
    assert '<td data-value="0.5">50 %</td>' in table


@pytest.mark.parametrize(
    ("corners", "labels"),
    [
        (((-122.0, 37.0), (-121.0, 38.0)), ("120°W", "40°N")),
        (((179.2, -18.0), (179.6, -17.0)), ("170°W", "20°S")),
        (((15.0, 78.0), (17.0, 79.0)), ("80°N",)),
    ],
)
def test_the_map_shows_land_around_the_area(
    corners: tuple[tuple[float, float], ...], labels: tuple[str, ...]
) -> None:
    drawn = draw_area(corners)
    for text in labels:
        assert f">{text}</text>" in drawn
    assert drawn.count('class="area"') == 1
    assert 'class="land"' in drawn


def test_a_small_area_is_ringed() -> None:
    assert 'class="ring"' in draw_area(((10.0, 50.0), (10.1, 50.1)))
    assert 'class="ring"' not in draw_area(((10.0, 50.0), (13.0, 52.0)))
