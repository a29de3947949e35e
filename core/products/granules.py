"""What the names of source granules tell about acquisitions, without any service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone

from .sentinel1 import POLARIZATIONS

_SCENE = re.compile(
    r"(?P<platform>S1[A-D])_(?P<mode>IW|EW|S[1-6])_(?P<type>SLC|GRD)(?P<class>[FHM_])_(?P<level>\d)"
    r"[SA](?P<polarization>[SD][VH])_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})"
    r"_(?P<orbit>\d{6})_[0-9A-F]{6}_[0-9A-F]{4}"
)
_BURST = re.compile(
    r"S1_(?P<burst>\d{6})_(?P<swath>(?P<mode>IW|EW)\d)_(?P<start>\d{8}T\d{6})"
    r"_(?P<polarization>VV|VH|HH|HV)_[0-9A-F]{4}-BURST"
)


@dataclass(frozen=True)
class Granule:
    """A source granule.

    Parameters
    ----------
    name
        Its name.
    start
        UTC start.
    stop
        UTC end; None for bursts, whose names lack it.
    platform
        ``S1A`` ...; None for bursts.
    orbit
        Absolute orbit number; None for bursts.
    mode
        ``IW``, ``EW`` or ``S1`` to ``S6``.
    swath
        ``IW2`` ... of a burst, else None.
    kind
        ``SLC`` or ``GRD``.
    polarizations
        As recorded, separated by spaces.
    burst
        Relative burst number; None for whole scenes.
    """

    name: str
    start: datetime
    stop: datetime | None
    platform: str | None
    orbit: int | None
    mode: str
    swath: str | None
    kind: str
    polarizations: str
    burst: int | None = None

    @property
    def url(self) -> str:
        """Where the granule can be had: its file, or for a burst the search that gives its file."""
        if self.burst is not None:
            return (
                "https://api.daac.asf.alaska.edu/services/search/param?output=geojson&granule_list="
                + self.name
            )
        folder = self.kind
        if folder == "GRD":
            folder += f"_{self.name[10]}{self.name[14]}"
        return f"https://sentinel1.asf.alaska.edu/{folder}/S{self.name[2]}/{self.name}.zip"


def parse_granule(name: str) -> Granule | None:
    """Read a granule name, None where its form is unknown."""
    match = _SCENE.fullmatch(name)
    if match:
        return Granule(
            name=name,
            start=_utc(match["start"]),
            stop=_utc(match["stop"]),
            platform=match["platform"],
            orbit=int(match["orbit"]),
            mode=match["mode"],
            swath=None,
            kind=match["type"],
            polarizations=" ".join(POLARIZATIONS[match["polarization"]]),
        )
    match = _BURST.fullmatch(name)
    if match:
        return Granule(
            name=name,
            start=_utc(match["start"]),
            stop=None,
            platform=None,
            orbit=None,
            mode=match["mode"],
            swath=match["swath"],
            kind="SLC",
            polarizations=match["polarization"],
            burst=int(match["burst"]),
        )
    return None


def _utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=timezone.utc)
