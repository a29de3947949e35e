"""Longitudes and areas across the antimeridian, where degrees jump from 180 to -180."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.affinity import translate
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

_HALF_TURN = 180.0
_TURN = 360.0


def unwrap(longitudes: ArrayLike) -> NDArray[np.float64]:
    """Return the longitudes of one area without the jump: they go on beyond 180."""
    values = np.asarray(longitudes, "float64")
    # No scene and no stack is half as wide as the Earth.
    return values + _TURN * (values < 0) if np.ptp(values) > _HALF_TURN else values


def wrap(longitude: float) -> float:
    """Return a longitude of an unwrapped area as it is written, within -180..180."""
    return longitude - _TURN if longitude > _HALF_TURN else longitude


def limits(longitudes: ArrayLike) -> tuple[float, float]:
    """Return west and east of an area; west is greater where it crosses the antimeridian."""
    values = unwrap(longitudes)
    return wrap(float(values.min())), wrap(float(values.max()))


def split(area: BaseGeometry) -> BaseGeometry:
    """Cut an area without the jump at the antimeridian, both sides within -180..180.

    An area that does not cross it is returned as it is.

    Parameters
    ----------
    area
        Polygons, longitude first, as :func:`unwrap` gives their longitudes.
    """
    west, _, east, _ = area.bounds
    if -_HALF_TURN <= west and east <= _HALF_TURN:
        return area
    polygons = []
    for shift in (-_TURN, 0.0, _TURN):
        world = box(shift - _HALF_TURN, -90.0, shift + _HALF_TURN, 90.0)
        side = translate(shapely.intersection(area, world), -shift)
        polygons += [part for part in shapely.get_parts(side) if part.area > 0]
    # A map of the whole Earth and more has sides that overlap.
    return shapely.union_all(polygons)
