"""The demo makes a stack that is like one of HyP3's products in all that matters."""

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.demo.demo_products import DATES, INCIDENCE, SINKING
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import assess_stack, demo_stack, invert_stack


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The outputs of the demo, and what it said."""
    reporter = SilentReporter()
    folder = tmp_path_factory.mktemp("demo") / "new"
    return demo_stack.run({"OUTPUT": str(folder)}, None, reporter), reporter


def test_products_are_copied_and_nothing_is_odd(demo):
    outputs, reporter = demo
    assert outputs["STEPS"] == 15 and outputs["SKIPPED"] == 0
    assert reporter.warnings == []
    assert "15 products are copied bit for bit, 0 are warped, 0 are left out." in reporter.infos


def test_the_stack_passes_its_assessment(demo, tmp_path):
    given = {"INPUT": demo[0]["NETCDF"], "OUTPUT": str(tmp_path / "page.html")}
    assert assess_stack.run(given, None, SilentReporter())["PROBLEMS"] == 0


def test_the_basin_sinks_as_told(demo, tmp_path):
    given = {"INPUT": demo[0]["NETCDF"], "NETCDF": str(tmp_path / "displacement.nc")}
    outputs = invert_stack.run(given, None, SilentReporter())
    assert outputs["DATES"] == DATES
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        velocity = stack["velocity"].values
    # In half a year the atmosphere stands for a centimeter a year.
    middle = np.nanmean(velocity[160:181, 150:171])
    assert middle == pytest.approx(-SINKING * math.cos(INCIDENCE), abs=0.03)
    assert np.isnan(velocity[70, 270]), "the lake has no phase"


def test_a_second_run_finds_its_products(demo):
    products = Path(demo[0]["OUTPUT"]) / demo_stack.PRODUCTS
    before = {path: path.stat().st_mtime_ns for path in products.rglob("*")}
    assert demo_stack.run({"OUTPUT": demo[0]["OUTPUT"]}, None, SilentReporter()) == demo[0]
    assert {path: path.stat().st_mtime_ns for path in products.rglob("*")} == before
