"""Layers of scenes as Search scenes writes them, without a search."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
import shapely

from hyp3_stack.core.retrieval.catalog.state_vectors import Orbit
from hyp3_stack.core.retrieval.scenes.scene_layer import Scene, scene_properties
from hyp3_stack.core.retrieval.scenes.search_area import SearchArea
from tests.hyp3_server.searching import CatalogScene
from tests.hyp3_server.sky import Sky, ground_point

AREA = shapely.box(-117.6, 35.25, -116.6, 35.35)
"""Within two bursts of IW1 and IW2."""
Layer = dict[str, Any]


def layer(scenes: Iterable[CatalogScene], job_type: str, **more: Any) -> Layer:
    """Return a layer of some scenes, all of which cover the area; ``more`` are attributes."""
    features = []
    for scene in scenes:
        told = Scene(
            granule=scene.name,
            job_type=job_type,
            day=scene.start.date(),
            start=scene.start,
            path=scene.path,
            direction="ascending",
            ground=scene.attributes.get("BURST_ID_FULL")
            or f"{scene.path:03d}_{scene.attributes['FRAME_NUMBER']}",
            polarization="VV",
            cover=0.5,
            date_cover=1.0,
            area=AREA.wkt,
            orbit=Orbit.of_attributes(scene.attributes),
            footprint=None,
        )
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [list(map(list, scene.ring))]},
                "properties": {**scene_properties(told), **more},
            }
        )
    return {"type": "FeatureCollection", "features": features}


def merged(*layers: Layer) -> Layer:
    features = [feature for item in layers for feature in item["features"]]
    return {"type": "FeatureCollection", "features": json.loads(json.dumps(features))}


def burst_layer(
    sky: Sky, days: Sequence[int], numbers: Sequence[int] = (0, 1), swaths: Sequence[int] = (1, 2)
) -> Layer:
    """Return multi-bursts on days after the first pass, each pass 2 m beside the one before."""
    return layer(
        (
            sky.burst(day, number, swath, (0.0, 2.0 * place))
            for place, day in enumerate(days)
            for number in numbers
            for swath in swaths
        ),
        "INSAR_ISCE_MULTI_BURST",
    )


@pytest.fixture
def sky() -> Sky:
    """A track whose orbits are known at the center of the area."""
    return Sky(target=ground_point(*SearchArea(AREA).center))
