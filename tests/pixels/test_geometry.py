"""Formulas against cases whose outcome is known."""

from __future__ import annotations

import math
from datetime import datetime

import pytest

from hyp3_stack.core.metadata.acquisitions import pair_acquisition
from hyp3_stack.core.pixels.geometry import (
    incidence_angle,
    is_ascending,
    look_angles,
    look_vector,
)
from hyp3_stack.core.products.granules import known_granules, parse_granule
from hyp3_stack.core.products.names import parse_name
from hyp3_stack.core.products.parameter_file import ParameterFile
from hyp3_stack.core.products.product import Product


def test_straight_down() -> None:
    vector = look_vector(0.0, 0.0, math.pi / 2, 0.3)
    assert vector == pytest.approx((-1.0, 0.0, 0.0), abs=1e-12)
    assert look_vector(90.0, 45.0, math.pi / 2, 0.0) == pytest.approx(
        (0.0, -math.sqrt(0.5), -math.sqrt(0.5)), abs=1e-12
    )


def test_level_from_the_east() -> None:
    """A sensor on the horizon in the east of (0, 0) looks west, which is -y."""
    assert look_vector(0.0, 0.0, 0.0, 0.0) == pytest.approx((0.0, -1.0, 0.0), abs=1e-12)


def test_incidence() -> None:
    assert incidence_angle(6_371_000.0, 693_000.0, 693_000.0) == pytest.approx(0.0, abs=1e-3)
    # The example in HyP3's InSAR guide states 39.5 degrees in the center of its scene.
    angle = incidence_angle(6_362_008.3766, 705_239.4029, 882_714.7457)
    assert angle == pytest.approx(39.6, abs=0.5)
    assert incidence_angle(6_371_000.0, 693_000.0, 1000.0) is None
    assert incidence_angle(0.0, 693_000.0, 800_000.0) is None


@pytest.mark.parametrize(("heading", "azimuth"), [(0.0, 180.0), (90.0, 90.0), (180.0, 0.0)])
def test_a_right_looking_sensor_lies_on_the_left(heading: float, azimuth: float) -> None:
    elevation, found = look_angles(heading, 40.0)
    assert math.degrees(elevation) == pytest.approx(50.0)
    assert math.degrees(found) % 360 == pytest.approx(azimuth)


@pytest.mark.parametrize(
    ("time", "longitude", "latitude", "expected"),
    [
        # Mornings and evenings on the ground.
        ("2025-04-20T13:56:54", -119.0, 36.0, False),
        ("2022-08-14T12:58:29", 75.0, 36.0, True),
        ("2025-07-18T17:21:25", -155.0, 60.0, False),
        ("2025-10-01T20:45:13", -44.7, 60.5, True),
        ("2025-10-01T20:45:13", -44.7, 80.0, None),
    ],
)
def test_direction_by_local_time(
    time: str, longitude: float, latitude: float, expected: bool | None
) -> None:
    assert is_ascending(datetime.fromisoformat(time), longitude, latitude) is expected


def test_granules() -> None:
    scene = parse_granule("S1C_IW_SLC__1SDH_20251007T204359_20251007T204426_004461_008D5C_0C40")
    assert (scene.platform, scene.orbit, scene.polarizations) == ("S1C", 4461, ("HH", "HV"))
    assert scene.url == f"https://sentinel1.asf.alaska.edu/SLC/SC/{scene.name}.zip"
    grd = parse_granule("S1A_IW_GRDH_1SSV_20200604T022251_20200604T022316_032861_03CE65_7C85")
    assert "/GRD_HS/SA/" in grd.url and grd.polarizations == ("VV",)
    burst = parse_granule("S1_056072_IW2_20220814T125829_VV_67BC-BURST")
    assert burst.stop is None and burst.name in burst.url
    assert known_granules(["something else"]) == []


def test_the_satellite_of_a_genuine_burst() -> None:
    """Names of bursts do not tell it; orbit numbers do."""
    name = parse_name("S1_056072_IW2_20220814_20220907_VV_INT80_E09B")
    assert name is not None
    text = (
        "Reference Granule: S1_056072_IW2_20220814T125829_VV_67BC-BURST\n"
        "Reference Orbit Number: 44549\nReference Pass Direction: ASCENDING\n"
    )
    product = Product(name, None, "", (), ParameterFile(text))  # type: ignore[arg-type]
    found = pair_acquisition(product, 0, name.times[0])
    assert (found.platform, found.path, found.orbit) == ("S1A", 27, 44549)
    assert found.ascending is True
