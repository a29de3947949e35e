"""The ``key: value`` text file that comes with each interferogram."""

from __future__ import annotations

import codecs
import functools
import re
from collections.abc import Mapping
from types import MappingProxyType

_WIDE = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@functools.lru_cache(maxsize=256)
def _normal(key: str) -> str:
    """Fold spelling variants of a key: ``UTCtime`` and ``UTC time``, with or without ``(m)``."""
    return re.sub(r"\(m\)|[^a-z0-9]", "", key.lower())


def decoded(content: bytes) -> str:
    """Return a text that may have been saved anew by an editor, with a mark of its encoding."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), *_WIDE):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


SIDES = ("Reference", "Secondary")
"""How the entries of either acquisition of a pair begin."""

_LARGEST_NUMBER = 1e12
"""Far more than any length in meters or number of an orbit."""

PARAMETER_KEYS = {
    "perpendicular_baseline": "Baseline",
    "heading": "Heading",
    "slant_range_near": "Slant range near",
    "slant_range_center": "Slant range center",
    "slant_range_far": "Slant range far",
    "looks_range": "Range looks",
    "looks_azimuth": "Azimuth looks",
    "phase_filter_parameter": "Phase filter parameter",
    "dem_spacing": "DEM resolution (m)",
    "hyp3_reference_longitude": "Longitude of the reference point (WGS84)",
    "hyp3_reference_latitude": "Latitude of the reference point (WGS84)",
    "hyp3_reference_phase": "Phase at reference point",
    "spacecraft_height": "Spacecraft height",
    "earth_radius": "Earth radius at nadir",
}
"""Keys of the numbers that a stack takes over, by the variable that holds them."""

_NUMBERS = {
    _normal(key)
    for key in (
        *PARAMETER_KEYS.values(),
        *(f"{side} Orbit Number" for side in SIDES),
        "UTC time",
        "Resolution of output (m)",
    )
}
"""Keys whose values are numbers wherever they are there."""

_SHOWN = 40


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


class ParameterFile:
    """Typed, tolerant access to a parameter file.

    Keys come and go between versions of HyP3, so a missing key is normal and every reader returns
    None for it, as for a value that is not of the asked type. Keys are compared without regard to
    case, spaces, punctuation and the unit (m). Values may contain colons.

    Parameters
    ----------
    text
        Content of the file; lines without a colon are passed over.

    Attributes
    ----------
    flaws
        What is wrong with it, as clauses; nothing for files of HyP3.
    """

    def __init__(self, text: str) -> None:
        entries: dict[str, str] = {}
        self._by_normal: dict[str, str] = {}
        flaws = []
        for line in text.splitlines():
            key, colon, value = map(str.strip, _printable(line).partition(":"))
            if not (colon and _normal(key)):
                continue
            entries.setdefault(key, value)
            first = self._by_normal.setdefault(_normal(key), value)
            if first != value:
                flaws.append(
                    f"has {key[:_SHOWN]} twice, of which {first[:_SHOWN]} counts and "
                    f"{value[:_SHOWN]} does not"
                )
        self.content = text
        self.entries: Mapping[str, str] = MappingProxyType(entries)
        for key, value in entries.items():
            if _normal(key) in _NUMBERS and value and self.number(key) is None:
                more = f"... ({len(value)} characters)" if len(value) > _SHOWN else ""
                flaws.append(f"has {value[:_SHOWN]}{more} for {key}, which is passed over")
        if not _NUMBERS & self._by_normal.keys():
            flaws = ["holds nothing that HyP3 writes into it, so that its facts are lost"]
        self.flaws = tuple(flaws)

    def text(self, key: str) -> str | None:
        """Return the value as written, None where it is missing or blank."""
        return self._by_normal.get(_normal(key)) or None

    def number(self, key: str) -> float | None:
        """Return a number of a size that a measured one may have."""
        try:
            value = float(self.text(key) or "")
        except ValueError:
            return None
        return value if abs(value) < _LARGEST_NUMBER else None

    def integer(self, key: str) -> int | None:
        """Return a whole number; ``160.0`` counts as one."""
        value = self.number(key)
        return int(value) if value is not None and value == int(value) else None

    def names(self, key: str) -> tuple[str, ...]:
        """Return the entries of a comma-separated value (granules of a multi-burst product)."""
        return tuple(part.strip() for part in (self.text(key) or "").split(",") if part.strip())

    def flag(self, key: str) -> bool | None:
        """Return a yes/no value."""
        return {"yes": True, "no": False}.get((self.text(key) or "").lower())
