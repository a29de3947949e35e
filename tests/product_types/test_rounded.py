"""Rounded layers of every product type against the exact ones, and what checkers say of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import netCDF4
import numpy as np
import pytest

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.assessment.test_conventions import HARMLESS, messages, run_checker

from .conftest import Built, Stacker

BITS = 7


@pytest.fixture(scope="session")
def rounded(built: Built, stacker: Stacker) -> Built:
    spec = built.samples.spec
    options = {"product_type": spec.product_type, "water_masked": spec.water_masked}
    return stacker(options, STATIC_LAYERS="per_pair", KEEP_BITS=str(BITS))


def test_no_value_changes_more_than_promised(built: Built, rounded: Built) -> None:
    floats = 0
    for layer in PRODUCT_TYPES[built.samples.spec.product_type].layers.values():
        if layer.variable not in built.stack:
            continue
        exact = built.stack[layer.variable].values
        found = rounded.stack[layer.variable].values
        if layer.is_mask:
            np.testing.assert_array_equal(found, exact, err_msg=layer.name)
            continue
        floats += 1
        np.testing.assert_array_equal(np.isnan(found), np.isnan(exact), err_msg=layer.name)
        np.testing.assert_array_equal(found == 0, exact == 0, err_msg=layer.name)
        present = np.isfinite(exact) & (exact != 0)
        sizes = np.abs(exact[present].astype(float))
        error = np.abs(found[present] - exact[present].astype(float)) / sizes
        limit = rounded.stack[layer.variable].attrs["quantization_maximum_relative_error"]
        assert limit == 2.0 ** -(BITS + 1)
        assert error.max() <= limit, layer.name
        # Heights of some products are whole numbers, of which small ones need no more bits.
        assert layer.name == "dem" or error.max() > limit / 2, layer.name
    assert floats >= 5
    np.testing.assert_array_equal(rounded.stack.data_mask, built.stack.data_mask)


def test_the_assessment_finds_nothing(rounded: Built) -> None:
    assert assess_stack(rounded.run.netcdf).problems == ()


@pytest.mark.parametrize("built", ["INSAR_GAMMA", "RTC_GAMMA"], indirect=True)
def test_the_checker_of_cf_finds_nothing(rounded: Built, tmp_path: Path) -> None:
    """With all layers of pairs, and of backscatter; that of ISCE has some of the former."""
    found = run_checker(rounded.run.netcdf, "cf:1.11", tmp_path / "cf.json")
    assert [m for m in messages(found) if not any(text in m[1] for text in HARMLESS)] == []


@pytest.mark.parametrize(
    ("variable", "attribute", "value", "problem"),
    [
        ("corr", "quantization_nsb", None, "corr has no quantization_nsb from 1 to 23"),
        ("corr", "quantization_nsb", 24, "corr has no quantization_nsb from 1 to 23"),
        ("corr", "quantization", "nowhere", "the quantization of corr has no algorithm"),
        ("quantization_info", "implementation", " ", "of unw_phase has no implementation"),
        ("water_mask", "quantization", "quantization_info", "water_mask is rounded but holds no"),
    ],
)
def test_the_assessment_notices_what_is_wrong(
    stacker: Stacker,
    tmp_path: Path,
    variable: str,
    attribute: str,
    value: object,
    problem: str,
) -> None:
    layers = ("unw_phase", "corr", "water_mask")
    path = stacker({"layers": layers}, KEEP_BITS="7").run.netcdf
    changed = Path(shutil.copy(path, tmp_path / "s.nc"))
    with netCDF4.Dataset(changed, "a") as file:
        if value is None:
            file[variable].delncattr(attribute)
        else:
            file[variable].setncattr(attribute, value)
    assert any(problem in text for text in assess_stack(changed).problems)
