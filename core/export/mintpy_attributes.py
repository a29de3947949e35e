"""What MintPy has to know of a stack, in its own words: attributes of its HDF5 files.

MintPy documents them at https://mintpy.readthedocs.io/en/latest/api/attributes/. All values are
text.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pyproj import CRS

from ..errors import InvalidParameterError
from ..grid.lattice import Grid, to_longitude_latitude
from ..products.layers import LOOK_AZIMUTH
from ..products.sentinel1 import SOURCE_IMAGES, WAVELENGTH
from .stack_part import StackPart, compact

NOMINAL_HEIGHT = 693_000.0
"""Meters; mean height of Sentinel-1 (ESA, Sentinel-1 product definition, S1-RS-MDA-52-7440)."""

NOMINAL_RADIUS = 6_371_000.0
"""Meters; mean radius of the Earth."""

_BLOCK = 256


def base_attributes(part: StackPart) -> dict[str, str]:
    """Return the attributes that all files of a project share.

    Displacement says less on how it was acquired than pairs do.

    Raises
    ------
    InvalidParameterError
        If two dates or pairs fall on the same days, by which MintPy names them, or the direction of
        flight is not known.
    """
    if not part.is_daily:
        raise InvalidParameterError(
            f"{part.stack.parameter} is {part.stack.place}, which has several steps of the same "
            "days, but MintPy names dates by day; choose a period without them by START and END, "
            "or FORMAT geotiff."
        )
    heading = _heading(part)
    image = SOURCE_IMAGES["SLC"]
    days = sorted({day for times in part.times for day in compact(times)})
    found: dict[str, Any] = {
        "PROCESSOR": "hyp3",
        "PLATFORM": "Sen",
        "ANTENNA_SIDE": -1,
        "WAVELENGTH": WAVELENGTH,
        "HEADING": heading,
        "ORBIT_DIRECTION": "ASCENDING" if abs(heading) < 90 else "DESCENDING",
        "CENTER_LINE_UTC": _seconds_of_day(part),
        "HEIGHT": _mean(part, "spacecraft_height") or _height(part),
        "EARTH_RADIUS": _mean(part, "earth_radius") or NOMINAL_RADIUS,
        "STARTING_RANGE": _mean(part, "slant_range_near"),
        "START_DATE": days[0],
        "END_DATE": days[-1],
        "beam_mode": "IW",
    }
    looks = _mean(part, "looks_range"), _mean(part, "looks_azimuth")
    if looks[0] is not None and looks[1] is not None:
        found |= {
            "RLOOKS": round(looks[0]),
            "ALOOKS": round(looks[1]),
            "RANGE_PIXEL_SIZE": image.range_spacing * round(looks[0]),
            "AZIMUTH_PIXEL_SIZE": image.azimuth_spacing * round(looks[1]),
        }
    orbit = part.stack.values("orbit_relative")
    if orbit is not None and orbit.size and not math.isnan(orbit.ravel()[0]):
        found["relative_orbit"] = int(orbit.ravel()[0])
    method = part.stack.values("unwrapping_method")
    if method is not None and method.size:
        found["unwrap_method"] = method.ravel()[0]
    found |= _grid_attributes(part.grid, found["ORBIT_DIRECTION"] == "ASCENDING")
    return {name: str(value) for name, value in found.items() if value is not None}


def _grid_attributes(grid: Grid, is_ascending: bool) -> dict[str, Any]:
    """Return where the pixels lie; MintPy's first coordinates are those of the outer corner."""
    left, bottom, right, top = grid.bounds
    found: dict[str, Any] = {
        "LENGTH": grid.height,
        "WIDTH": grid.width,
        "X_FIRST": left,
        "Y_FIRST": top,
        "X_STEP": grid.spacing,
        "Y_STEP": -grid.spacing,
        "X_UNIT": "meters",
        "Y_UNIT": "meters",
        "EPSG": grid.epsg,
        "UTM_ZONE": CRS.from_wkt(grid.wkt).utm_zone,
    }
    # Corners in the order of the radar: first and last line, each with near and far range.
    corners = ((left, bottom), (right, bottom), (left, top), (right, top))
    for number, (x, y) in enumerate(corners if is_ascending else reversed(corners), 1):
        longitude, latitude = to_longitude_latitude(grid).transform(x, y)
        found |= {f"LAT_REF{number}": latitude, f"LON_REF{number}": longitude}
    return found


def _mean(part: StackPart, name: str) -> float | None:
    values = part.numbers(name) if part.stack.is_insar else None
    return None if values is None or np.isnan(values).all() else float(np.nanmean(values))


def _height(part: StackPart) -> float:
    """Return the height of the satellite that slant range and incidence in the center mean."""
    distance, incidence = _mean(part, "slant_range_center"), part.stack.values("incidence_center")
    if distance is None or incidence is None:
        return NOMINAL_HEIGHT
    # Law of cosines in the triangle of Earth's center, ground and satellite.
    cosine = math.cos(math.radians(float(incidence)))
    squares = NOMINAL_RADIUS**2 + distance**2 + 2 * NOMINAL_RADIUS * distance * cosine
    return math.sqrt(squares) - NOMINAL_RADIUS


def _seconds_of_day(part: StackPart) -> float:
    """Return the mean time of day of the acquisitions, across midnight as well."""
    times = np.concatenate(part.times)
    seconds = (times - times.astype("datetime64[D]")) / np.timedelta64(1, "s")
    turns = np.exp(2j * np.pi * seconds / 86_400.0).mean()
    return float(np.angle(turns) / (2 * np.pi) * 86_400.0 % 86_400.0)


def _heading(part: StackPart) -> float:
    """Return the heading of the satellite in degrees, -360 to 0."""
    headings = part.numbers("heading") if part.stack.is_insar else None
    if headings is None or np.isnan(headings).all():
        # The satellite looks to the right: the line from the ground to it, counterclockwise from
        # east, is at 180 degrees less the heading.
        headings = 180.0 - np.degrees(_look_azimuths(part))
    turns = np.exp(1j * np.radians(headings[~np.isnan(headings)])).mean()
    return float(np.degrees(np.angle(turns)) % 360.0 - 360.0)


def _look_azimuths(part: StackPart) -> Any:
    """Return ``lv_phi`` of a block of pixels that has some."""
    if LOOK_AZIMUTH in part.stack.layers:
        height, width = part.grid.height, part.grid.width
        for top in range(0, height, _BLOCK):
            for left in range(0, width, _BLOCK):
                rows = slice(top, min(top + _BLOCK, height))
                block = part.read_once(LOOK_AZIMUTH, rows, slice(left, min(left + _BLOCK, width)))
                if not np.isnan(block).all():
                    return block[~np.isnan(block)]
    raise InvalidParameterError(
        f"{part.stack.parameter} is {part.stack.place}, which lacks the heading of the "
        f"satellite and has no {LOOK_AZIMUTH}; build the stack with {LOOK_AZIMUTH}, or choose "
        "FORMAT geotiff."
    )
