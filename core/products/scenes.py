"""Sentinel-1 scenes: what their names tell without any service."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from .sentinel1 import POLARIZATIONS

ORBITS_PER_CYCLE = 175
_S1C_MANEUVER = 8018
_BURST_SECONDS = 2.758273
_PREAMBLE_SECONDS = 2.299849
ORBIT_SECONDS = 12 * 86400 / ORBITS_PER_CYCLE
_TURN_MARGIN = 0.005

_FRAME = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>[A-Z0-9]{2})_(?:SLC_|GRD[FHM])_\d[SA]"
    r"(?P<polarization>[SD][VH])_(?P<start>\d{8}T\d{6})_\d{8}T\d{6}_(?P<orbit>\d{6})_"
    r"[0-9A-F]{6}_[0-9A-F]{4}"
)
_BURST = re.compile(
    r"S1_(?P<burst>\d{6})_(?:IW|EW)\d_(?P<start>\d{8}T\d{6})_(?P<polarization>[VH]{2})_"
    r"[0-9A-F]{4}-BURST"
)
_ANY_TIME = re.compile(r"(?<!\d)(\d{8}T\d{6})(?!\d)")


@dataclass(frozen=True, slots=True)
class Scene:
    """A granule that a job was ordered with.

    Parameters
    ----------
    name
        Granule name.
    start
        Start of the acquisition (UTC, whole seconds); None where the name does not tell.
    path
        Relative orbit number, 1..175; None where the name does not tell.
    ascending
        Whether the satellite flew north; None where the name does not tell.
    polarization
        ``VV``, ``VV+VH`` ...; empty where the name does not tell.
    burst
        Relative burst number; None for whole frames.
    """

    name: str
    start: datetime | None
    path: int | None
    ascending: bool | None
    polarization: str
    burst: int | None = None


def parse_scene(name: str) -> Scene:
    """Read a granule name; an unknown form gives a scene without facts."""
    match = _FRAME.fullmatch(name)
    if match:
        return Scene(
            name=name,
            start=_utc(match["start"]),
            path=relative_orbit(match["platform"], int(match["orbit"])),
            ascending=None,
            polarization="+".join(POLARIZATIONS[match["polarization"]]),
        )
    match = _BURST.fullmatch(name)
    if match:
        burst = int(match["burst"])
        path, ascending = burst_orbit(burst)
        return Scene(name, _utc(match["start"]), path, ascending, match["polarization"], burst)
    match = _ANY_TIME.search(name)
    return Scene(name, _utc(match.group(1)) if match else None, None, None, "")


def relative_orbit(platform: str | None, orbit: int | None) -> int | None:
    """Compute the path of a Sentinel-1 acquisition.

    Parameters
    ----------
    platform
        ``S1A`` ... ``S1D``.
    orbit
        Absolute orbit number.

    Returns
    -------
    int or None
        Relative orbit, 1..175; None where platform or orbit are unknown.

    Notes
    -----
    The offsets are those of the orbit phasing of each satellite, as used by HyP3's own checks and
    by MintPy; that of S1C changed with a maneuver after orbit 8018.
    """
    if platform is None or orbit is None:
        return None
    offsets = {"S1A": 73, "S1B": 27, "S1C": 172 if orbit <= _S1C_MANEUVER else 99, "S1D": 42}
    if platform not in offsets:
        return None
    return (orbit - offsets[platform]) % ORBITS_PER_CYCLE + 1


def orbits_of_burst(burst: int) -> float:
    """Return the time of a burst in orbits since the first ascending node of the cycle."""
    return (burst * _BURST_SECONDS + _PREAMBLE_SECONDS) / ORBIT_SECONDS


def burst_orbit(burst: int) -> tuple[int, bool | None]:
    """Compute path and direction from the number of a burst.

    ESA counts bursts along the 175 orbits of a cycle from the ascending node on, one each
    2.758273 s after a preamble of 2.299849 s (Sentinel-1 Level-1 Detailed Algorithm Definition,
    burst identification), so the number is a time within the cycle.

    Parameters
    ----------
    burst
        Relative burst number, 1..375887.

    Returns
    -------
    path : int
        Relative orbit, 1..175.
    ascending : bool or None
        None close to the northernmost and southernmost point of the orbit.
    """
    orbits = orbits_of_burst(burst)
    path = min(math.floor(orbits), ORBITS_PER_CYCLE - 1) + 1
    phase = orbits - math.floor(orbits)
    if min(abs(phase - 0.25), abs(phase - 0.75)) < _TURN_MARGIN:
        return path, None
    return path, phase < 0.25 or phase > 0.75


def _utc(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
