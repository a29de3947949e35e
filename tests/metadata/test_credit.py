"""What a stack says of its origin where products tell little: no invented year, no wrong blame."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import xarray as xr

from tests.running import build
from tests.sample_products.tiny import (
    burst,
    gamma_name,
    rtc_name,
    single_name,
    slc,
    write_frame,
    write_pair,
)
from tests.written_stacks import verdicts

STARTS = [
    datetime(2021, 12, 21, 1, 51, 36, tzinfo=timezone.utc) + n * timedelta(days=12)
    for n in range(3)
]
POINT = (
    "Longitude of the reference point (WGS84): -117.5\n"
    "Latitude of the reference point (WGS84): 35.5\n"
)


def write(folder: Path, kind: str, step: int = 0, processed: str | None = None) -> Path:
    days = STARTS[step], STARTS[step + 1]
    if kind == "RTC_GAMMA":
        return write_frame(folder, rtc_name(days[0]), slc(days[0], 30000, "GRDH"))
    if kind == "INSAR_GAMMA":
        sides = ([slc(day, 30000 + 175 * n)] for n, day in enumerate(days, step))
        return write_pair(folder, gamma_name(*days), *sides, processed=processed)
    sides = ([burst(56072, day)] for day in days)
    return write_pair(folder, single_name(56072, *days), *sides, processed=processed)


def credit(folder: Path) -> str:
    build(folder, NETCDF=folder / "s.nc")
    with xr.open_dataset(folder / "s.nc") as stack:
        return str(stack.attrs["acknowledgment"])


@pytest.mark.parametrize(
    ("kind", "software", "years"),
    [
        ("INSAR_GAMMA", "GAMMA", "2021-2022"),
        ("INSAR_ISCE_BURST", "ISCE2", "2021-2022"),
        ("RTC_GAMMA", "GAMMA", "2021"),
    ],
)
def test_no_year_of_processing_where_none_is_told(
    tmp_path: Path, kind: str, software: str, years: str
) -> None:
    write(tmp_path, kind)
    assert credit(tmp_path) == (
        f"ASF DAAC HyP3 using {software} software. Contains modified Copernicus Sentinel data "
        f"{years}, processed by ESA."
    )


@pytest.mark.parametrize(
    ("told", "years"),
    [
        (["2025-06-01T12:00:00+00:00", None], "2025"),
        (["2025-06-01T12:00:00+00:00", "2026-01-02T00:00:00+00:00"], "2025-2026"),
        (["soon", "2026-01-02T00:00:00+00:00"], "2026"),
    ],
)
def test_years_that_readmes_tell(tmp_path: Path, told: list[str | None], years: str) -> None:
    for step, processed in enumerate(told):
        write(tmp_path, "INSAR_ISCE_BURST", step, processed)
    assert credit(tmp_path).startswith(f"ASF DAAC HyP3 {years} using ISCE2 software.")


@pytest.mark.parametrize("kind", ["INSAR_GAMMA", "INSAR_ISCE_BURST"])
def test_who_does_not_tell_the_reference_point(tmp_path: Path, kind: str) -> None:
    write(tmp_path, kind, 0)
    second = write(tmp_path, kind, 1)
    with (second / f"{second.name}.txt").open("a") as file:
        file.write(POINT if kind == "INSAR_GAMMA" else "")
    build(tmp_path, NETCDF=tmp_path / "s.nc")
    said = verdicts(tmp_path / "s.nc")["phasun", "threshold"].explanation
    assert said.endswith("; REFERENCE_POINT sets one") or "; REFERENCE_POINT sets one;" in said
    assert ("ISCE2" in said) is (kind == "INSAR_ISCE_BURST")
    assert ("hyp3_reference_longitude is not known for 1 of 2" in said) is (kind == "INSAR_GAMMA")
