"""The layer of scenes: granules over an area, from which a network of pairs is planned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from ...errors import InvalidParameterError
from ...products.granules import parse_granule
from ...run.parameters import shown
from ...run.vector_layer import Feature
from ..catalog.state_vectors import Orbit
from .burst_sets import burst_of

SCENE_FIELDS: tuple[tuple[str, str], ...] = (
    ("granule", "string"),
    ("job_type", "string"),
    ("date", "string"),
    ("time", "string"),
    ("path", "integer"),
    ("direction", "string"),
    ("frame_or_burst", "string"),
    ("polarization", "string"),
    ("cover", "double"),
    ("date_cover", "double"),
    ("area", "string"),
    ("state_vectors", "string"),
)
"""Names and types of the attributes, in the order of the table's columns.

``date`` is the UTC day on which the pass over the area began, ``cover`` the share of the area that
the scene covers and ``date_cover`` that of all scenes of its pass. ``area`` is the area of interest
as WKT, and ``state_vectors`` holds JSON; both may be NULL.
"""

SCENE_COLUMNS = ("granule", "job_type", "date", "path")
"""Those that a plan cannot do without."""

ASCENDING, DESCENDING = "ascending", "descending"


@dataclass(frozen=True)
class Scene:
    """A scene that may become part of a pair."""

    granule: str  # its name
    job_type: str  # of the jobs that it is meant for
    day: date  # UTC day on which its pass began
    start: datetime | None  # UTC start; None where the layer does not have it
    # Those of its track.
    path: int
    direction: str
    ground: str  # frame or burst that it shows; scenes of one pair and job show the same
    polarization: str  # ``VV`` or ``HH``
    # Share of the area that it covers, and that all scenes of its pass cover; None where unknown.
    cover: float | None
    date_cover: float | None
    area: str  # the area as WKT, empty where unknown
    orbit: Orbit | None  # state vectors; None where unknown
    footprint: BaseGeometry | None  # polygons in EPSG:4326; None where the layer has none


def scene_properties(scene: Scene) -> dict[str, Any]:
    """Return the attributes of a scene."""
    values = (
        scene.granule,
        scene.job_type,
        scene.day.isoformat(),
        scene.start and scene.start.isoformat(),
        scene.path,
        scene.direction,
        scene.ground,
        scene.polarization,
        scene.cover,
        scene.date_cover,
        scene.area,
        None if scene.orbit is None else json.dumps(scene.orbit.to_json()),
    )
    return {name: value for (name, _), value in zip(SCENE_FIELDS, values, strict=True)}


def read_scenes(features: Sequence[Feature]) -> list[Scene]:
    """Read a layer of scenes, which users may have edited.

    Raises
    ------
    InvalidParameterError
        If a scene lacks name, job type, date or path; the message names it.
    """
    scenes: dict[str, Scene] = {}
    for number, feature in enumerate(features, start=1):
        scene = _scene(number, feature)
        scenes.setdefault(scene.granule, scene)
    return list(scenes.values())


def _scene(number: int, feature: Feature) -> Scene:
    granule, job_type = feature.text("granule"), feature.text("job_type")
    if not granule or not job_type:
        raise InvalidParameterError(
            f"Scene {number} of INPUT has no {'job_type' if granule else 'granule'}; delete it, or "
            "search again."
        )
    try:
        day = date.fromisoformat(feature.text("date")[:10])
        path = int(float(feature.text("path")))
    except (ValueError, OverflowError):
        wrong = {name: feature.properties.get(name) for name in ("date", "path")}
        raise InvalidParameterError(
            f"The scene {granule} of INPUT has {shown(wrong)}, but it needs a date like 2021-02-28 "
            "and the number of a path; delete it, or search again."
        ) from None
    return Scene(
        granule=granule,
        job_type=job_type,
        day=day,
        start=_time(feature.text("time")),
        path=path,
        direction=feature.text("direction"),
        # Formats such as Shapefile cut long names of columns off.
        ground=feature.text("frame_or_burst") or burst_of(parse_granule(granule)),
        polarization=feature.text("polarization"),
        cover=_share(feature, "cover"),
        date_cover=_share(feature, "date_cover"),
        area=feature.text("area"),
        orbit=_orbit(feature.text("state_vectors")),
        footprint=_footprint(feature.geometry),
    )


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time.replace(tzinfo=timezone.utc) if time.tzinfo is None else time


def _share(feature: Feature, column: str) -> float | None:
    try:
        share = float(feature.text(column))
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def _orbit(text: str) -> Orbit | None:
    try:
        return Orbit.of_json(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _footprint(geometry: Mapping[str, Any] | None) -> BaseGeometry | None:
    """Return a footprint; one that cannot be used counts as unknown."""
    try:
        shape = shapely.make_valid(shapely.geometry.shape(geometry))
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        return None
    return None if shape.is_empty or shape.area == 0 else shape
