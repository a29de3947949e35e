"""What others say of the stacks: the IOOS checker and the validator of Zarr conventions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import zarr
import zarr_cm
from compliance_checker.runner import CheckSuite, ComplianceChecker

from ..written_stacks import Written

PRIORITIES = ("high_priorities", "medium_priorities", "low_priorities")

# The checker warns of every calendar that does not cross the year 1582.
HARMLESS = ("does not cross 1582-10-15",)

NO_STANDARD_NAME = 'variable "'
LEFT_OPEN = (
    # No vertical axis; the publisher is the user.
    "geospatial_vertical",
    "geospatial_bounds_vertical_crs",
    "publisher_",
    # The checker compares degrees with coordinates in meters, and the period with middles of pairs.
    "geospatial_lat_m",
    "geospatial_lon_m",
    "Date time mismatch",
)


def run_checker(path: Path, standard: str, result: Path) -> dict[str, object]:
    CheckSuite.load_all_available_checkers()
    ComplianceChecker.run_checker(
        str(path), [standard], 0, "strict", output_filename=str(result), output_format="json"
    )
    return json.loads(result.read_text())[standard]


def messages(found: dict[str, object]) -> list[tuple[str, str]]:
    return [
        (item["name"], text)
        for level in PRIORITIES
        for item in found[level]
        for text in item["msgs"]
    ]


def test_cf_without_errors(written: Written, tmp_path: Path) -> None:
    found = run_checker(written.netcdf, "cf:1.11", tmp_path / "cf.json")
    left = [m for m in messages(found) if not any(text in m[1] for text in HARMLESS)]
    assert left == []
    assert found["high_count"] == found["medium_count"] == 0
    assert found["scored_points"] == found["possible_points"] > 500


def test_acdd_leaves_only_what_is_known(written: Written, tmp_path: Path) -> None:
    found = run_checker(written.netcdf, "acdd:1.3", tmp_path / "acdd.json")
    for name, text in messages(found):
        if name.startswith(NO_STANDARD_NAME):
            # CF has no standard name for phase, coherence and most processing parameters.
            assert "standard_name" in text or "acquisition" in name, (name, text)
        else:
            assert any(known in text for known in LEFT_OPEN), (name, text)


@pytest.mark.parametrize("group", ["spatially_optimized", "temporally_optimized"])
def test_zarr_conventions(written: Written, group: str) -> None:
    opened = zarr.open_group(written.zarr, path=group, mode="r", use_consolidated=False)
    # GDAL 3.13 crashes where a group has them and an array such as the bounds.
    assert not [name for name in opened.attrs if ":" in name or name == "zarr_conventions"]
    checked = 0
    for name, array in opened.arrays():
        attributes = array.attrs.asdict()
        if array.ndim < 2 or name.endswith("_bnds"):
            assert not [key for key in attributes if ":" in key or key == "zarr_conventions"]
            continue
        zarr_cm.validate_all(attributes)
        names = {item["name"] for item in attributes["zarr_conventions"]}
        assert names == {"proj", "spatial"}
        assert attributes["proj:code"] == "EPSG:32610"
        assert attributes["spatial:shape"] == [opened["y"].size, opened["x"].size]
        checked += 1
    assert checked > 5


def test_the_validator_notices_a_wrong_transform(gamma_stack: Written) -> None:
    opened = zarr.open_array(gamma_stack.zarr, path="spatially_optimized/corr", mode="r")
    attributes = opened.attrs.asdict()
    attributes["spatial:transform"] = attributes["spatial:transform"][:5]
    with pytest.raises((ValueError, TypeError)):
        zarr_cm.validate_all(attributes)
