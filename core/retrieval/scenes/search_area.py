"""The area of interest, and shares of it that scenes cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from ...errors import InvalidParameterError
from ...inputs.raster_grid import GEOGRAPHIC
from ...run.parameters import Parameters
from ...run.vector_layer import Feature, layer_features
from ..jobs.job_footprints import extent_area, scenes_outline

_STEP_DEGREES = 0.25
"""Edges are cut into pieces of this length before they are projected."""
_LARGEST = 4e12
"""Square meters; a track of Sentinel-1 is 250 km wide, so this is far more than any stack."""
_SMALLEST = 1.0
"""Square meters."""
_LAST_LATITUDE = 89.0
"""The catalog takes no area around a pole; Sentinel-1 sees none of these degrees."""
_EARTH_RADIUS = 6_371_007.2
"""Meters, of a sphere of the Earth's area."""
_MOST_POINTS = 200
"""Of the area that the layer of scenes keeps."""


class SearchArea:
    """An area in degrees and on a plane where shares of it are measured.

    Parameters
    ----------
    outline
        Polygons in EPSG:4326, within -180..180 degrees.

    Attributes
    ----------
    outline
        The same.
    plane
        The area in a Lambert equal-area projection around it, in meters.

    Raises
    ------
    InvalidParameterError
        If it has no area, or is larger than what one track can see.
    """

    def __init__(self, outline: BaseGeometry) -> None:
        size = _size(outline)
        if size < _SMALLEST:
            raise InvalidParameterError("The area of interest is empty; give a larger one.")
        if size > _LARGEST:
            raise InvalidParameterError(
                f"The area of interest has {size / 1e6:,.0f} square kilometers, more than any "
                "stack of Sentinel-1; give a smaller one."
            )
        _, south, _, north = outline.bounds
        if max(north, -south) > _LAST_LATITUDE:
            raise InvalidParameterError(
                f"The area of interest reaches beyond {_LAST_LATITUDE:.0f} degrees of latitude, "
                "where Sentinel-1 does not look; give one that does not."
            )
        self.outline = outline
        longitude, latitude = _mean_direction(outline)
        self._transformer = pyproj.Transformer.from_crs(
            GEOGRAPHIC,
            f"+proj=laea +lat_0={latitude} +lon_0={longitude} +datum=WGS84 +units=m",
            always_xy=True,
        )
        self.plane = self.project(outline)

    def project(self, ground: BaseGeometry) -> BaseGeometry:
        """Return polygons in degrees on the plane."""
        dense = shapely.segmentize(ground, _STEP_DEGREES)
        flat = shapely.transform(
            dense, lambda points: np.column_stack(self._transformer.transform(*points.T))
        )
        return shapely.make_valid(flat)

    def project_ring(self, ring: Sequence[tuple[float, float]]) -> BaseGeometry:
        """Return the outline of a scene, longitude first, on the plane; empty where it has none."""
        outline = scenes_outline([ring])
        return shapely.Polygon() if outline is None else self.project(outline)

    def share(self, ground: BaseGeometry) -> float:
        """Return which share of the area some ground on the plane covers, 0 to 1."""
        return float(shapely.intersection(ground, self.plane).area / self.plane.area)

    @property
    def center(self) -> tuple[float, float]:
        """Longitude and latitude of the center of the area."""
        middle = self.plane.centroid
        longitude, latitude = self._transformer.transform(middle.x, middle.y, direction="INVERSE")
        return float(longitude), float(latitude)

    @property
    def queries(self) -> tuple[str, ...]:
        """WKT of convex areas that hold it, one on each side of the antimeridian."""
        west, _, east, _ = self.outline.bounds
        parts = shapely.get_parts(self.outline)
        if east - west <= 180:
            sides = [list(parts)]
        else:
            sides = [[part for part in parts if (part.centroid.x < 0) == left] for left in (0, 1)]
        hulls = [shapely.convex_hull(shapely.union_all(side)) for side in sides if side]
        return tuple(_text(hull) for hull in hulls)

    def text(self) -> str:
        """Return the area as WKT, with few points."""
        kept = self.outline
        tolerance = 1e-4
        while shapely.get_num_coordinates(kept) > _MOST_POINTS and tolerance < 1:
            kept = shapely.simplify(self.outline, tolerance)
            tolerance *= 2
        return _text(kept)


def _text(area: BaseGeometry) -> str:
    # asf_search and GeoJSON want the points counterclockwise.
    oriented = shapely.orient_polygons(area, exterior_cw=False)
    # Nine digits keep an area of a square meter, whatever its form.
    return str(shapely.to_wkt(oriented, rounding_precision=9))


def _size(outline: BaseGeometry) -> float:
    """Return the square meters of polygons in degrees, however large, by an equal-area cylinder."""
    flat = shapely.transform(
        shapely.segmentize(outline, _STEP_DEGREES) if not outline.is_empty else outline,
        lambda points: np.column_stack(
            [np.radians(points[:, 0]), np.sin(np.radians(points[:, 1]))]
        ),
    )
    return float(flat.area * _EARTH_RADIUS**2)


def _mean_direction(outline: BaseGeometry) -> tuple[float, float]:
    """Return longitude and latitude of the mean of an area's corners on the sphere."""
    longitude, latitude = np.radians(shapely.get_coordinates(outline)).T
    x, y, z = (
        float(np.mean(values))
        for values in (
            np.cos(latitude) * np.cos(longitude),
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
        )
    )
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def read_area(values: Parameters) -> SearchArea:
    """Read the area of interest of a job.

    Parameters
    ----------
    values
        With either ``EXTENT`` or ``AREA``.

    Raises
    ------
    InvalidParameterError
        If both or none are given, or the area cannot be used.
    """
    extent, features = values.extent(), layer_features(values, "AREA")
    if (extent is None) == (features is None):
        raise InvalidParameterError(
            "Give the area of interest either as EXTENT or as AREA, a layer of polygons."
        )
    if extent is not None:
        return SearchArea(extent_area(extent))
    return SearchArea(shapely.union_all([_polygons(item) for item in features or ()]))


def _polygons(feature: Feature) -> BaseGeometry:
    """Return the polygons of a feature of AREA."""
    try:
        shape = shapely.force_2d(shapely.geometry.shape(feature.geometry))
        polygons = [
            part
            for part in shapely.get_parts(shapely.make_valid(shape))
            if part.geom_type in ("Polygon", "MultiPolygon")
        ]
        area = shapely.union_all(polygons)
        west, south, east, north = area.bounds
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise InvalidParameterError("AREA has a feature without a polygon; remove it.") from None
    if area.is_empty:
        raise InvalidParameterError(
            "AREA has a feature that is not a polygon; buffer points and lines first."
        )
    if not (-180 <= west and east <= 180 and -90 <= south and north <= 90):
        raise InvalidParameterError(
            "AREA reaches beyond longitude and latitude; cut it at the antimeridian, and check the "
            "CRS of the layer."
        )
    return area
