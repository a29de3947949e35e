"""Coordinate reference systems: their codes, units and names."""

from __future__ import annotations

import functools

from pyproj import CRS
from pyproj.exceptions import CRSError

from ..errors import InvalidParameterError
from ..run.parameters import shown


def authority_of(crs: CRS, name: str | None = None) -> tuple[str, str] | None:
    """Return authority and code of a CRS, among those of an authority only if one is named.

    Returns
    -------
    tuple of str or None
        Such as ``("EPSG", "32606")``; None for a CRS without a code. What is only similar does not
        count: PROJ offers ED50 for any UTM zone on the international ellipsoid.
    """
    sure = crs.to_authority(name, min_confidence=100)
    if sure is not None:
        return sure
    similar = crs.to_authority(name)
    if similar is None or not CRS.from_authority(*similar).equals(crs, ignore_axis_order=True):
        return None
    return similar


def epsg_of(crs: CRS) -> int | None:
    """Return the EPSG code of a CRS; None for a CRS without one."""
    found = authority_of(crs, "EPSG")
    return None if found is None else int(found[1])


def crs_text(epsg: int | None, wkt: str) -> str:
    """Return what a CRS is asked for by: its code where it has one, else its WKT."""
    return f"EPSG:{epsg}" if epsg is not None else wkt


@functools.lru_cache(maxsize=64)
def parsed(text: str) -> CRS:
    """Return the CRS of a code or WKT, which takes a millisecond to make."""
    return CRS.from_user_input(text)


def given_crs(text: str, parameter: str) -> CRS:
    """Return the CRS in which the value of a parameter is given.

    Raises
    ------
    InvalidParameterError
        If it is unknown.
    """
    try:
        return CRS.from_user_input(text)
    except CRSError:
        raise InvalidParameterError(
            f"{parameter} is given in {shown(text)}, which is not a coordinate reference system; "
            "give a code such as EPSG:4326."
        ) from None


def is_metric(crs: CRS) -> bool:
    """Return whether coordinates are meters on a map."""
    return crs.is_projected and {axis.unit_name for axis in crs.axis_info} == {"metre"}


def title(text: str) -> str:
    """Return the name of a CRS for people, with its code where it has one."""
    name = code_or_name(text)
    return f"{parsed(text).name} ({name})" if text.startswith("EPSG:") else name


def code_or_name(text: str) -> str:
    """Return the code of a CRS, or its name where it has none."""
    if text.startswith("EPSG:"):
        return text
    name = parsed(text).name
    return "a system without name and code" if name in _NAMELESS else name


_NAMELESS = ("", "unknown", "unnamed")
"""What programs write for a name where they have none."""


def utm_zone(longitude: float, latitude: float) -> str:
    """Return the code of the UTM zone (WGS 84) of a place, as HyP3 chooses zones."""
    number = int((longitude + 180.0) // 6.0) % 60 + 1
    return f"EPSG:{32600 + number if latitude >= 0 else 32700 + number}"
