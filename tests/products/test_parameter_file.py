"""Parameter files of several versions of HyP3, and damaged ones."""

from __future__ import annotations

import pytest

from hyp3_stack.core.products.parameter_file import ParameterFile, decoded

GAMMA = """Reference Granule: S1A_IW_SLC__1SDH_20251001T204513_20251001T204540_061237_07A332_A16A
Secondary Granule: S1C_IW_SLC__1SDH_20251007T204359_20251007T204426_004461_008D5C_0C40
Reference Pass Direction: ASCENDING
Reference Orbit Number: 61237
Baseline: -48.0195
UTC time: 74714.869576
Heading: -18.1505111
Range looks: 10
INSAR phase filter: none
Resolution of output (m): 40
Range bandpass filter: no
Unwrapping threshold: none
Longitude of the reference point (WGS84): -44.7148542
"""

ISCE = """Reference Granule: S1_093118_IW3_20250718T172125_VV_238F-BURST, S1_093117_IW2_20250718T172122_VV_238F-BURST
Baseline: 33.88969537726557
Water mask: yes
Speckle filter: yes
Radar n lines: 376.0
Radar sensing stop: 2022-08-14T12:58:32.201805
"""  # noqa: E501 - a line of a genuine file


def test_typed_values() -> None:
    file = ParameterFile(GAMMA)
    assert file.text("Reference Pass Direction") == "ASCENDING"
    assert file.integer("Reference Orbit Number") == 61237
    assert file.number("Baseline") == -48.0195
    assert file.number("UTC time") == 74714.869576
    assert file.flag("Range bandpass filter") is False
    assert file.number("Longitude of the reference point (WGS84)") == -44.7148542
    assert file.names("Reference Granule") == (file.text("Reference Granule"),)
    assert len(file.entries) == 13
    assert list(file.entries)[0] == "Reference Granule"


def test_values_with_colons_and_lists() -> None:
    file = ParameterFile(ISCE)
    assert file.text("Radar sensing stop") == "2022-08-14T12:58:32.201805"
    assert file.names("Reference Granule") == (
        "S1_093118_IW3_20250718T172125_VV_238F-BURST",
        "S1_093117_IW2_20250718T172122_VV_238F-BURST",
    )
    assert file.flag("Water mask") is True
    assert file.integer("Radar n lines") == 376


@pytest.mark.parametrize("written", ["UTCtime", "UTC time", "utc_time", "UTC  Time", "UTC-time"])
def test_spelling_of_keys_does_not_matter(written: str) -> None:
    file = ParameterFile(f"{written}: 46709.112304\n")
    assert file.number("UTC time") == file.number("UTCtime") == 46709.112304
    assert file.entries == {written: "46709.112304"}


def test_missing_keys_and_wrong_types_are_none() -> None:
    file = ParameterFile(GAMMA)
    assert file.text("DEM source") is None
    assert file.number("DEM resolution (m)") is None
    assert file.names("DEM source") == ()
    assert file.number("Unwrapping threshold") is None
    assert file.integer("Baseline") is None
    assert file.flag("Unwrapping threshold") is None
    assert ParameterFile("Baseline:\n").number("Baseline") is None
    assert ParameterFile("Baseline:   \n").text("Baseline") is None
    for odd in ("nan", "inf", "-Infinity", "1e999", "12,5", "0x10", "--3", "none"):
        assert ParameterFile(f"Baseline: {odd}").number("Baseline") is None


@pytest.mark.parametrize(
    "text",
    ["", "\n\n", "no colon here", ": no key", "\x00\x01\x02", "::::", "\ufeff", "a\tb\nc"],
)
def test_text_without_entries(text: str) -> None:
    file = ParameterFile(text)
    assert file.number("Baseline") is None and file.names("Reference Granule") == ()


def test_line_ends_and_blanks() -> None:
    file = ParameterFile("\ufeffBaseline :  5.5  \r\n\r\n  Range looks:20\r\nHeading:\t-13.3\r")
    assert file.number("Baseline") == 5.5
    assert file.integer("Range looks") == 20
    assert file.number("Heading") == -13.3


def test_the_first_of_two_equal_keys_counts() -> None:
    file = ParameterFile("Baseline: 1\nBaseline: 2\n")
    assert file.number("Baseline") == 1
    assert file.entries == {"Baseline": "1"}


def test_entries_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        ParameterFile(GAMMA).entries["Baseline"] = "0"  # type: ignore[index]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (GAMMA.encode("utf-16"), None),
        (GAMMA.encode("utf-8-sig"), None),
        (GAMMA.replace("\n", "\r\n").encode(), None),
        (GAMMA.encode("utf-16-le"), None),  # without a mark it is UTF-8 with zeros
        (f"{GAMMA}Baseline: 12.5\n".encode(), "has Baseline twice, of which -48.0195 counts"),
        (f"{GAMMA}baseline : 12.5\n".encode(), "has baseline twice, of which -48.0195 counts"),
        (f"{GAMMA}Range Looks: 10\n".encode(), None),
        (GAMMA.replace("-48.0195", "9" * 400).encode(), "(400 characters) for Baseline"),
        (GAMMA.replace("-48.0195", "1e300").encode(), "has 1e300 for Baseline"),
        (GAMMA.replace("61237", "NaN").encode(), "has NaN for Reference Orbit Number"),
        (GAMMA.replace("-18.1505111", "-inf").encode(), "has -inf for Heading"),
        (GAMMA.replace("-18.1505111", "north").encode(), "has north for Heading"),
        (bytes(range(256)) * 9, "holds nothing that HyP3 writes"),
        (b"", "holds nothing that HyP3 writes"),
        (b"<html><body>Sign in: here</body></html>", "holds nothing that HyP3 writes"),
    ],
)
def test_strange_files(content: bytes, told: str | None) -> None:
    file = ParameterFile(decoded(content))
    if told is None:
        assert file.flaws == () and file.number("Baseline") == -48.0195
    else:
        assert len(file.flaws) == 1 and told in file.flaws[0]
    for value in file.entries.values():
        assert value.isprintable()
