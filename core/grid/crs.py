"""Codes of coordinate reference systems, only where they stand for the very same system."""

from __future__ import annotations

from pyproj import CRS


def authority_of(crs: CRS, name: str | None = None) -> tuple[str, str] | None:
    """Return authority and code of a CRS.

    Parameters
    ----------
    crs
        The CRS.
    name
        Only codes of this authority; None for any.

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
