"""The outline of a stack as GeoJSON asks for it."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry import MultiPolygon, box, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

_DIGITS = 6
_TURN = 360.0


def footprint(outline: str) -> tuple[dict[str, Any], list[float]]:
    """Return the outline of data and the box around it.

    Parameters
    ----------
    outline
        WKT polygon, longitude latitude in degrees (WGS 84).

    Returns
    -------
    geometry : dict
        GeoJSON; two polygons where the outline crosses longitude 180 (RFC 7946, section 3.1.9).
    bbox : list of float
        West, south, east, north; west is greater than east where it crosses longitude 180.
    """
    shape = shapely.from_wkt(outline)
    west, south, east, north = shape.bounds
    if east - west <= _TURN / 2:
        return _geojson(shape), _rounded([west, south, east, north])
    # No stack is half as wide as the Earth: the outline runs across longitude 180.
    shape = shapely.transform(shape, lambda points: points + (points < 0) * [_TURN, 0.0])
    west, south, east, north = shape.bounds
    before = shape.intersection(box(0.0, -90.0, _TURN / 2, 90.0))
    after = translate(shape.intersection(box(_TURN / 2, -90.0, _TURN, 90.0)), -_TURN)
    parts = MultiPolygon([part for part in (before, after) if part.geom_type == "Polygon"])
    return _geojson(parts), _rounded([west, south, east - _TURN, north])


def _geojson(shape: BaseGeometry) -> dict[str, Any]:
    """Return a shape as GeoJSON, outer rings counterclockwise."""
    if shape.geom_type == "Polygon":
        shape = orient(shape)
    else:
        shape = MultiPolygon([orient(part) for part in shape.geoms])
    described = mapping(shape)
    return {"type": described["type"], "coordinates": _lists(described["coordinates"])}


def _lists(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_lists(item) for item in value]
    return round(float(value), _DIGITS)


def _rounded(numbers: list[float]) -> list[float]:
    return [round(float(number), _DIGITS) for number in numbers]
