"""Where a stack lies, in its own coordinates and on the globe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from ..grid.antimeridian import limits, split, unwrap
from ..grid.lattice import Grid, to_longitude_latitude

_EDGE_POINTS = 21
_METERS_PER_DEGREE = 111_195.0
"""Along a meridian of a sphere with the mean radius of the Earth."""

Positions = Sequence[tuple[float, float]]


def grid_attributes(grid: Grid) -> dict[str, Any]:
    """Return the extent of a grid (all pixels, with and without data).

    Across the antimeridian, ``geospatial_lon_min`` is greater than ``geospatial_lon_max``, as ACDD
    asks.
    """
    left, bottom, right, top = grid.bounds
    along = np.linspace(0.0, 1.0, _EDGE_POINTS)
    across, up = left + along * (right - left), bottom + along * (top - bottom)
    x = np.concatenate([across, across, np.full_like(up, left), np.full_like(up, right)])
    y = np.concatenate([np.full_like(across, bottom), np.full_like(across, top), up, up])
    longitude, latitude = to_longitude_latitude(grid).transform(x, y)
    west, east = limits(longitude)
    degrees = grid.spacing / _METERS_PER_DEGREE
    shrink = max(float(np.cos(np.radians(np.abs(latitude).mean()))), 1e-6)
    return {
        "geospatial_lat_min": float(np.min(latitude)),
        "geospatial_lat_max": float(np.max(latitude)),
        "geospatial_lat_units": "degrees_north",
        "geospatial_lat_resolution": f"{degrees:.3g} degree",
        "geospatial_lon_min": west,
        "geospatial_lon_max": east,
        "geospatial_lon_units": "degrees_east",
        "geospatial_lon_resolution": f"{degrees / shrink:.3g} degree",
        "bounding_box": np.array([left, bottom, right, top]),
        "bounding_box_comment": "left, bottom, right, top of all pixels in the CRS of the grid",
        "column_spacing": grid.spacing,
        "line_spacing": grid.spacing,
        "spacing_units": "m",
        "number_of_lines": grid.height,
        "number_of_pixels_per_line": grid.width,
    }


def outline_attributes(
    grid: Grid, positions: NDArray[np.float64] | Positions, what: str = "the area with data"
) -> dict[str, Any]:
    """Return the outline of data: the convex hull of map positions, in degrees.

    Across the antimeridian, it consists of one polygon on either side.

    Parameters
    ----------
    grid
        The grid, for its CRS.
    positions
        Map positions (x, y) in meters, shape (n, 2), of which the hull is drawn.
    what
        What lies there, in words.
    """
    places = np.asarray(positions, "float64")
    # One closed line takes a tenth of the time of as many points.
    hull = shapely.linestrings(np.concatenate([places, places[:1]])).convex_hull
    if hull.geom_type != "Polygon":
        hull = hull.buffer(grid.spacing, cap_style="square")
    x, y = np.array(hull.simplify(grid.spacing).exterior.coords).T
    longitude, latitude = to_longitude_latitude(grid).transform(x, y)
    outline = split(shapely.Polygon(np.column_stack([unwrap(longitude), latitude])))
    return {
        # The order of EPSG:4326 is latitude, longitude, which ACDD takes over.
        "geospatial_bounds": _wkt(shapely.transform(outline, lambda points: points[:, ::-1])),
        "geospatial_bounds_crs": "EPSG:4326",
        "footprint": _wkt(outline),
        "footprint_crs": "OGC:CRS84",
        "footprint_comment": f"longitude latitude; convex hull of {what}",
    }


def _wkt(shape: BaseGeometry) -> str:
    return shapely.to_wkt(shape, rounding_precision=6, trim=False)


def corners(boxes: Sequence[tuple[float, float, float, float]]) -> Positions:
    """Return the corners of boxes left, bottom, right, top."""
    return [
        (x, y) for left, bottom, right, top in boxes for x in (left, right) for y in (bottom, top)
    ]
