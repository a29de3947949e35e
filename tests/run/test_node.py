"""Products around the ascending node, where the number of the path steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import InconsistentProductsError
from tests.sample_products.tiny import (
    CALIFORNIA,
    EQUATOR,
    Place,
    burst,
    gamma_name,
    multi_name,
    rtc_name,
    single_name,
    slc,
    write_frame,
    write_pair,
)

from ..running import build

FIRST = datetime(2022, 8, 14, 15, 30, tzinfo=timezone.utc)
STARTS = [FIRST + number * timedelta(days=12, seconds=7) for number in range(4)]
PATH_43 = 73 + 42
"""An orbit of Sentinel-1A on path 43."""


def orbit(path: int, cycle: int) -> int:
    return PATH_43 + 175 * (250 + cycle) + path - 43


def write_bursts(folder: Path, cycle: int, path: int, number: int = 92365, count: int = 2) -> str:
    days = STARTS[cycle], STARTS[cycle + 1]
    name = multi_name(number, count, path, *days, f"{cycle:04X}")
    sides = ([burst(number + n, day) for n in range(count)] for day in days)
    orbits = orbit(path, cycle), orbit(path, cycle + 1)
    write_pair(folder, name, *sides, orbits, EQUATOR)
    return name


def write_frames(
    folder: Path, cycle: int, path: int, place: Place = EQUATOR, direction: str = "ASCENDING"
) -> str:
    days = STARTS[cycle], STARTS[cycle + 1]
    name = gamma_name(*days, f"{cycle:04X}")
    orbits = orbit(path, cycle), orbit(path, cycle + 1)
    sides = ([slc(day, number)] for day, number in zip(days, orbits, strict=True))
    write_pair(folder, name, *sides, orbits, place, direction)
    return name


def paths(stack: Path) -> list[int]:
    with xr.open_dataset(stack) as opened:
        return opened.orbit_relative.values.astype(int).tolist()


@pytest.mark.parametrize(("before", "after", "number"), [(43, 44, 92365), (175, 1, 375887)])
def test_bursts_on_two_paths(tmp_path: Path, before: int, after: int, number: int) -> None:
    for cycle, path in enumerate((before, after, before)):
        write_bursts(tmp_path / "in", cycle, path, number)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 3 and run.warnings == []
    # The path in a name is that of its reference.
    assert paths(tmp_path / "s.nc") == [before, after, before, before]


def test_a_single_burst_under_both_names(tmp_path: Path) -> None:
    write_bursts(tmp_path / "in", 0, 43, count=1)
    days = STARTS[1], STARTS[2]
    sides = ([burst(92365, day)] for day in days)
    # ESA numbers the burst behind the node, its granule began before it.
    orbits = orbit(43, 1), orbit(43, 2)
    write_pair(tmp_path / "in", single_name(92365, *days), *sides, orbits, EQUATOR)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 2
    assert paths(tmp_path / "s.nc") == [43, 43, 43]
    with xr.open_dataset(tmp_path / "s.nc") as stack:
        assert set(stack.satellite.values.astype(str)) == {"Sentinel-1A"}


def test_frames_on_two_paths(tmp_path: Path) -> None:
    write_frames(tmp_path / "in", 0, 43)
    write_frames(tmp_path / "in", 2, 44)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 2
    assert paths(tmp_path / "s.nc") == [43, 43, 44, 44]


def test_appending_what_bears_the_other_path(tmp_path: Path) -> None:
    write_bursts(tmp_path / "in", 0, 43)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    write_bursts(tmp_path / "more", 1, 44)
    run = build(tmp_path / "more", NETCDF=tmp_path / "s.nc", APPEND=True)
    assert run.outputs["STEPS"] == 2


@pytest.mark.parametrize(("path", "warned"), [(44, False), (45, True)])
def test_backscatter_is_warned_of_really_different_paths(
    tmp_path: Path, path: int, warned: bool
) -> None:
    for cycle, number in enumerate((43, path)):
        granule = slc(STARTS[cycle], orbit(number, cycle), "GRDH")
        write_frame(tmp_path / "in", rtc_name(STARTS[cycle]), granule, EQUATOR)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert any("differ in their path" in text for text in run.warnings) is warned


@pytest.mark.parametrize(
    "write",
    [
        lambda folder: [write_bursts(folder, 0, 43), write_bursts(folder, 1, 45)],
        lambda folder: [write_frames(folder, 0, 43), write_frames(folder, 2, 41)],
        lambda folder: [write_frames(folder, c, p, CALIFORNIA) for c, p in ((0, 43), (2, 44))],
        lambda folder: [write_frames(folder, 0, 175), write_frames(folder, 2, 2)],
        lambda folder: [
            write_frames(folder, c, p, direction="DESCENDING") for c, p in ((0, 43), (2, 44))
        ],
    ],
    ids="bursts|frames|away from the node|over the end of the cycle|descending".split("|"),
)
def test_really_different_paths_are_refused(
    tmp_path: Path, write: Callable[[Path], list[str]]
) -> None:
    made = write(tmp_path / "in")
    with pytest.raises(InconsistentProductsError) as caught:
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert "differ in their path" in str(caught.value)
    assert all(name in str(caught.value) for name in made)
    assert "put the products of each kind into a folder of their own" in str(caught.value)


def test_other_bursts_at_the_node_are_refused(tmp_path: Path) -> None:
    write_bursts(tmp_path / "in", 0, 43)
    write_bursts(tmp_path / "in", 1, 44, number=92366)
    with pytest.raises(InconsistentProductsError, match="differ in their bursts"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
