"""Scenes over an area, from a catalog on 127.0.0.1 that answers as ASF's does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from hyp3_stack.core.contract import Task
from hyp3_stack.core.errors import (
    Canceled,
    InvalidParameterError,
    NoProductsError,
    OutputError,
    RetrievalError,
)
from hyp3_stack.core.retrieval.scenes.search_area import SearchArea, read_area
from hyp3_stack.core.retrieval.scenes.track_search import TrackChoice, search_tracks
from hyp3_stack.core.retrieval.service.retries import RetryPolicy
from hyp3_stack.core.run.parameters import Parameters
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import search_scenes
from tests.hyp3_server import Hyp3Service
from tests.hyp3_server.faults import gateway
from tests.hyp3_server.sky import Sky
from tests.running import StopAtCompletion

DAYS = range(0, 96, 12)
SMALL = "-117.9,-117.7,35.25,35.4 [EPSG:4326]"
"""Two bursts of IW1."""
LARGE = "-117.9,-115.8,34.9,36.4 [EPSG:4326]"
"""More than 15 bursts, one frame."""
IMPATIENT = RetryPolicy(attempts=2, first_delay=0.01)


@pytest.fixture(scope="module")
def passes() -> tuple[Sky, list[Any]]:
    """Eight passes of bursts, and a frame around them that moves along the path."""
    made, scenes = Sky(), []
    for number, day in enumerate(DAYS):
        offset = (0.0, 3.0 * day)
        scenes += [made.burst(day, n, s, offset) for n in range(-3, 10) for s in (1, 2, 3)]
        scenes.append(made.frame(day, -3 + 0.2 * number, offset))
    return made, scenes


@pytest.fixture
def sky(service: Hyp3Service, passes: tuple[Sky, list[Any]]) -> Sky:
    """A catalog that knows them."""
    made, scenes = passes
    put(service, *scenes)
    return made


def put(service: Hyp3Service, *scenes: Any) -> None:
    service.catalog.update({scene.name: scene for scene in scenes})


def take(service: Hyp3Service, *scenes: Any) -> None:
    for scene in scenes:
        del service.catalog[scene.name]


Found = tuple[list[dict[str, Any]], dict[str, Any], SilentReporter]


def search(folder: Path, **given: Any) -> Found:
    reporter = SilentReporter()
    values = {"START": "2020-07-01", "END": "2021-12-31", "OUTPUT": str(folder / "s.geojson")}
    outputs = search_scenes.run({**values, **given}, None, reporter)
    features = json.loads((folder / "s.geojson").read_text())["features"]
    return [item["properties"] for item in features], outputs, reporter


def test_a_cancel_at_the_last_moment_leaves_neither_file(sky: Sky, tmp_path: Path) -> None:
    given = {"OUTPUT": str(tmp_path / "s.geojson"), "REPORT": str(tmp_path / "s.html")}
    with pytest.raises(Canceled):
        search_scenes.run({"EXTENT": SMALL, **given}, None, StopAtCompletion())
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_bursts_of_a_small_area(sky: Sky, tmp_path: Path) -> None:
    rows, outputs, _ = search(tmp_path, EXTENT=SMALL)
    assert outputs["JOB_TYPE"] == "INSAR_ISCE_MULTI_BURST"
    assert {row["frame_or_burst"] for row in rows} == {
        f"{sky.path:03d}_{sky.first_burst + number:06d}_IW1" for number in (1, 2)
    }
    assert len(rows) == outputs["COUNT"] == 2 * len(DAYS)
    assert {row["date_cover"] for row in rows} == {1.0}
    assert all(0 < row["cover"] < 1 for row in rows)
    assert {row["path"] for row in rows} == {sky.path}
    assert {row["direction"] for row in rows} == {"ascending"}
    assert rows[0]["date"] == "2021-01-04"
    vectors = json.loads(rows[0]["state_vectors"])
    assert vectors["seconds"] == 20.0
    assert outputs["TRACKS"] == [
        f"Path {sky.path}, ascending: 2 bursts, 8 dates from 2021-01-04 to 2021-03-29, all of "
        "which cover 100 % of the area; longest gap 12 days"
    ]


def test_bursts_are_joined_so_that_one_job_can_take_them(sky: Sky, tmp_path: Path) -> None:
    """The area is an L: a long arm in IW1, a short one in IW2."""
    ring = [(-117.9, 35.2), (-116.9, 35.2), (-116.9, 35.35), (-117.6, 35.35), (-117.6, 36.2)]
    polygon = {"type": "Polygon", "coordinates": [[*ring, (-117.9, 36.2), ring[0]]]}
    area = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {}, "geometry": polygon}],
    }
    rows, _, _ = search(tmp_path, AREA=area)
    spans = {}
    for row in rows:
        number, swath = int(row["frame_or_burst"][4:10]), row["frame_or_burst"][-3:]
        spans.setdefault(swath, set()).add(number - sky.first_burst)
    assert {swath: (min(held), max(held)) for swath, held in spans.items()} == {
        "IW1": (0, 6),
        "IW2": (0, 5),
    }
    assert all(len(held) == max(held) - min(held) + 1 for held in spans.values())


def test_frames_of_a_large_area(sky: Sky, tmp_path: Path) -> None:
    rows, outputs, reporter = search(tmp_path, EXTENT=LARGE)
    assert outputs["JOB_TYPE"] == "INSAR_GAMMA"
    assert {row["frame_or_burst"] for row in rows} == {f"{sky.path:03d}_0110"}
    assert len(rows) == len(DAYS)
    assert any("a job takes 15 at most" in text for text in reporter.infos)
    # The frame moves: what all dates share is less than what each of them covers.
    covers = [row["date_cover"] for row in rows]
    common = float(outputs["TRACKS"][0].partition("cover ")[2].partition(" %")[0]) / 100
    assert common < min(cover for cover in covers if cover > 0.9 * max(covers)) + 0.005


def test_multi_bursts_that_no_job_can_take(sky: Sky, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameterError, match=r"needs \d\d bursts, but a job takes 15"):
        search(tmp_path, EXTENT=LARGE, JOB_TYPE="INSAR_ISCE_MULTI_BURST")
    assert not (tmp_path / "s.geojson").exists()


def test_single_bursts(sky: Sky, tmp_path: Path) -> None:
    rows, outputs, _ = search(tmp_path, EXTENT=SMALL, JOB_TYPE="INSAR_ISCE_BURST")
    assert outputs["JOB_TYPE"] == rows[0]["job_type"] == "INSAR_ISCE_BURST"


def test_frames_do_not_stand_in_for_bursts_that_were_asked_for(
    sky: Sky, service: Hyp3Service, tmp_path: Path
) -> None:
    for name in [name for name in service.catalog if name.endswith("-BURST")]:
        del service.catalog[name]
    with pytest.raises(NoProductsError, match="no IW SLC scene"):
        search(tmp_path, EXTENT=SMALL, JOB_TYPE="INSAR_ISCE_MULTI_BURST")
    assert search(tmp_path, EXTENT=SMALL)[1]["JOB_TYPE"] == "INSAR_GAMMA"


def test_the_newest_of_scenes_that_were_processed_twice(
    sky: Sky, service: Hyp3Service, tmp_path: Path
) -> None:
    newer = sky.burst(24, 1, 1, processed="2025-02-03T00:00:00Z", tag="again")
    older = sky.burst(36, 1, 1, processed="2022-02-03T00:00:00Z", tag="before")
    put(service, newer, older)
    rows, _, reporter = search(tmp_path, EXTENT=SMALL)
    names = [row["granule"] for row in rows]
    assert len(names) == len(set(names)) == 2 * len(DAYS)
    assert newer.name in names and older.name not in names
    assert any("2 scenes were processed again" in text for text in reporter.infos)


def test_a_date_without_a_burst(sky: Sky, service: Hyp3Service, tmp_path: Path) -> None:
    missing = sky.burst(24, 1, 1, (0.0, 72.0))
    take(service, missing)
    rows, outputs, reporter = search(tmp_path, EXTENT=SMALL, REPORT=str(tmp_path / "s.html"))
    assert "7 dates" in outputs["TRACKS"][0] and "100 %" in outputs["TRACKS"][0]
    assert "longest gap 24 days" in outputs["TRACKS"][0]
    thin = {row["date_cover"] for row in rows if row["date"] == "2021-01-28"}
    assert len(thin) == 1 and thin.pop() < 0.9
    assert any(
        "Dates that cover less and are not used: 2021-01-28" in text for text in reporter.infos
    )
    page = (tmp_path / "s.html").read_text()
    assert missing.attributes["BURST_ID_FULL"] in page and "2021-01-28" in page


def test_the_better_track_comes_first(sky: Sky, service: Hyp3Service, tmp_path: Path) -> None:
    """The other track sees half of the area on more dates."""
    other = Sky(first_burst=sky.first_burst + 2 * 2148, origin=(-117.8, 35.0))
    for day in range(3, 200, 6):
        put(service, *(other.burst(day, number, 1) for number in range(-1, 4)))
    rows, outputs, _ = search(tmp_path, EXTENT=SMALL)
    assert [text.partition(",")[0] for text in outputs["TRACKS"]] == [
        f"Path {sky.path}",
        f"Path {other.path}",
    ]
    assert {row["path"] for row in rows} == {sky.path, other.path}
    rows, outputs, _ = search(tmp_path, EXTENT=SMALL, PATHS=str(other.path))
    assert {row["path"] for row in rows} == {other.path}


def test_filters_that_leave_nothing_name_what_there_is(sky: Sky, tmp_path: Path) -> None:
    with pytest.raises(NoProductsError, match=f"there are: {sky.path} ascending"):
        search(tmp_path, EXTENT=SMALL, PATHS="12")
    with pytest.raises(NoProductsError, match=f"there are: {sky.path} ascending"):
        search(tmp_path, EXTENT=SMALL, DIRECTION="descending")


def test_an_area_without_scenes(sky: Sky, tmp_path: Path) -> None:
    with pytest.raises(NoProductsError, match="no IW SLC scene of Sentinel-1 over the area"):
        search(tmp_path, EXTENT="10,10.2,50,50.2 [EPSG:4326]")


POINT = {"type": "Point", "coordinates": [-117.5, 35.3]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either as EXTENT or as AREA"),
        ({"EXTENT": SMALL, "AREA": POINT}, "either as EXTENT or as AREA"),
        ({"AREA": POINT}, "not a polygon"),
        ({"AREA": {"type": "Polygon"}}, "without a polygon"),
        (
            {
                "AREA": {
                    "type": "Polygon",
                    "coordinates": [[[500, 1], [501, 1], [501, 2], [500, 1]]],
                }
            },
            "check the CRS",
        ),
        ({"EXTENT": "-170,170,-80,80 [EPSG:4326]"}, "more than any stack"),
        ({"EXTENT": "-180,180,-90,90 [EPSG:4326]"}, "more than any stack"),
        ({"EXTENT": "10,11,89,95 [EPSG:4326]"}, "beyond 89 degrees of latitude"),
        ({"EXTENT": "-1e5,1e5,-1e5,1e5 [EPSG:3031]"}, "beyond 89 degrees of latitude"),
        ({"EXTENT": "5e5,6e5,5.5e6,5.6e6 [EPSG:4326]"}, "check that the numbers are of this CRS"),
        ({"EXTENT": "10,10.000001,50,50.000001 [EPSG:4326]"}, "is empty"),
        ({"AREA": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}, "not a polygon"),
        ({"AREA": {"type": "Polygon", "coordinates": []}}, "not a polygon"),
        ({"AREA": None}, "without a polygon"),
        ({"EXTENT": SMALL, "PATHS": "176"}, "between 1 and 175"),
        ({"EXTENT": SMALL, "START": "2022-01-01"}, "lies after END"),
        ({"EXTENT": SMALL, "JOB_TYPE": "RTC_GAMMA"}, "has to be one of"),
    ],
)
def test_parameters_that_make_no_search(
    service: Hyp3Service, tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    if "AREA" in given:
        feature = {"type": "Feature", "properties": {}, "geometry": given["AREA"]}
        given = {**given, "AREA": {"type": "FeatureCollection", "features": [feature]}}
    with pytest.raises(InvalidParameterError, match=message):
        search(tmp_path, **given)
    assert service.log.of("catalog") == []


@pytest.mark.parametrize(
    ("extent", "sides"),
    [
        ("179,181,50,51 [EPSG:4326]", 2),
        ("-181,-179,50,51 [EPSG:4326]", 2),
        ("-138,-132,71,73 [EPSG:4326]", 1),
        ("-13124000,-13113000,4210000,4220000 [EPSG:3857]", 1),
        ("-1200000,-1100000,-100000,100000 [EPSG:3413]", 1),
        ("100000,250000,5500000,5600000 [EPSG:32601]", 1),
    ],
)
def test_areas_of_other_systems_and_across_the_antimeridian(extent: str, sides: int) -> None:
    area = read_area(Parameters({"EXTENT": extent, "OUTPUT": "s.geojson"}, Task.SEARCH_SCENES))
    assert len(area.queries) == sides
    assert area.share(area.plane) == pytest.approx(1.0)
    for query in area.queries:
        west, south, east, north = shapely.from_wkt(query).bounds
        assert -180 <= west < east <= 180 and east - west < 90 and -90 < south < north < 90


def test_areas_of_several_and_self_crossing_polygons() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    boxes = {
        "type": "MultiPolygon",
        "coordinates": [
            [[[179, 0], [180, 0], [180, 1], [179, 1], [179, 0]]],
            [[[-180, 0], [-179, 0], [-179, 1], [-180, 1], [-180, 0]]],
        ],
    }
    for shape, sides, square_degrees in ((bow, 1, 0.5), (boxes, 2, 2.0)):
        feature = {"type": "Feature", "properties": {}, "geometry": shape}
        given = {
            "AREA": {"type": "FeatureCollection", "features": [feature]},
            "OUTPUT": "s.geojson",
        }
        area = read_area(Parameters(given, Task.SEARCH_SCENES))
        assert len(area.queries) == sides
        assert area.plane.area == pytest.approx(square_degrees * 111_000**2, rel=0.01)


def test_files_of_others_are_not_replaced(sky: Sky, tmp_path: Path) -> None:
    (tmp_path / "s.geojson").write_text('{"precious": 1}')
    with pytest.raises(OutputError, match="not a layer of scenes"):
        search(tmp_path, EXTENT=SMALL)
    (tmp_path / "s.geojson").unlink()
    (tmp_path / "page.html").write_text("<html>mine</html>")
    with pytest.raises(OutputError, match="not a report"):
        search(tmp_path, EXTENT=SMALL, REPORT=str(tmp_path / "page.html"))


def test_past_half_years_are_asked_for_once(sky: Sky, service: Hyp3Service, tmp_path: Path) -> None:
    first, _, _ = search(tmp_path, EXTENT=SMALL)
    asked = len(service.log.of("catalog"))
    assert asked == 3
    assert search(tmp_path, EXTENT=SMALL)[0] == first
    assert len(service.log.of("catalog")) == asked


def test_a_search_goes_on_after_an_outage(sky: Sky, service: Hyp3Service) -> None:
    area = SearchArea(shapely.box(-117.9, 35.25, -117.7, 35.4))
    period = date(2020, 7, 1), date(2021, 12, 31)

    def found(reporter: SilentReporter) -> int:
        tracks = search_tracks(area, period, TrackChoice(), reporter, IMPATIENT)
        return len(tracks[0].scenes)

    service.api_faults.add("catalog", gateway(503, "Service Unavailable", times=2))
    with pytest.raises(RetrievalError, match=r"out of reach.*503"):
        found(SilentReporter())
    service.api_faults.add("catalog", gateway(503, "Service Unavailable", times=1))
    reporter = SilentReporter()
    assert found(reporter) == 2 * len(DAYS)
    assert any("Asking again in" in text for text in reporter.warnings)


def test_an_area_across_the_antimeridian_is_searched_in_frames(
    service: Hyp3Service, tmp_path: Path
) -> None:
    sky = Sky(first_burst=135535, origin=(178.4, 35.0))
    for day in DAYS:
        scenes = [sky.burst(day, n, s) for n in range(-3, 10) for s in (1, 2, 3)]
        for scene in [*scenes, sky.frame(day, -3)]:
            ring = [(lon - 360 if lon > 180 else lon, lat) for lon, lat in scene.ring]
            put(service, replace(scene, ring=ring))
    rows, outputs, reporter = search(tmp_path, EXTENT="179.8,-179.8,35.3,35.5 [EPSG:4326]")
    assert outputs["JOB_TYPE"] == "INSAR_GAMMA"
    assert any("across the antimeridian" in text for text in reporter.infos)
    assert {row["date_cover"] for row in rows} == {1.0}
