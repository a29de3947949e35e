"""Facts of the Sentinel-1 mission that no HyP3 product carries, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

from ..stack.values import WAVELENGTH

SPEED_OF_LIGHT = 299_792_458.0
"""Meters per second; exact by the definition of the meter."""

CENTER_FREQUENCY = SPEED_OF_LIGHT / WAVELENGTH
"""Hertz; 5.405 GHz, as in the annotation of Sentinel-1 products."""

INSTRUMENT = "C-SAR"

MISSIONS = {
    "S1A": ("Sentinel-1A", 575),
    "S1B": ("Sentinel-1B", 576),
    "S1C": ("Sentinel-1C", 577),
    "S1D": ("Sentinel-1D", 814),
}
"""Name, and number in the CEOS database of missions (database.eohandbook.com)."""

MISSION_PAGE = "https://database.eohandbook.com/database/missionsummary.aspx?missionID="

NOISE_EQUIVALENT_SIGMA0 = -22.0
"""Decibels; largest value that ESA specifies for the mode IW (Sentinel-1 product specification)."""

RANGE_SPACING = 2.329562
AZIMUTH_SPACING = 13.9
"""Nominal pixel spacing of IW SLC images in meters (ESA Sentinel-1 user guide)."""

RANGE_RESOLUTION = {"IW1": 2.7, "IW2": 3.1, "IW3": 3.5}
AZIMUTH_RESOLUTION = {"IW1": 22.5, "IW2": 22.7, "IW3": 22.6}
"""Nominal resolution of IW SLC images in meters (ESA Sentinel-1 user guide)."""

NEAR_INCIDENCE, FAR_INCIDENCE = 29.1, 46.0
"""Nominal incidence angles at the edges of the mode IW in degrees (ESA Sentinel-1 user guide)."""

BURST_SECONDS = 3.1
"""Nominal length of an IW burst: about 1,500 lines at 2.0556 ms (ESA Sentinel-1 annotation)."""


@dataclass(frozen=True)
class GeolocationError:
    """Mean and standard deviation of the absolute geolocation error in meters."""

    range_bias: float
    range_deviation: float
    azimuth_bias: float
    azimuth_deviation: float
    source: str


GEOLOCATION = GeolocationError(
    -2.99,
    0.22,
    2.03,
    0.53,
    "Sentinel-1 IW SLC without timing corrections: University of Zurich, Guide to Sentinel-1 "
    "geocoding, UZH-S1-GC-AD",
)
"""Of the mission's images, not measured for the stack."""


def platform_name(code: str | None) -> str:
    """Return the satellite's name for ``S1A`` ..., ``Sentinel-1`` where it is not known."""
    return MISSIONS[code][0] if code in MISSIONS else "Sentinel-1"
