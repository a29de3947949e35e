"""Where the sensor was, computed from angles and distances that HyP3 delivers."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np

_NOON = 12.0
_LARGEST_LATITUDE = 75.0
"""Degrees; beyond it the local time of a pass changes too fast to give its direction."""


def incidence_angle(radius: float, height: float, slant_range: float) -> float | None:
    """Return the ellipsoidal incidence angle at a distance from the sensor.

    Parameters
    ----------
    radius, height
        Radius of the Earth at nadir and height of the satellite above it, in meters.
    slant_range
        Distance from satellite to ground, in meters.

    Returns
    -------
    float or None
        Degrees from the vertical by the law of cosines in the triangle of Earth's center, ground
        and satellite; None where there is no such triangle.
    """
    if min(radius, height, slant_range) <= 0:
        return None
    cosine = ((radius + height) ** 2 - radius**2 - slant_range**2) / (2 * radius * slant_range)
    return math.degrees(math.acos(cosine)) if -1 <= cosine <= 1 else None


def look_vector(
    longitude: float, latitude: float, elevation: float, azimuth: float
) -> tuple[float, float, float]:
    """Return the unit vector from sensor to ground in Earth-centered, Earth-fixed coordinates.

    Parameters
    ----------
    longitude, latitude
        Position on the ground in degrees (WGS 84).
    elevation, azimuth
        HyP3's ``lv_theta`` (above the horizon) and ``lv_phi`` (counterclockwise from true east) of
        the line from ground to sensor, in radians.

    Returns
    -------
    tuple of float
        x, y, z; minus the direction to the sensor, turned from local east, north, up.
    """
    x, y, z = (
        float(look_component(axis, longitude, latitude, elevation, azimuth)) for axis in "xyz"
    )
    return x, y, z


def look_component(axis: str, longitude: Any, latitude: Any, elevation: Any, azimuth: Any) -> Any:
    """Return one component of the look vector.

    Parameters
    ----------
    axis
        ``x``, ``y`` or ``z``.
    longitude, latitude, elevation, azimuth
        As for :func:`look_vector`, numbers or arrays of one shape.
    """
    lon, lat = np.radians(longitude), np.radians(latitude)
    level, up = np.cos(elevation), np.sin(elevation)
    north = level * np.sin(azimuth)
    if axis == "z":
        return -(np.cos(lat) * north + np.sin(lat) * up)
    outward = np.cos(lat) * up - np.sin(lat) * north
    east = level * np.cos(azimuth)
    if axis == "x":
        return np.sin(lon) * east - np.cos(lon) * outward
    return -np.cos(lon) * east - np.sin(lon) * outward


def look_angles(heading: float, incidence: float) -> tuple[float, float]:
    """Return elevation and azimuth (as ``lv_theta``, ``lv_phi``) of the line to the sensor.

    Parameters
    ----------
    heading
        Of the satellite, in degrees clockwise from north; it looks to the right.
    incidence
        Ellipsoidal incidence angle in degrees.
    """
    to_sensor = heading - 90.0  # clockwise from north
    return math.radians(90.0 - incidence), math.radians(90.0 - to_sensor)


def is_ascending(time: datetime, longitude: float, latitude: float) -> bool | None:
    """Return whether a Sentinel-1 pass flew north, from the local time on the ground.

    The orbit is sun-synchronous with its ascending node at 18:00 mean local time (Sentinel-1
    mission requirements), so that northward passes are in the evening, southward ones in the
    morning. None at high latitudes.
    """
    if abs(latitude) > _LARGEST_LATITUDE:
        return None
    hours = time.hour + time.minute / 60 + time.second / 3600 + longitude / 15
    return hours % 24 >= _NOON
