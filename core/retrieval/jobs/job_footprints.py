"""Footprints of jobs in longitude and latitude, also across the antimeridian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyproj
import shapely
from pyproj.exceptions import ProjError
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from ...errors import InvalidParameterError
from ...grid.antimeridian import split, unwrap
from ...inputs.raster_grid import GEOGRAPHIC
from ...run.parameters import Extent
from ..catalog.catalog_cache import SceneFacts
from .jobs import JobRecord


def job_footprint(job: JobRecord, facts: Mapping[str, SceneFacts]) -> BaseGeometry | None:
    """Return the ground that a job covers, within -180..180 degrees; None where it is unknown.

    Parameters
    ----------
    job
        The outlines of its reference scenes are united, those of its secondary scenes too, and
        the product covers what both share.
    facts
        Catalog facts by granule name.
    """
    reference = scenes_outline([facts[s.name].ring for s in job.reference if s.name in facts])
    secondary = scenes_outline([facts[s.name].ring for s in job.secondary if s.name in facts])
    if reference is None or secondary is None:
        area = reference or secondary
    else:
        area = shapely.intersection(reference, secondary)
        if shapely.is_empty(area) or area.area == 0:
            area = reference
    return None if area is None else split(area)


def scenes_outline(rings: Sequence[Sequence[tuple[float, float]]]) -> BaseGeometry | None:
    """Return the union of outlines in degrees, beyond 180 where they lie across the antimeridian.

    Returns
    -------
    shapely geometry or None
        None where no ring is one.
    """
    polygons = []
    for ring in rings:
        if len(ring) < 3:
            continue
        longitude, latitude = np.array(ring).T
        polygon = shapely.Polygon(np.column_stack([unwrap(longitude), latitude]))
        polygons.append(shapely.make_valid(polygon))
    if not polygons:
        return None
    # Scenes of one pair may lie on both sides of the seam; all follow the first.
    first = polygons[0].centroid.x
    shifted = [
        translate(polygon, 360.0 * round((first - polygon.centroid.x) / 360.0))
        for polygon in polygons
    ]
    return shapely.union_all(shifted)


def extent_area(extent: Extent) -> BaseGeometry:
    """Return a rectangle of any CRS as an area in EPSG:4326.

    Parameters
    ----------
    extent
        Its CRS has to be given, because numbers alone may be degrees or meters.

    Raises
    ------
    InvalidParameterError
        If the CRS is missing or unknown, or the rectangle lies outside of where it is defined.
    """
    if not extent.crs:
        raise InvalidParameterError(
            "EXTENT has no coordinate reference system; write it behind the numbers, such as "
            "[EPSG:4326]."
        )
    bounds = (extent.xmin, extent.ymin, extent.xmax, extent.ymax)
    try:
        transformer = pyproj.Transformer.from_crs(extent.crs, GEOGRAPHIC, always_xy=True)
        west, south, east, north = transformer.transform_bounds(*bounds, errcheck=True)
    except ProjError as error:
        raise InvalidParameterError(
            f"EXTENT with the CRS {extent.crs} cannot be expressed as longitude and latitude "
            f"({error}); give it in another CRS."
        ) from None
    if west > east:
        east += 360.0
    # The map of a window may reach beyond the poles.
    south, north = max(south, -90.0), min(north, 90.0)
    area = shapely.Polygon() if south >= north else split(shapely.box(west, south, east, north))
    if area.is_empty:
        raise InvalidParameterError(
            f"EXTENT lies outside of longitude and latitude in its CRS, {extent.crs}; check that "
            "the numbers are of this CRS."
        )
    return area


def geojson_geometry(area: BaseGeometry | None) -> dict[str, Any] | None:
    """Return the GeoJSON object of a footprint, counterclockwise as RFC 7946 asks."""
    if area is None:
        return None
    oriented = shapely.orient_polygons(area)
    mapping: dict[str, Any] = shapely.geometry.mapping(oriented)
    return mapping
