"""Stacks that were changed by hand: the assessment turns red and names what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import zarr

from hyp3_stack.core.assessment.assess import SELF_ASSESSMENT, Assessment, assess_stack

from ..written_stacks import Written
from .conftest import Assess

Change = Callable[[netCDF4.Dataset], None]


def unmet(assessment: Assessment) -> set[str]:
    return {
        item.requirement["number"]
        for item in assessment.items
        if item.is_threshold and item.verdict.status == "not met"
    }


def shift(name: str, pixels: float) -> Change:
    def change(file: netCDF4.Dataset) -> None:
        values = file[name][:]
        file[name][:] = values + pixels * (values[1] - values[0])

    return change


def without(attribute: str, variable: str | None = None) -> Change:
    def change(file: netCDF4.Dataset) -> None:
        (file if variable is None else file[variable]).delncattr(attribute)

    return change


def with_value(attribute: str, value: object, variable: str | None = None) -> Change:
    def change(file: netCDF4.Dataset) -> None:
        (file if variable is None else file[variable]).setncattr(attribute, value)

    return change


def element(name: str, position: int, value: float) -> Change:
    def change(file: netCDF4.Dataset) -> None:
        file.set_auto_mask(False)
        file[name][position] = value

    return change


def renamed(old: str, new: str) -> Change:
    def change(file: netCDF4.Dataset) -> None:
        file.renameVariable(old, new)

    return change


CHANGES: dict[str, tuple[Change, str, set[str]]] = {
    "unit of a layer removed": (without("units", "unw_phase"), "unw_phase has no units", {"2.1"}),
    "unit of a layer changed": (
        with_value("units", "furlong", "corr"), "corr is in 'furlong'", {"2.1"},
    ),
    "unit of a number removed": (
        without("units", "slant_range_near"), "slant_range_near has no unit", {"1.2"},
    ),
    "unit of a baseline changed": (
        with_value("units", "ft", "perpendicular_baseline"), "is in 'ft'", {"1.2"},
    ),
    "unit of the time removed": (without("units", "time"), "time has no unit of time", {"1.2"}),
    "x shifted by half a pixel": (shift("x", 0.5), "x lies up to 0.5 pixels off", {"1.7.10"}),
    "y shifted by a pixel": (shift("y", 1.0), "y lies up to 1 pixels off", {"1.7.7", "1.7.10"}),
    "x with one wrong value": (element("x", 7, 0.0), "x is not evenly spaced", {"1.7.10"}),
    "CRS dropped": (
        renamed("spatial_ref", "somewhere"),
        "names no grid mapping that exists",
        {"1.2", "1.7.7", "1.7.11", "4.5"},
    ),
    "WKT removed": (without("crs_wkt", "spatial_ref"), "no crs_wkt", {"1.7.11"}),
    "WKT of another zone": (
        with_value("longitude_of_central_meridian", -117.0, "spatial_ref"),
        "longitude_of_central_meridian of spatial_ref differs",
        {"1.2"},
    ),
    "grid mapping of one layer removed": (
        without("grid_mapping", "dem"), "dem has no grid_mapping", {"2.1"},
    ),
    "bounds of the pixels removed": (without("bounds", "x"), "x has no bounds", {"1.7.10"}),
    "conventions removed": (without("Conventions"), "Conventions does not name", {"1.2"}),
    "text emptied": (with_value("acknowledgment", " "), "acknowledgment is empty", {"1.3"}),
    "flags without meanings": (
        without("flag_meanings", "data_mask"), "data_mask has 0 flag meanings", {"2.1"},
    ),
    "date of a pair moved": (
        element("secondary_acquisition", 0, 1), "names other acquisitions", {"1.2"},
    ),
    "temporal baseline changed": (
        element("temporal_baseline", 0, 6.0), "temporal_baseline differs", {"1.2"},
    ),
    "address of the sources removed": (renamed("source_url", "other_url"), "", {"1.6.1"}),
    "one orbit removed": (element("orbit_relative", 0, -1), "", {"1.6.5"}),
    "look vector removed": (renamed("look_vector_x", "other_x"), "", {"1.7.13"}),
    "look vector missing": (element("look_vector_y", ..., np.nan), "", {"1.7.13"}),
    "document removed": (without("ceos_ard_document_identifier"), "", {"1.4"}),
    "size changed": (with_value("number_of_lines", 5), "", {"1.7.9"}),
    "spacing changed": (with_value("column_spacing", 20.0), "", {"1.7.3"}),
    "size in words": (with_value("number_of_lines", "many"), "", {"1.7.9"}),
    "spacing in words": (with_value("column_spacing", "wide"), "", {"1.7.3"}),
    "corners in words": (with_value("bounding_box", ["a", "b", "c", "d"]), "", {"1.7.7"}),
    "bits in words": (
        with_value("quantization_nsb", "many", "corr"), "corr has no quantization_nsb", {"2.1"},
    ),
    "time beyond the calendar": (
        element("acquisition_time", 0, 1e30), "names other acquisitions", {"1.2"},
    ),
    "transform without width": (
        with_value("GeoTransform", "0 0 0 0 0 0", "spatial_ref"), "has no width", {"1.2"},
    ),
    "mask removed": (renamed("data_mask", "my_mask"), "", {"2.2"}),
    "correction statement removed": (without("ceos_ionospheric_phase_correction"), "", {"1.7.22"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_changes_to_a_file(
    gamma_stack: Written, assessed: Assess, file_copy: Path, name: str
) -> None:
    change, problem, numbers = CHANGES[name]
    before = assessed(gamma_stack.netcdf)
    with netCDF4.Dataset(file_copy, "a") as file:
        change(file)
    after = assess_stack(file_copy)
    assert numbers <= unmet(after) - unmet(before)
    assert after.count("met") < before.count("met")
    # The note in the file is no longer true, which does not go unnoticed.
    assert any(SELF_ASSESSMENT in text for text in after.problems)
    if problem:
        assert any(problem in text for text in after.problems), after.problems


def test_a_fill_value_changed_in_a_store(store_copy: Path) -> None:
    array = store_copy / "temporally_optimized" / "unw_phase" / ".zarray"
    text = array.read_text()
    assert '"fill_value": "NaN"' in text
    array.write_text(text.replace('"fill_value": "NaN"', '"fill_value": 0.0'))
    after = assess_stack(store_copy)
    problems = [text for text in after.problems if SELF_ASSESSMENT not in text]
    assert problems == [
        "s.zarr/temporally_optimized: the fill value of unw_phase is 0.0 instead of NaN",
    ]
    assert "2.1" in unmet(after)


def test_a_store_whose_conventions_disagree(store_copy: Path) -> None:
    group = zarr.open_group(
        store_copy, path="spatially_optimized", mode="r+", use_consolidated=False
    )
    transform = group["corr"].attrs["spatial:transform"]
    group["corr"].attrs["spatial:transform"] = [*transform[:2], transform[2] + 80, *transform[3:]]
    del group["dem"].attrs["_CRS"]
    problems = [text for text in assess_stack(store_copy).problems if SELF_ASSESSMENT not in text]
    assert any("spatial:transform of corr differs" in text for text in problems)
    assert any("dem has no _CRS" in text for text in problems)
    assert len(problems) == 2
