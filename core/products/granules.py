"""Source granules of products: what their names say without any service."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .sentinel1 import BURST_SECONDS, POLARIZATIONS

ORBITS_PER_CYCLE = 175
_S1C_MANEUVER = 8018
_BURST_INTERVAL = 2.758273
_PREAMBLE_SECONDS = 2.299849
ORBIT_SECONDS = 12 * 86400 / ORBITS_PER_CYCLE
_TURN_MARGIN = 0.005

_FRAME = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>[A-Z0-9]{2})_(?P<kind>SLC|GRD)(?P<resolution>[FHM_])"
    r"_(?P<level>\d)[SA](?P<polarization>[SD][VH])_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
    r"_(?P<orbit>\d{6})_[0-9A-F]{6}_[0-9A-F]{4}"
)
_BURST = re.compile(
    r"S1_(?P<burst>\d{6})_(?P<swath>(?P<mode>IW|EW)\d)_(?P<start>\d{8}T\d{6})"
    r"_(?P<polarization>[VH]{2})_[0-9A-F]{4}-BURST"
)
_ANY_TIME = re.compile(r"(?<!\d)(\d{8}T\d{6})(?!\d)")

_ARCHIVE = "https://sentinel1.asf.alaska.edu"
_SEARCH = "https://api.daac.asf.alaska.edu/services/search/param?output=geojson&granule_list="


@dataclass(frozen=True, slots=True)
class Granule:
    """A frame or burst that products are made from, as far as its name says."""

    name: str
    # UTC, whole seconds; None where the name does not say. Those of bursts lack the end.
    start: datetime | None = None
    stop: datetime | None = None
    kind: str = ""  # ``SLC`` or ``GRD``; empty where the form of the name is unknown
    mode: str = ""  # ``IW``, ``EW`` or ``S1`` to ``S6``
    polarizations: tuple[str, ...] = ()  # as recorded, ``VV`` before ``VH``
    platform: str | None = None  # ``S1A`` ...; None for bursts
    orbit: int | None = None  # absolute orbit number; None for bursts
    path: int | None = None  # relative orbit number, 1..175
    # Whether the satellite flew north; None where the name does not say.
    ascending: bool | None = None
    # ``IW2`` ... of a burst, else None.
    swath: str | None = None
    burst: int | None = None  # relative burst number; None for whole frames
    url: str = ""  # where it can be had: its file, or for a burst the search that gives its file

    @property
    def end(self) -> datetime | None:
        """UTC end; that of a burst from its nominal length."""
        if self.stop is not None or self.start is None:
            return self.stop
        return self.start + timedelta(seconds=BURST_SECONDS)


def parse_granule(name: str) -> Granule:
    """Read a granule name; one of an unknown form gives a granule with no facts but its start."""
    match = _FRAME.fullmatch(name)
    if match:
        platform, orbit, kind = match["platform"], int(match["orbit"]), match["kind"]
        folder = (
            kind if kind == "SLC" else f"{kind}_{match['resolution']}{match['polarization'][0]}"
        )
        return Granule(
            name,
            _utc(match["start"]),
            _utc(match["stop"]),
            kind,
            match["mode"],
            POLARIZATIONS[match["polarization"]],
            platform,
            orbit,
            relative_orbit(platform, orbit),
            url=f"{_ARCHIVE}/{folder}/S{platform[2]}/{name}.zip",
        )
    match = _BURST.fullmatch(name)
    if match:
        burst = int(match["burst"])
        path, ascending = burst_orbit(burst)
        return Granule(
            name,
            _utc(match["start"]),
            kind="SLC",
            mode=match["mode"],
            polarizations=(match["polarization"],),
            path=path,
            ascending=ascending,
            swath=match["swath"],
            burst=burst,
            url=_SEARCH + name,
        )
    match = _ANY_TIME.search(name)
    return Granule(name, _utc(match.group(1)) if match else None)


def known_granules(names: Iterable[str]) -> list[Granule]:
    """Return what names of granules say, without those of a form that is not Sentinel-1's."""
    return [item for item in map(parse_granule, names) if item.kind and item.start is not None]


def granules_in(text: str) -> tuple[str, ...]:
    """Return the names of frames that a text holds, each once."""
    found = (match.group() for match in re.finditer(rf"{_FRAME.pattern}\b", text))
    return tuple(dict.fromkeys(found))


def relative_orbit(platform: str | None, orbit: int | None) -> int | None:
    """Compute the path of an acquisition, 1..175; None where platform or orbit are unknown.

    Parameters
    ----------
    platform
        ``S1A`` ... ``S1D``.
    orbit
        Absolute orbit number.

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
    return (burst * _BURST_INTERVAL + _PREAMBLE_SECONDS) / ORBIT_SECONDS


def burst_orbit(burst: int) -> tuple[int, bool | None]:
    """Compute path and direction from the relative number of a burst, 1..375887.

    ESA counts bursts along the 175 orbits of a cycle from the ascending node on, one each
    2.758273 s after a preamble of 2.299849 s (Sentinel-1 Level-1 Detailed Algorithm Definition,
    burst identification), so the number is a time within the cycle.

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
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
