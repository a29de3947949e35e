"""Statements for CEOS-ARD about products of which only the names are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.metadata.ceos_attributes import ceos_attributes
from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.product import Product


def statements(*names: str) -> dict[str, Any]:
    parsed = [parse_name(name) for name in names]
    products = [Product(name, Path("/nowhere"), "", ()) for name in parsed if name is not None]
    assert len(products) == len(names)
    return ceos_attributes(products, 80.0)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        ("20230118T015955", [12, 12]),
        ("20230118T020010", [12, 12]),
        ("20230130T015955", [12, 24]),
        ("20221225T020010", [-12, 12]),
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
