"""Stacks whose content is damaged while all names are there: the assessment says what is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import zarr

from hyp3_stack.core.assessment.assess import SELF_ASSESSMENT, Assessment, assess_stack

from ..running import traced_peak
from ..written_stacks import Written, enlarge
from .conftest import Assess

Damage = Callable[[netCDF4.Dataset], None]


def value(attribute: str, new: object) -> Damage:
    return lambda file: file.setncattr(attribute, new)


def unit(variable: str, new: str) -> Damage:
    return lambda file: file[variable].setncattr("units", new)


def element(name: str, position: object, new: object) -> Damage:
    def damage(file: netCDF4.Dataset) -> None:
        file.set_auto_mask(False)
        file[name][position] = new

    return damage


def changed(name: str, change: Callable[[np.ndarray], np.ndarray]) -> Damage:
    def damage(file: netCDF4.Dataset) -> None:
        file.set_auto_mask(False)
        file[name][:] = change(file[name][:])

    return damage


def text(name: str, step: int, new: str) -> Damage:
    """Replace text, whether it is stored as strings or as characters."""

    def damage(file: netCDF4.Dataset) -> None:
        variable = file[name]
        if variable.dtype is str:
            variable[step] = new
            return
        variable.set_auto_chartostring(False)
        variable[step] = np.array([*new.encode().ljust(variable.shape[-1], b"\0")], "u1").view("S1")

    return damage


def replaced(attribute: str, old: str, new: str) -> Damage:
    def damage(file: netCDF4.Dataset) -> None:
        content = file.getncattr(attribute)
        assert old in content
        file.setncattr(attribute, content.replace(old, new))

    return damage


DAMAGES: dict[str, tuple[Damage, str]] = {
    "number of acquisitions": (value("number_of_acquisitions", 9), "number_of_acquisitions is 9"),
    "a pair counted twice": (element("pair", 1, 1), "pair does not count"),
    "start of coverage": (value("time_coverage_start", "1999-01-01T00:00:00Z"), "coverage_start"),
    "end of coverage": (value("time_coverage_end", "2031-01-01T00:00:00Z"), "coverage_end is"),
    "coverage in words": (value("time_coverage_end", "last summer"), "coverage_end is last summer"),
    "duration": (value("time_coverage_duration", "P1D"), "time_coverage_duration is P1D"),
    "date in the future": (value("date_created", "2150-01-01T00:00:00Z"), "date_created is 2150"),
    "no date": (value("date_modified", "yesterday"), "date_modified is yesterday"),
    "acquisitions before the mission": (
        changed("acquisition_time", lambda values: values - 20 * 365 * 86400), "began in 2014",
    ),
    "acquisition ends before it starts": (
        changed("acquisition_end_time", lambda values: values - 86_400_000_000),
        "acquisition_end_time",
    ),
    "all times shifted by a month": (
        lambda file: [
            changed(name, lambda values: values + 30 * 86400)(file)
            for name in ("time", "time_bnds", "reference_time", "secondary_time",
                         "acquisition_time", "acquisition_end_time")
        ][0],
        "differs from its name",
    ),
    "reference time": (
        changed("reference_time", lambda values: values + 3600), "reference_time",
    ),
    "label": (text("pair_label", 0, "20100101T000000_20100113T000000"), "pair_label"),
    "name of a product": (text("product_name", 1, "something"), "product_name"),
    "satellite": (text("satellite", 0, "Sentinel-1C"), "satellite of acquisition 1"),
    "platform": (value("platform", "Sentinel-1D"), "platform is Sentinel-1D"),
    "absolute orbit": (element("orbit_absolute", 0, 12), "orbit_absolute of acquisition 1"),
    "path": (element("orbit_relative", 1, 12), "orbit_relative of acquisition 2"),
    "path beyond the cycle": (element("orbit_relative", 1, 900), "not from 1 to 175"),
    "granules": (text("source_granules", 0, "S1A"), "source_granules"),
    "polarizations": (text("source_polarizations", 0, "HH"), "source_polarizations"),
    "direction": (changed("pass_direction", lambda values: 1 - values), "pass_direction"),
    "flag of the direction": (element("pass_direction", 0, 7), "a flag without a meaning"),
    "flag of a filter": (element("range_bandpass_filter", 0, 3), "a flag without a meaning"),
    "latitude": (value("geospatial_lat_min", 10.0), "geospatial_lat_min is 10.0"),
    "longitude": (value("geospatial_lon_max", 170.0), "geospatial_lon_max is 170.0"),
    "longitude in words": (value("geospatial_lon_max", "east"), "geospatial_lon_max is east"),
    "footprint elsewhere": (
        value("footprint", "POLYGON ((10 50, 11 50, 11 51, 10 50))"), "footprint reaches beyond",
    ),
    "footprint unreadable": (value("footprint", "POLYGON ((10"), "footprint is not a shape"),
    "bounds in the wrong order": (
        lambda file: file.setncattr("geospatial_bounds", file.getncattr("footprint")),
        "geospatial_bounds reaches beyond",
    ),
    "scene center": (element("scene_center_latitude", ..., -80.0), "scene_center_longitude"),
    "range of baselines": (
        value("perpendicular_baseline_range", np.array([-1.0, 1.0])),
        "perpendicular_baseline_range differs",
    ),
    "baseline": (element("perpendicular_baseline", 0, 77.7), "its parameter file says"),
    "baseline of kilometers": (element("perpendicular_baseline", 0, 2e5), "not from -5000"),
    "heading": (element("heading", 0, 123.0), "its parameter file says"),
    "slant ranges exchanged": (
        lambda file: [
            element("slant_range_near", slice(None), 950e3)(file),
            element("slant_range_far", slice(None), 800e3)(file),
        ][0],
        "slant_range_center is larger than slant_range_far",
    ),
    "incidence angle": (element("incidence_near", ..., 95.0), "incidence_near is 95"),
    "look vector of another length": (
        changed("look_vector_x", lambda values: values * 2), "look_vector has a length",
    ),
    "document": (value("ceos_ard_document_identifier", "http://x"), "document_identifier is http"),
    "product family": (value("ceos_ard_product_type", "Optical"), "ceos_ard_product_type is"),
    "product type": (value("product_type", "RTC_GAMMA"), "product_type is RTC_GAMMA"),
    "unit of the phase": (unit("unw_phase", "degree"), "unw_phase is in 'degree'"),
    "unit of heights": (unit("dem", "radian"), "dem is in 'radian'"),
    "unit of a baseline": (unit("perpendicular_baseline", "day"), "instead of 'm'"),
    "record of the parameter files": (
        value("hyp3_parameters_json", "{"), "hyp3_parameters_json cannot be read",
    ),
    "record of other products": (
        replaced("hyp3_stack_json", "S1AA_2", "S1BB_2"), "hyp3_stack_json is of other products",
    ),
    "mask without meaning": (
        element("data_mask", (0, slice(None), slice(None)), 7), "data_mask is 7",
    ),
    "reasons without meaning": (
        element("mask_reason", (1, slice(20, 30), 3), 64), "mask_reason is 64",
    ),
    "water mask of other classes": (
        element("water_mask", (slice(4), slice(None)), 9), "water_mask is 9",
    ),
    "coherence above 1": (changed("corr", lambda values: values + 2), "corr reaches"),
    "one map lost": (
        element("unw_phase", (2, slice(None), slice(None)), np.nan), "valid_fraction of step 3",
    ),
    "coherence of another pair": (
        lambda file: element("corr", 0, file["corr"][0] * 0.5)(file), "coherence_mean of step 1",
    ),
    "a layer lost": (
        element("amp", (slice(None), slice(None), slice(None)), np.nan), "amp has no data",
    ),
    "an infinite height": (element("dem", (3, 4), np.inf), "dem is infinite"),
    "angles in degrees": (
        changed("lv_theta", lambda values: np.degrees(values)), "lv_theta reaches",
    ),
}  # fmt: skip


def problems(assessment: Assessment) -> list[str]:
    return [problem for problem in assessment.problems if SELF_ASSESSMENT not in problem]


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_noticed(
    gamma_stack: Written, assessed: Assess, file_copy: Path, name: str
) -> None:
    damage, problem = DAMAGES[name]
    with netCDF4.Dataset(file_copy, "a") as file:
        damage(file)
    after = assess_stack(file_copy, with_pixels=True)
    assert any(problem in text for text in problems(after)), after.problems
    # Requirements are met by what is found, so that at least one more is not met.
    assert after.count("met") < assessed(gamma_stack.netcdf).count("met")


def test_a_layer_beyond_its_limits_is_told_of_once(file_copy: Path) -> None:
    """Each step has other extremes, and there may be hundreds of steps."""
    with netCDF4.Dataset(file_copy, "a") as file:
        file.set_auto_mask(False)
        values = file["corr"][:] + 2.0
        file["corr"][:] = values + 10.0 * np.arange(len(values))[:, np.newaxis, np.newaxis]
        least, most = np.nanmin(file["corr"][:]), np.nanmax(file["corr"][:])
    problems = assess_stack(file_copy, with_pixels=True).problems
    assert [text for text in problems if "reaches" in text] == [
        f"s.nc: corr reaches {value:g}, which is not from 0 to 1" for value in (least, most)
    ]


@pytest.mark.parametrize("form", ["netcdf", "zarr"])
def test_whole_stacks_have_no_problems(written: Written, form: str) -> None:
    assert assess_stack(getattr(written, form), with_pixels=True).problems == ()


def test_groups_that_are_not_the_same_stack(store_copy: Path) -> None:
    group = zarr.open_group(
        store_copy, path="temporally_optimized", mode="r+", use_consolidated=False
    )
    group["perpendicular_baseline"][0] = 7.0
    phase = group["unw_phase"]
    phase[0] = phase[0] + 1.0
    found = problems(assess_stack(store_copy))
    assert any("perpendicular_baseline of s.zarr/temporally_optimized" in text for text in found)
    assert any("unw_phase of s.zarr/temporally_optimized has other" in text for text in found)


@pytest.mark.parametrize("group", ["spatially_optimized", "temporally_optimized"])
def test_a_map_is_not_in_memory_as_a_whole(
    gamma_stack: Written, tmp_path: Path, group: str
) -> None:
    """Of 16 million pixels, hardly any of them written; as float64 a map would take 128 MB."""
    path = tmp_path / "s.zarr"
    shutil.copytree(gamma_stack.zarr / group, path)
    enlarge(path, 4000, ("corr", "dem"))
    with traced_peak() as peak:
        found = problems(assess_stack(path, with_pixels=True))
        assert peak() < 110e6
    is_by_map = group == "spatially_optimized"
    assert any("valid_fraction of step 1" in text for text in found) == is_by_map


def test_pixels_that_products_have_so_are_no_other_self_assessment(file_copy: Path) -> None:
    """A build notes what it finds without looking at pixels again."""
    with netCDF4.Dataset(file_copy, "a") as file:
        element("dem", (3, 4), 1e5)(file)
    after = assess_stack(file_copy, with_pixels=True)
    assert after.problems == ("s.nc: dem reaches 100000, which is not from -1000 to 9500",)
    assert after.count("met") < assess_stack(file_copy).count("met")
