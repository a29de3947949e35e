"""The page of an assessment shows the text of a stack as text, whatever it reads like."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import netCDF4
import pytest

from hyp3_stack.core.assessment.assess import assess_stack
from hyp3_stack.core.assessment.page import assessment_page
from hyp3_stack.core.pages.html_page import percent

from ..written_stacks import Written
from .conftest import Assess

KEPT = ("_FillValue", "_Encoding", "crs_wkt", "GeoTransform", "grid_mapping", "units")
"""Attributes by which values and places are read."""


class Elements(HTMLParser):
    """Collects the names of elements and of their attributes, and all addresses."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.addresses: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # What failed is open from the start.
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs if name != "open")}
        self.addresses |= {str(value) for name, value in attrs if name in ("href", "src")}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "</title><img src='http://x/y' onerror='z'>",
        '" onmouseover="a" x="',
        "</svg><a href='file:///etc/passwd'>here</a>",
    ],
)
def test_no_text_of_a_stack_becomes_an_element(
    gamma_stack: Written, assessed: Assess, file_copy: Path, text: str
) -> None:
    whole = Elements(assessment_page(assessed(gamma_stack.netcdf)))
    with netCDF4.Dataset(file_copy, "a") as file:
        for holder in (file, *file.variables.values()):
            for name in holder.ncattrs():
                is_kept = name in KEPT
                if isinstance(holder.getncattr(name), str) and not is_kept:
                    holder.setncattr(name, text)
            holder.setncattr("comment", text)
    page = assessment_page(assess_stack(file_copy))
    assert text not in page
    assert Elements(page).found <= whole.found
    assert Elements(page).addresses <= whole.addresses


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (0.0015, "less than 1 %"),
        (0.714, "71 %"),
        (0.998, "more than 99 %"),
        (1, "100 %"),
    ],
)
def test_only_all_is_100_percent(share: float, text: str) -> None:
    assert percent(share) == text
