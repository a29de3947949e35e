"""A run that only plans tells everything and writes nothing."""

import shutil
from types import SimpleNamespace

import pytest

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import build_stack


@pytest.fixture
def reporter():
    return SilentReporter()


def test_a_plan_tells_grid_products_and_sizes(small, tmp_path, reporter):
    given = {
        "INPUT": str(small.folder),
        "NETCDF": str(tmp_path / "new" / "stack.nc"),
        "ZARR": str(tmp_path / "new" / "stack.zarr"),
        "REPORT": str(tmp_path / "new" / "stack.html"),
        "STAC": True,
    }
    before = sorted(path for path in small.folder.rglob("*"))
    plan = build_stack.run({**given, "PLAN_ONLY": True}, None, reporter)
    assert list(tmp_path.iterdir()) == []
    assert sorted(path for path in small.folder.rglob("*")) == before
    said = " ".join(reporter.infos)
    assert "3 products are copied bit for bit, 1 are warped, 0 are left out." in said
    assert f"{given['NETCDF']} takes about" in said and f"{given['ZARR']} takes about" in said
    assert f"The disk of {tmp_path} has" in said
    made = build_stack.run(given, None, reporter)
    figures = ("STEPS", "SKIPPED", "CRS", "WIDTH", "HEIGHT")
    assert {name: plan[name] for name in figures} == {name: made[name] for name in figures}
    assert not {"NETCDF", "ZARR", "REPORT", "STAC", "LAYERS"} & plan.keys()
    there = sum(path.stat().st_size for path in (tmp_path / "new").rglob("*") if path.is_file())
    assert 0 < plan["BYTES"] < 20 * there


def test_a_plan_of_nothing_new(small, tmp_path, reporter):
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "stack.nc"), "APPEND": True}
    build_stack.run(given, None, reporter)
    before = (tmp_path / "stack.nc").stat().st_mtime_ns
    plan = build_stack.run({**given, "PLAN_ONLY": True}, None, reporter)
    assert plan["BYTES"] == 0
    assert "would stay as it is" in " ".join(reporter.infos)
    assert (tmp_path / "stack.nc").stat().st_mtime_ns == before


def test_a_plan_that_does_not_fit_warns(small, tmp_path, reporter, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    given = {"INPUT": str(small.folder), "NETCDF": str(tmp_path / "stack.nc"), "PLAN_ONLY": True}
    build_stack.run(given, None, reporter)
    assert "free some space or choose another disk" in " ".join(reporter.warnings)
