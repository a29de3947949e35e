"""From a layer of scenes to a layer of pairs, its price and its page."""

from __future__ import annotations

import json
import random
import time
import xml.etree.ElementTree as ElementTree
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from hyp3_stack.core.errors import Canceled, InvalidParameterError, NoProductsError, OutputError
from hyp3_stack.core.retrieval.ordering.planned_pairs import planned_requests
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.run.vector_layer import Feature
from hyp3_stack.core.tasks import plan_pairs
from tests.hyp3_server import Hyp3Service
from tests.hyp3_server.faults import gateway
from tests.hyp3_server.sky import Sky, exact_baseline
from tests.running import StopAtCompletion

from .conftest import Layer, burst_layer, layer, merged

DAYS = list(range(0, 96, 12))


@pytest.fixture
def plan(service: Hyp3Service, credentials: dict[str, str], tmp_path: Path) -> Any:
    """Plan a layer; gives the pairs, the outputs and what was told."""

    def run(scenes: Layer, login: dict[str, str] | None = credentials, **given: Any) -> Any:
        reporter = SilentReporter()
        target = tmp_path / "pairs.geojson"
        values = {"INPUT": scenes, "API_URL": service.url, "OUTPUT": str(target)}
        outputs = plan_pairs.run({**values, **given}, login, reporter)
        return json.loads(target.read_text())["features"], outputs, reporter

    return run


def test_a_cancel_at_the_last_moment_leaves_neither_file(sky: Sky, tmp_path: Path) -> None:
    given = {"OUTPUT": str(tmp_path / "pairs.geojson"), "REPORT": str(tmp_path / "plan.html")}
    with pytest.raises(Canceled):
        plan_pairs.run({"INPUT": burst_layer(sky, DAYS), **given}, None, StopAtCompletion())
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def rows(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [feature["properties"] for feature in features]


def test_pairs_of_bursts(plan: Any, sky: Sky, service: Hyp3Service) -> None:
    service.user.remaining_credits = 500
    features, outputs, reporter = plan(burst_layer(sky, DAYS))
    found = rows(features)
    assert len(found) == outputs["COUNT"] == 3 * 8 - 6
    # The service's own table: one credit for up to 4 bursts.
    assert {row["credits"] for row in found} == {1}
    assert outputs["CREDITS"] == 18 and outputs["DATES"] == 8
    assert found[0]["secondary_date"] == "2021-03-29"
    assert [row["rank"] for row in found] == list(range(1, 19))
    for row in found:
        reference, secondary = row["reference"].split(","), row["secondary"].split(",")
        assert len(reference) == len(secondary) == 4
        assert [name[:13] for name in reference] == [name[:13] for name in secondary]
        first, second = (
            DAYS.index(_day(row[f"{side}_date"]) - _day("2021-01-04"))
            for side in ("reference", "secondary")
        )
        assert row["temporal_baseline"] == DAYS[second] - DAYS[first]
        exact = exact_baseline(sky.target, (0.0, 2.0 * first), (0.0, 2.0 * second))
        assert row["perpendicular_baseline"] == pytest.approx(exact, abs=0.2)
        assert row["triangles"] > 0
    assert any("18 of 18 (100 %)" in text for text in reporter.infos)
    assert "The account has 500 credits now; 482 credits would be left." in reporter.infos


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_an_order_takes_the_plan_as_it_is(plan: Any, sky: Sky) -> None:
    features, _, _ = plan(burst_layer(sky, DAYS))
    given = [Feature(item["properties"], item["geometry"]) for item in features]
    requests = planned_requests(given, {})
    assert len(requests) == len(features)
    first = features[0]["properties"]
    assert ",".join(requests[0].parameters["reference"]) == first["reference"]


def test_the_order_of_scenes_does_not_matter(plan: Any, sky: Sky) -> None:
    scenes = burst_layer(sky, [0, 12, 36, 48, 200, 224, 236])
    expected, _, _ = plan(scenes)
    for seed in range(3):
        random.Random(seed).shuffle(scenes["features"])
        assert plan(scenes)[0] == expected


def test_bridges_are_ordered_first(plan: Any, sky: Sky) -> None:
    found = rows(plan(burst_layer(sky, [0, 12, 24, 200, 212, 224]))[0])
    assert [row["rule"] for row in found[:4]] == ["bridge", "bridge", "bridge", "neighbor"]
    assert found[0]["temporal_baseline"] > 170


def test_lines_are_drawn_over_the_area(plan: Any, sky: Sky) -> None:
    features, _, _ = plan(burst_layer(sky, DAYS))
    for feature in features:
        (west, south), (east, north) = feature["geometry"]["coordinates"]
        assert -117.61 <= west < east <= -116.59
        assert 35.249 <= min(south, north) <= max(south, north) <= 35.351


def test_baselines_that_are_not_known(plan: Any, sky: Sky, tmp_path: Path) -> None:
    scenes = burst_layer(sky, DAYS)
    for feature in scenes["features"]:
        if feature["properties"]["date"] == "2021-01-16":
            feature["properties"]["state_vectors"] = None
    features, _, reporter = plan(scenes, REPORT=str(tmp_path / "plan.html"))
    for row in rows(features):
        is_unknown = "2021-01-16" in (row["reference_date"], row["secondary_date"])
        assert (row["perpendicular_baseline"] is None) == is_unknown
    assert any("Dates without state vectors: 1" in text for text in reporter.infos)
    page = (tmp_path / "plan.html").read_text()
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    dots = [item for item in svg if item.tag == "circle"]
    hollow = [item for item in dots if "fill:none" in item.get("style", "")]
    assert len(dots) == 8 and len(hollow) == 1
    assert hollow[0][0].text == "2021-01-16, baseline unknown"
    frame = next(item for item in svg if item.tag == "rect")
    assert float(hollow[0].get("cy")) > float(frame.get("y")) + float(frame.get("height"))


def test_no_baseline_is_known(plan: Any, sky: Sky) -> None:
    scenes = burst_layer(sky, DAYS)
    for feature in scenes["features"]:
        feature["properties"] |= {"state_vectors": "spoiled", "area": None}
        feature["geometry"] = None
    features, outputs, _ = plan(scenes)
    assert outputs["COUNT"] == 18
    assert {row["perpendicular_baseline"] for row in rows(features)} == {None}


def test_dates_without_a_burst_are_named(plan: Any, sky: Sky) -> None:
    scenes = burst_layer(sky, DAYS)
    gone = f"{sky.path:03d}_{sky.first_burst:06d}_IW2"
    scenes["features"] = [
        item
        for item in scenes["features"]
        if (item["properties"]["date"], item["properties"]["frame_or_burst"])
        != ("2021-01-16", gone)
    ]
    features, outputs, reporter = plan(scenes)
    assert outputs["DATES"] == 7
    assert "2021-01-16" not in json.dumps(rows(features))
    assert any(gone in text and "2021-01-16" in text for text in reporter.infos)


def test_bursts_of_which_no_date_has_all(plan: Any, sky: Sky) -> None:
    scenes = merged(burst_layer(sky, [0, 12], (0,), (1,)), burst_layer(sky, [24, 36], (1,), (1,)))
    with pytest.raises(NoProductsError, match="No date of path .* has all 2 bursts"):
        plan(scenes)


@pytest.mark.parametrize(
    ("numbers", "swaths"), [((0, 2), (1,)), ((0,), (1, 3)), (range(6), (1, 2, 3))]
)
def test_bursts_that_cannot_be_one_job(plan: Any, sky: Sky, numbers: Any, swaths: Any) -> None:
    with pytest.raises(InvalidParameterError, match="cannot be one job: they have to be"):
        plan(burst_layer(sky, DAYS, numbers, swaths))


def test_fifteen_bursts_on_a_hundred_dates(plan: Any, sky: Sky) -> None:
    days = [12 * number + (30 if number > 50 else 0) for number in range(100)]
    scenes = burst_layer(sky, days, range(5), (1, 2, 3))
    begin = time.process_time()
    features, outputs, _ = plan(scenes)
    seconds = time.process_time() - begin
    print(f"{len(scenes['features'])} scenes are planned in {seconds:.2f} s of CPU")
    assert seconds < 10
    found = rows(features)
    assert outputs["DATES"] == 100
    assert sum(row["triangles"] > 0 for row in found) >= 0.95 * len(found)
    # 13 to 15 bursts are 10 credits.
    assert outputs["CREDITS"] == 10 * len(found)
    assert all(len(row["reference"].split(",")) == 15 for row in found)


def test_what_would_cost_less(plan: Any, sky: Sky, tmp_path: Path) -> None:
    report = tmp_path / "plan.html"
    _, outputs, reporter = plan(burst_layer(sky, DAYS, range(5), (1,)), REPORT=str(report))
    assert outputs["CREDITS"] == 5 * 18 and outputs["REPORT"] == str(report)
    less = [text for text in reporter.infos if text.startswith("Costs less")]
    assert any("NEIGHBORS=2: 13 jobs for 65 credits" in text for text in less)
    assert any("4 bursts instead of 5" in text and "18 credits" in text for text in less)
    page = report.read_text()
    assert "4 bursts instead of 5" in page and "Nothing has been ordered." in page
    assert "US$4.50" in page


def test_frames(plan: Any, sky: Sky) -> None:
    scenes = layer((sky.frame(day, -1) for day in DAYS), "INSAR_GAMMA")
    features, outputs, _ = plan(scenes)
    assert outputs["CREDITS"] == 10 * 18
    assert all("," not in row["reference"] for row in rows(features))


def test_each_frame_of_a_track_has_a_network(plan: Any, sky: Sky) -> None:
    south = layer((sky.frame(day, -1, frame=110) for day in DAYS), "INSAR_GAMMA")
    north = layer((sky.frame(day, 8, frame=115) for day in DAYS), "INSAR_GAMMA")
    features, outputs, _ = plan(merged(south, north))
    assert outputs["COUNT"] == 36
    assert len({row["reference"] for row in rows(features)}) == 2 * 7
    # Both frames of the newest pair come before the next one.
    assert [row["secondary_date"] for row in rows(features)[:2]] == ["2021-03-29"] * 2


def test_the_track_that_covers_most_is_planned(plan: Any, sky: Sky) -> None:
    other = Sky(first_burst=sky.first_burst + 2 * 2148)
    half = layer((other.burst(day, 0, 1) for day in DAYS), "INSAR_ISCE_MULTI_BURST", date_cover=0.5)
    scenes = merged(half, burst_layer(sky, DAYS))
    features, _, reporter = plan(scenes)
    assert {row["path"] for row in rows(features)} == {sky.path}
    assert any(f"path {other.path}" in text and "PATHS" in text for text in reporter.infos)
    features, _, _ = plan(scenes, PATHS=f"{sky.path},{other.path}")
    assert {row["path"] for row in rows(features)} == {sky.path, other.path}
    with pytest.raises(InvalidParameterError, match="PATHS names 12, but INPUT has scenes of"):
        plan(scenes, PATHS="12")


def test_seasons_and_cover_leave_dates_out(plan: Any, sky: Sky) -> None:
    days = list(range(0, 720, 24))
    scenes = burst_layer(sky, days)
    for feature in scenes["features"]:
        if feature["properties"]["date"] == "2021-06-21":
            feature["properties"]["date_cover"] = 0.4
    features, _, reporter = plan(scenes, SEASONS="5-9")
    months = {
        row[name][5:7] for row in rows(features) for name in ("reference_date", "secondary_date")
    }
    assert months == {"05", "06", "07", "08", "09"}
    assert "2021-06-21" not in json.dumps(rows(features))
    assert any("cover too little of the area: 2021-06-21" in text for text in reporter.infos)
    assert any("outside the months of SEASONS" in text for text in reporter.infos)
    assert {"bridge", "neighbor"} <= {row["rule"] for row in rows(features)}


def test_pairs_without_a_triangle_are_named(plan: Any, sky: Sky) -> None:
    _, _, reporter = plan(burst_layer(sky, DAYS), NEIGHBORS=1)
    assert any(text.startswith("No triangle checks 2021-") for text in reporter.warnings)


def test_a_service_without_prices(plan: Any, sky: Sky, service: Hyp3Service) -> None:
    service.api_faults.add("costs", gateway(403, "Forbidden", times=-1))
    features, outputs, reporter = plan(burst_layer(sky, DAYS))
    assert outputs["COUNT"] == 18 and outputs["CREDITS"] is None
    assert {row["credits"] for row in rows(features)} == {None}
    assert any("without prices" in text for text in reporter.warnings)


def test_columns_that_a_format_has_cut_off(plan: Any, sky: Sky) -> None:
    """A Shapefile has names of ten letters and texts of 254."""
    expected, _, _ = plan(burst_layer(sky, DAYS))
    scenes = burst_layer(sky, DAYS)
    for feature in scenes["features"]:
        values = feature["properties"]
        values["frame_or_b"] = values.pop("frame_or_burst")
        values["state_vect"] = values.pop("state_vectors")[:254]
    features, _, _ = plan(scenes)
    names = ("reference", "secondary", "rank", "rule")
    assert [[row[name] for name in names] for row in rows(features)] == [
        [row[name] for name in names] for row in rows(expected)
    ]
    assert {row["perpendicular_baseline"] for row in rows(features)} == {None}


def test_no_login(plan: Any, sky: Sky) -> None:
    _, outputs, reporter = plan(burst_layer(sky, DAYS), login=None)
    assert outputs["CREDITS"] == 18
    assert reporter.warnings == []
    assert not any("would be left" in text for text in reporter.infos)
    assert any("8,000 credits a month" in text for text in reporter.infos)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"date": "yesterday"}, "needs a date like 2021-02-28"),
        ({"path": None}, "number of a path"),
        ({"granule": " "}, "Scene 1 of INPUT has no granule"),
        ({"granule": ["S1_135535_IW1"]}, "Scene 1 of INPUT has no granule"),
        ({"job_type": "RTC_GAMMA"}, "has the job type RTC_GAMMA"),
        ({"frame_or_burst": "087_IW2"}, "is not the full id of a burst"),
    ],
)
def test_scenes_that_users_have_spoiled(
    plan: Any, sky: Sky, spoil: dict[str, Any], message: str
) -> None:
    scenes = burst_layer(sky, DAYS)
    scenes["features"][0]["properties"] |= spoil
    with pytest.raises(InvalidParameterError, match=message):
        plan(scenes)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"NEIGHBORS": 0}, "NEIGHBORS"),
        ({"MAX_DAYS": "1.5"}, "whole number"),
        ({"SEASONS": "summer"}, "range of months"),
        ({"BRIDGES": "all"}, "has to be one of"),
        ({"MIN_COVER": 2}, "MIN_COVER"),
        ({"API_URL": "ftp://x"}, "API_URL"),
        ({"BRIDGES": "none", "MAX_DAYS": 1}, "falls into 8 parts"),
        ({"INPUT": {"type": "FeatureCollection", "features": []}}, "has no features"),
    ],
)
def test_parameters_that_make_no_plan(
    plan: Any, sky: Sky, given: dict[str, Any], message: str
) -> None:
    scenes = given.pop("INPUT", None) or burst_layer(sky, DAYS)
    with pytest.raises(InvalidParameterError, match=message):
        plan(scenes, **given)


def test_a_layer_of_something_else(plan: Any, tmp_path: Path, sky: Sky) -> None:
    jobs = {"type": "FeatureCollection", "features": [{"properties": {"job_id": "1"}}]}
    with pytest.raises(InvalidParameterError, match="choose the layer that Search scenes has made"):
        plan(jobs)
    (tmp_path / "pairs.geojson").write_text("{}")
    with pytest.raises(OutputError, match="not a layer of pairs"):
        plan(burst_layer(sky, DAYS))
