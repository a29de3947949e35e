"""Facts of the Sentinel-1 mission that no HyP3 product carries, each with its source."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

CENTER_FREQUENCY = 5_405_000_454.334350
"""Hertz; from the annotation of Sentinel-1 products. HyP3's wavelength is the speed of light over
it, rounded to nine decimals."""

WAVELENGTH = 0.055465763
"""Radar wavelength in meters, as in HyP3's own displacement maps; the speed of light over
the center frequency is less by one part in 20 million."""

PHASE_TO_DISPLACEMENT = -WAVELENGTH / (4.0 * math.pi)
"""Meters toward the sensor for one radian of unwrapped phase: the path counts twice, and phase
grows with the distance (Ferretti et al. 2007, ESA TM-19, part A)."""

LONGEST_GAP = timedelta(minutes=10)
"""Frames of a pass follow each other within half a minute; the next pass is 98 minutes later."""

INSTRUMENT = "C-SAR"

POLARIZATIONS = {"SV": ("VV",), "SH": ("HH",), "DV": ("VV", "VH"), "DH": ("HH", "HV")}
"""What the letters in names of backscatter products and of granules stand for."""

MISSIONS = {
    "S1A": ("Sentinel-1A", 575),
    "S1B": ("Sentinel-1B", 576),
    "S1C": ("Sentinel-1C", 577),
    "S1D": ("Sentinel-1D", 814),
}
"""Name, and number in the CEOS database of missions (database.eohandbook.com)."""

MISSION_PAGE = "https://database.eohandbook.com/database/missionsummary.aspx?missionID="

_ESA_GUIDE = "https://sentinel.esa.int/web/sentinel/user-guides/sentinel-1-sar"
MODE_PAGE = f"{_ESA_GUIDE}/acquisition-modes/interferometric-wide-swath"
"""ESA's table of the mode's incidence angles and noise."""

NOISE_EQUIVALENT_SIGMA0 = -22.0
"""Decibels; largest value that ESA specifies for the mode IW (see `MODE_PAGE`)."""


@dataclass(frozen=True)
class SourceImage:
    """Nominal figures of source images in meters."""

    geometry: str  # slant or ground range
    # Distance between pixels.
    range_spacing: float
    azimuth_spacing: float
    # For the beams IW1, IW2, IW3.
    range_resolution: tuple[float, float, float]
    azimuth_resolution: tuple[float, float, float]
    # Looks of ESA's processing.
    range_looks: int
    azimuth_looks: int
    source: str  # page of ESA with the figures


SOURCE_IMAGES = {
    "SLC": SourceImage(
        "slant range",
        2.329562,
        14.1,
        (2.7, 3.1, 3.5),
        (22.5, 22.7, 22.6),
        1,
        1,
        f"{_ESA_GUIDE}/resolutions/level-1-single-look-complex",
    ),
    "GRD": SourceImage(
        "ground range",
        10.0,
        10.0,
        (20.4, 20.3, 20.5),
        (22.5, 22.6, 22.6),
        5,
        1,
        "https://sentiwiki.copernicus.eu/web/s1-products",
    ),
}
"""IW single look complex images, and IW ground range images of high resolution (``IW_GRD_HR``).

ESA's user guide gives 2.3 m by 14.1 m between the pixels of the former and 2.7 to 3.5 m by 22 m as
resolution; range spacing with more digits is the speed of light over twice the sampling rate of
64.345238 MHz in the annotation, and resolutions by beam are those of ESA's technical guide (level-1
algorithms, single look complex) and of the product definition, S1-RS-MDA-52-7440.
"""

NEAR_INCIDENCE, FAR_INCIDENCE = 29.1, 46.0
"""Nominal incidence angles at the edges of the mode IW in degrees (see `MODE_PAGE`)."""

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
