"""Facts in granule names, compared with parameter files of published products."""

import pytest

from hyp3_stack.core.products.granules import burst_orbit, known_granules, parse_granule


@pytest.mark.parametrize(
    ("name", "path"),
    [
        # Pairs of one product: both granules have to be on the same path.
        ("S1A_IW_SLC__1SDH_20251001T204513_20251001T204540_061237_07A332_A16A", 90),
        ("S1C_IW_SLC__1SDH_20251007T204359_20251007T204426_004461_008D5C_0C40", 90),
        # Orbits in the parameter files of burst products whose names tell the path.
        ("S1A_IW_SLC__1SDV_20250718T172120_20250718T172147_060141_077A2B_238F", 44),
        ("S1A_IW_SLC__1SDV_20220907T125826_20220907T125853_044899_055CC0_97A5", 27),
        ("S1B_IW_SLC__1SDV_20210723T014947_20210723T015014_027915_0354B4_B3A9", 64),
        ("S1C_IW_SLC__1SDV_20260801T000000_20260801T000027_008800_011111_ABCD", 127),
        ("S1D_IW_GRDH_1SDV_20260801T000000_20260801T000027_000842_011111_ABCD", 101),
    ],
)
def test_path_of_frames(name, path):
    granule = parse_granule(name)
    assert granule.path == path and granule.ascending is None


@pytest.mark.parametrize(
    ("burst", "path", "ascending"),
    [(56072, 27, True), (93117, 44, False), (93118, 44, False), (151224, 71, False)],
)
def test_path_and_direction_of_bursts(burst, path, ascending):
    assert burst_orbit(burst) == (path, ascending)


def test_first_and_last_burst_of_the_cycle():
    assert burst_orbit(1) == (1, True)
    assert burst_orbit(375887) == (175, True)


def test_burst_name():
    granule = parse_granule("S1_056072_IW2_20220814T125829_VV_67BC-BURST")
    assert (granule.path, granule.ascending, granule.polarizations) == (27, True, ("VV",))
    assert granule.start.isoformat() == "2022-08-14T12:58:29+00:00"


@pytest.mark.parametrize(
    ("token", "text"), [("SV", "VV"), ("DV", "VV+VH"), ("SH", "HH"), ("DH", "HH+HV")]
)
def test_polarization(token, text):
    name = f"S1A_IW_GRDH_1S{token}_20250420T135654_20250420T135723_058841_074ABD_E7BB"
    assert "+".join(parse_granule(name).polarizations) == text


def test_unknown_names_give_what_they_can():
    assert parse_granule("LC08_L1TP_009011_20200703_T1").start is None
    other = parse_granule("S2A_MSIL1C_20200704T142741_N0209_R139_T19XDA")
    assert other.start.year == 2020 and other.path is None
    assert parse_granule("X_20201399T000000").start is None


def test_names_of_impossible_times_are_not_known():
    right = "S1A_IW_SLC__1SDH_20251001T204513_20251001T204540_061237_07A332_A16A"
    wrong = right.replace("20251001T204513", "20251399T204513")
    assert [item.name for item in known_granules([wrong, "S1A", right])] == [right]
