"""A burst is the same burst under the names of single bursts and of several."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import xarray as xr

from hyp3_stack.core.errors import (
    InconsistentProductsError,
    InvalidParameterError,
    NoProductsError,
)
from tests.sample_products.tiny import burst, multi_name, single_name, write_pair

from ..running import Run, build

FIRST = datetime(2022, 8, 14, 12, 58, 29, tzinfo=timezone.utc)
STARTS = [FIRST + number * timedelta(days=12) for number in range(4)]
OLD, NEW = "2026-01-01T00:00:00+00:00", "2026-06-01T00:00:00+00:00"


def write(folder: Path, form: str, one: int, number: int = 56072, processed: str = OLD) -> str:
    """Write a pair of 12 days under the name of one form."""
    days = STARTS[one], STARTS[one + 1]
    product = f"{0xA000 + one:04X}"
    name = {
        "single": single_name(number, *days, product),
        "multi": multi_name(number, 1, 27, *days, product),
    }[form]
    sides = ([burst(number, day)] for day in days)
    write_pair(folder, name, *sides, (44549 + 175 * one, 44724 + 175 * one), processed=processed)
    return name


def names(run: Run) -> list[str]:
    with xr.open_dataset(run.netcdf) as stack:
        assert stack.attrs["product_type"] == "INSAR_ISCE_BURST"
        return stack.product_name.values.astype(str).tolist()


@pytest.mark.parametrize("product_type", ["auto", "INSAR_ISCE_BURST"])
def test_both_names_in_one_stack(tmp_path: Path, product_type: str) -> None:
    made = [write(tmp_path / "in", form, n) for n, form in enumerate(("single", "multi", "single"))]
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", PRODUCT_TYPE=product_type)
    assert names(run) == made and run.warnings == []
    with xr.open_dataset(run.netcdf) as stack:
        assert stack.sizes["acquisition"] == 4
        assert set(stack.orbit_relative.values) == {27}


@pytest.mark.parametrize("product_type", ["auto", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST"])
def test_new_names_alone(tmp_path: Path, product_type: str) -> None:
    made = [write(tmp_path / "in", "multi", n) for n in range(2)]
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", PRODUCT_TYPE=product_type)
    assert names(run) == made


@pytest.mark.parametrize("newer", ["single", "multi"])
def test_a_rerun_under_the_other_name_is_left_out(tmp_path: Path, newer: str) -> None:
    older = {"single": "multi", "multi": "single"}[newer]
    write(tmp_path / "in", "multi", 0)
    used = write(tmp_path / "in", newer, 1, processed=NEW)
    left = write(tmp_path / "in", older, 1)
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    assert run.outputs["STEPS"] == 2 and run.outputs["SKIPPED"] == 1
    assert used in names(run)
    [said] = run.warnings
    assert said == f"{left} and {used} hold the same acquisitions; the newer {used} is used."


@pytest.mark.parametrize(("there", "more"), [("single", "multi"), ("multi", "single")])
def test_appending_under_the_other_name(tmp_path: Path, there: str, more: str) -> None:
    held = write(tmp_path / "in", there, 0)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    again, new = (write(tmp_path / "more", more, n) for n in range(2))
    run = build(
        tmp_path / "more", NETCDF=tmp_path / "s.nc", APPEND=True, PRODUCT_TYPE="INSAR_ISCE_BURST"
    )
    assert names(run) == [held, new]
    assert any(text.startswith(f"{again} holds the same acquisitions as") for text in run.warnings)


def test_a_stack_of_new_names_takes_either_type(tmp_path: Path) -> None:
    write(tmp_path / "in", "multi", 0)
    build(tmp_path / "in", NETCDF=tmp_path / "s.nc", PRODUCT_TYPE="INSAR_ISCE_MULTI_BURST")
    write(tmp_path / "in", "multi", 1)
    for kind in ("INSAR_ISCE_MULTI_BURST", "INSAR_ISCE_BURST"):
        run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", APPEND=True, PRODUCT_TYPE=kind)
        assert len(names(run)) == 2
    with pytest.raises(InvalidParameterError, match="PRODUCT_TYPE is INSAR_GAMMA"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc", APPEND=True, PRODUCT_TYPE="INSAR_GAMMA")


def test_other_bursts_stay_others(tmp_path: Path) -> None:
    write(tmp_path / "in", "single", 0)
    write(tmp_path / "in", "multi", 1, number=56073)
    with pytest.raises(InconsistentProductsError, match="differ in their bursts"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")


def test_several_bursts_are_another_type(tmp_path: Path) -> None:
    write(tmp_path / "in", "single", 0)
    several = multi_name(56072, 2, 27, STARTS[1], STARTS[2])
    sides = ([burst(56072 + n, day) for n in range(2)] for day in STARTS[1:3])
    write_pair(tmp_path / "in", several, *sides)
    with pytest.raises(InconsistentProductsError, match="several product types"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
    run = build(tmp_path / "in", NETCDF=tmp_path / "s.nc", PRODUCT_TYPE="INSAR_ISCE_BURST")
    assert len(names(run)) == 1
    (tmp_path / "in" / several).rename(tmp_path / several)
    with pytest.raises(NoProductsError, match="no INSAR_ISCE_MULTI_BURST products"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc", PRODUCT_TYPE="INSAR_ISCE_MULTI_BURST")


def test_granules_tell_of_a_second_burst_that_a_name_hides(tmp_path: Path) -> None:
    write(tmp_path / "in", "multi", 0)
    sides = ([burst(56072 + n, day) for n in range(2)] for day in STARTS[1:3])
    write_pair(tmp_path / "in", multi_name(56072, 1, 27, STARTS[1], STARTS[2]), *sides)
    with pytest.raises(InconsistentProductsError, match="bursts .*056072 056073: 1"):
        build(tmp_path / "in", NETCDF=tmp_path / "s.nc")
