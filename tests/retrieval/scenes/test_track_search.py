"""Scenes over an area, from a catalog on 127.0.0.1 that answers as ASF's does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import search_scenes
from tests.hyp3_server import Hyp3Service
from tests.hyp3_server.sky import Sky

DAYS = range(0, 96, 12)
INSIDE = "-117.9,-116.3,35.25,35.6 [EPSG:4326]"
"""Three bursts of IW1 and of IW2."""


@pytest.fixture
def sky(service: Hyp3Service) -> Sky:
    """A catalog with eight passes of 4 x 3 bursts, and the frames around them."""
    made = Sky()
    for day in DAYS:
        offset = (0.0, 3.0 * (day % 50))
        scenes = [made.burst(day, n, s, offset) for n in range(-2, 8) for s in (1, 2, 3)]
        scenes.append(made.frame(day, -1 + 0.3 * (day % 5), offset))
        service.catalog.update({scene.name: scene for scene in scenes})
    return made


def search(
    folder: Path, **given: Any
) -> tuple[list[dict[str, Any]], dict[str, Any], SilentReporter]:
    reporter = SilentReporter()
    values = {"START": "2020-01-01", "END": "2022-12-31", "OUTPUT": str(folder / "s.geojson")}
    outputs = search_scenes.run({**values, **given}, None, reporter)
    features = json.loads((folder / "s.geojson").read_text())["features"]
    return features, outputs, reporter


def test_bursts_of_a_small_area(sky: Sky, tmp_path: Path) -> None:
    features, outputs, reporter = search(tmp_path, EXTENT=INSIDE)
    rows = [item["properties"] for item in features]
    assert outputs["JOB_TYPE"] == "INSAR_ISCE_MULTI_BURST"
    print(outputs["TRACKS"], {row["frame_or_burst"] for row in rows})
    assert {row["job_type"] for row in rows} == {"INSAR_ISCE_MULTI_BURST"}
    assert {row["date_cover"] for row in rows} == {1.0}
    bursts = {row["frame_or_burst"] for row in rows}
    assert len(rows) == outputs["COUNT"] == len(DAYS) * len(bursts)
    assert {row["path"] for row in rows} == {sky.path}
    assert all(row["granule"].endswith("-BURST") and row["state_vectors"] for row in rows)
