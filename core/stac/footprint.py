"""The outline of a stack as GeoJSON asks for it."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry import MultiPolygon, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from ..grid.antimeridian import limits

_DIGITS = 6


def footprint(outline: str) -> tuple[dict[str, Any], list[float]]:
    """Return the outline of data and the box around it.

    Parameters
    ----------
    outline
        WKT of a polygon, longitude latitude in degrees (WGS 84); of one on either side where it
        crosses the antimeridian.

    Returns
    -------
    geometry : dict
        GeoJSON of the same polygons, as RFC 7946 (section 3.1.9) asks.
    bbox : list of float
        West, south, east, north; west is greater than east where it crosses the antimeridian.
    """
    shape = shapely.from_wkt(outline)
    _, south, _, north = shape.bounds
    west, east = limits(shapely.get_coordinates(shape)[:, 0])
    return _geojson(shape), _rounded([west, south, east, north])


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
