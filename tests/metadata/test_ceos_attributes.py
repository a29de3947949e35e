"""Statements for CEOS-ARD about products of which only names and parameter files are known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.metadata.ceos_attributes import ceos_attributes
from hyp3_stack.core.products.names import ProductName, parse_name
from hyp3_stack.core.products.parameter_file import ParameterFile
from hyp3_stack.core.products.product import Product

COPERNICUS = "Copernicus GLO-30 (GLO-90 in its gaps), https://doi.org/10.5270/ESA-c5d3d65"
ADAPTIVE = "adaptive filter in the frequency domain, https://doi.org/10.1029/1998GL900033"
WHERE = "; its parameter is in phase_filter_parameter"


def statements(*names: str, files: Sequence[str] = ()) -> dict[str, Any]:
    parsed = [parse_name(name) for name in names]
    products = [
        Product(name, Path("/nowhere"), "", (), ParameterFile(text))
        for name, text in zip_longest(parsed, files, fillvalue="")
        if isinstance(name, ProductName)
    ]
    assert len(products) == len(names)
    return ceos_attributes(products, 80.0)


def of_pairs(*files: str) -> dict[str, Any]:
    """Return the statements on interferograms with these parameter files."""
    names = [
        f"S1AA_20230106T020000_20230118T020000_VVP012_INT80_G_ueF_{number:04X}"
        for number in range(len(files))
    ]
    return statements(*names, files=files)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("20230118T015955", [12, 12]),
        ("20230118T020010", [12, 12]),
        ("20230130T015955", [12, 24]),
    ],
)
def test_baselines_are_whole_days_whenever_a_pass_begins(second: str, expected: list[int]) -> None:
    found = statements(
        "S1AA_20230106T020000_20230118T020000_VVP012_INT80_G_ueF_0000",
        f"S1AA_20230106T020000_{second}_VVP012_INT80_G_ueF_0001",
    )
    assert found["temporal_baseline_range"].tolist() == expected


@pytest.mark.parametrize(
    ("letters", "speckle", "matching"),
    [
        (["gpuned"] * 3, "none", "not used, orbits only"),
        (["gpufem"] * 3, "Enhanced Lee, 7 x 7 pixels, damping factor 1", "attempted"),
        (
            ["gpuned", "gpufem", "gpufed"],
            "differs: Enhanced Lee, 7 x 7 pixels, damping factor 1 in 2 of 3 products; none in 1 "
            "of 3 products",
            "differs: not used, orbits only in 2 of 3 products; attempted in 1 of 3 products",
        ),
    ],
)
def test_options_of_backscatter_are_those_of_all_products(
    letters: list[str], speckle: str, matching: str
) -> None:
    found = statements(
        *(
            f"S1A_IW_2023010{day}T020000_DVP_RTC30_G_{options}_0000"
            for day, options in enumerate(letters, 1)
        )
    )
    assert (found["speckle_filter"], found["dem_matching"]) == (speckle, matching)


@pytest.mark.parametrize(
    ("models", "dem", "has_geoid"),
    [
        (["GLO-30", "GLO_30", "glo30"], COPERNICUS, True),
        (["SRTMGL1"] * 2, "SRTMGL1", False),
        (
            ["GLO-30", "GLO-30", "NED13"],
            f"differs: {COPERNICUS} in 2 of 3 products; NED13 in 1 of 3 products",
            False,
        ),
        (
            ["GLO-30", ""],
            f"differs: {COPERNICUS} in 1 of 2 products; not stated in 1 of 2 products",
            False,
        ),
        ([""] * 2, None, False),
    ],
)
def test_elevation_model_of_the_parameter_files(
    models: list[str], dem: str | None, has_geoid: bool
) -> None:
    found = of_pairs(*(f"DEM source: {model}" for model in models))
    assert found.get("dem") == dem
    assert ("egm" in found) == has_geoid
    if has_geoid:
        assert found["egm"].startswith("EGM2008")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["INSAR phase filter: adf\nPhase filter parameter: 0.6"] * 2, ADAPTIVE + WHERE),
        (["INSAR phase filter: yes\nPhase filter parameter: 0.5"], ADAPTIVE + WHERE),
        (["Phase filter parameter: 0.5"], ADAPTIVE + WHERE),
        (["INSAR phase filter: none\nPhase filter parameter: 0.0"] * 2, "none"),
        (["INSAR phase filter: adf\nPhase filter parameter: 0.0"], "none"),
        (["INSAR phase filter: boxcar"], "boxcar"),
        (
            ["INSAR phase filter: adf", "INSAR phase filter: adf", "INSAR phase filter: none"],
            f"differs: {ADAPTIVE} in 2 of 3 products; none in 1 of 3 products{WHERE}",
        ),
        (["Baseline: 1"], None),
    ],
)
def test_filter_of_the_parameter_files(files: list[str], expected: str | None) -> None:
    assert of_pairs(*files).get("ceos_interferogram_filter") == expected
