"""Facts of the Sentinel-1 mission that no HyP3 product carries, each with its source."""

from __future__ import annotations

from dataclasses import dataclass

CENTER_FREQUENCY = 5_405_000_454.334350
"""Hertz; from the annotation of Sentinel-1 products. HyP3's wavelength is the speed of light over
it, rounded to nine decimals."""

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


@dataclass(frozen=True)
class SourceImage:
    """Nominal figures of source images in meters (ESA Sentinel-1 user guide).

    Parameters
    ----------
    geometry
        Slant or ground range.
    range_spacing, azimuth_spacing
        Distance between pixels.
    range_resolution, azimuth_resolution
        For the beams IW1, IW2, IW3.
    range_looks, azimuth_looks
        Looks of ESA's processing.
    """

    geometry: str
    range_spacing: float
    azimuth_spacing: float
    range_resolution: tuple[float, float, float]
    azimuth_resolution: tuple[float, float, float]
    range_looks: int
    azimuth_looks: int


SOURCE_IMAGES = {
    "SLC": SourceImage("slant range", 2.329562, 13.9, (2.7, 3.1, 3.5), (22.5, 22.7, 22.6), 1, 1),
    "GRD": SourceImage("ground range", 10.0, 10.0, (20.4, 20.3, 20.5), (22.5, 22.6, 22.6), 5, 1),
}
"""IW single look complex images, and IW ground range images of high resolution."""

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
