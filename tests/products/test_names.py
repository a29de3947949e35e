"""Product names of all types, and what only looks like one."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from hyp3_stack.core.products.names import parse_name

GAMMA = "S1AC_20251001T204513_20251007T204359_HHR006_INT40_G_ueF_1DBE"
BURST = "S1_056072_IW2_20220814_20220907_VV_INT80_E09B"
MULTI = "S1_044_000000s1n00-093117s2n01-093118s3n01_IW_20250718_20250730_VV_INT80_B4FA"
MERGED = "S1A_064_E053_1_N27_3_E054_1_N27_8_20200604_20200616_VV_INT80_7EB5"
RTC = "S1A_IW_20250420T135654_DVP_RTC30_G_gpuned_7959"


def day(year: int, month: int, date: int, *clock: int) -> datetime:
    return datetime(year, month, date, *clock, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            GAMMA,
            {
                "product_type": "INSAR_GAMMA",
                "times": (day(2025, 10, 1, 20, 45, 13), day(2025, 10, 7, 20, 43, 59)),
                "days_only": False,
                "platforms": ("S1A", "S1C"),
                "polarization": "HH",
                "orbit_type": "R",
                "spacing": 40.0,
                "options": "ueF",
                "product_id": "1DBE",
                "label": "20251001T204513_20251007T204359",
                "is_insar": True,
            },
        ),
        (
            "S1BD_20141231T235959_20190101T000000_VVP1452_INT80_G_wc1_00FF",
            {
                "product_type": "INSAR_GAMMA",
                "times": (day(2014, 12, 31, 23, 59, 59), day(2019, 1, 1)),
                "platforms": ("S1B", "S1D"),
                "polarization": "VV",
                "orbit_type": "P",
                "spacing": 80.0,
                "options": "wc1",
            },
        ),
        (
            BURST,
            {
                "product_type": "INSAR_ISCE_BURST",
                "times": (day(2022, 8, 14), day(2022, 9, 7)),
                "days_only": True,
                "platforms": (None, None),
                "polarization": "VV",
                "orbit_type": None,
                "relative_orbit": None,
                "footprint": "056072_IW2",
                "spacing": 80.0,
                "product_id": "E09B",
                "label": "20220814_20220907",
                "is_insar": True,
            },
        ),
        (
            MULTI,
            {
                "product_type": "INSAR_ISCE_MULTI_BURST",
                "times": (day(2025, 7, 18), day(2025, 7, 30)),
                "days_only": True,
                "relative_orbit": 44,
                "footprint": "000000s1n00-093117s2n01-093118s3n01",
                "label": "20250718_20250730",
            },
        ),
        (
            MERGED,
            {
                "product_type": "INSAR_ISCE_MULTI_BURST",
                "times": (day(2020, 6, 4), day(2020, 6, 16)),
                "platforms": ("S1A", None),
                "relative_orbit": 64,
                "footprint": "E053_1_N27_3_E054_1_N27_8",
                "product_id": "7EB5",
            },
        ),
        (
            MERGED.replace("E053_1_N27_3", "W178_9_S00_3"),
            {"footprint": "W178_9_S00_3_E054_1_N27_8"},
        ),
        (
            RTC,
            {
                "product_type": "RTC_GAMMA",
                "times": (day(2025, 4, 20, 13, 56, 54),),
                "days_only": False,
                "platforms": ("S1A",),
                "polarization": "DV",
                "orbit_type": "P",
                "spacing": 30.0,
                "options": "gpuned",
                "label": "20250420T135654",
                "is_insar": False,
            },
        ),
        (
            "S1D_S3_20250420T135654_SHO_RTC10_G_sdwfcm_0000",
            {"spacing": 10.0, "polarization": "SH", "orbit_type": "O", "options": "sdwfcm"},
        ),
        ("S1B_EW_20160420T135654_DHR_RTC20_G_gauncd_ABCD", {"platforms": ("S1B",)}),
    ],
)
def test_what_names_say(text: str, expected: dict[str, object]) -> None:
    name = parse_name(text)
    assert name is not None and name.text == text
    label = expected.get("label", name.label_of(name.times))
    assert name.label_of(name.times) == label
    found = {key: getattr(name, key) for key in expected if key != "label"}
    assert found | {"label": label} == expected | {"label": label}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S1",
        "demo",
        GAMMA.lower(),
        f"{GAMMA}_unw_phase",
        f"{GAMMA}.zip",
        f"r{GAMMA}",
        f" {GAMMA}",
        f"{GAMMA}\n",
        f"{GAMMA} (1)",
        f"x/{GAMMA}",
        GAMMA.replace("20251001", "20251301"),
        GAMMA.replace("20251007", "20250230"),
        GAMMA.replace("20251007", "20250901"),
        GAMMA.replace("T204513", "T246060"),
        GAMMA.replace("S1AC", "S1AE"),
        GAMMA.replace("_HHR", "_HVR"),
        GAMMA.replace("R006", "R06"),
        GAMMA.replace("1DBE", "1dbe"),
        GAMMA.replace("1DBE", "1DBEF"),
        GAMMA.replace("_G_", "_I_"),
        GAMMA.replace("20251001", "\u0662\u0660\u0662\u0665\u0661\u0660\u0660\u0661"),
        BURST.replace("IW2", "IW4"),
        BURST.replace("20220814", "20220845"),
        BURST.replace("20220814", BURST.split("_")[4]),
        BURST.replace("S1_", "S1A_"),
        MULTI.replace("s3n01", "s4n01"),
        MULTI.replace("S1_044", "S1_44"),
        MERGED.replace("20200616", "20200631"),
        MERGED.replace("N27_8", "X27_8"),
        RTC.replace("S1A_IW", "S1A_WV"),
        RTC.replace("gpuned", "gpune"),
        RTC.replace("20250420T135654", "20250420"),
        "S1A_IW_SLC__1SDV_20230106T015136_20230106T015203_046658_0597B6_1A2B",
        "OPERA_L2_RTC-S1_T071-151224-IW1_20250420T135654Z_20250420T200000Z_S1A_30_v1.0",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert parse_name(text) is None


def test_identity_is_that_of_a_repeated_order() -> None:
    def identity(text: str) -> tuple[object, ...]:
        name = parse_name(text)
        assert name is not None
        return name.identity

    assert identity(GAMMA) == identity(GAMMA.replace("1DBE", "0A0A"))
    for other in (
        GAMMA.replace("T204359", "T204400"),
        GAMMA.replace("HHR", "VVR"),
        GAMMA.replace("INT40", "INT80"),
    ):
        assert identity(GAMMA) != identity(other)
    assert identity(BURST) == identity(BURST.replace("E09B", "0000"))
    for other in (BURST.replace("056072", "056073"), BURST.replace("IW2", "IW1")):
        assert identity(BURST) != identity(other)
    assert identity(MULTI) != identity(MULTI.replace("093117", "093116"))
    assert identity(RTC) != identity(RTC.replace("DVP", "DHP"))
