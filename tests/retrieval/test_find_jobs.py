"""Listing and filtering, and the account of what was removed."""

import json
import sys
from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.core.errors import (
    InvalidParameterError,
    NoProductsError,
    RetrievalError,
)
from hyp3_stack.core.tasks import find_jobs
from tests.hyp3_server import Fault, make_job

from .products import FIRST_ORBIT, granule, product_name

PAST = datetime.now(timezone.utc) - timedelta(days=1)


@pytest.fixture
def find(service, credentials, reporter, tmp_path):
    def run(**more):
        parameters = {"API_URL": service.url, "WORK_FOLDER": str(tmp_path), **more}
        outputs = find_jobs.run(parameters, credentials, reporter)
        features = json.loads((tmp_path / "jobs.geojson").read_text())["features"]
        assert outputs["FEATURES_FILE"] == str(tmp_path / "jobs.geojson")
        assert outputs["COUNT"] == len(features)
        return features

    return run


def ids(features):
    return {feature["properties"]["job_id"] for feature in features}


def test_every_fact_of_a_job(stack, find):
    job = stack.add_one(0, project="ridge")
    (feature,) = find()
    facts = feature["properties"]
    assert facts["reference_scenes"] == granule(0) and facts["secondary_scenes"] == granule(1)
    size = round(job.archive.stat().st_size / 1e6, 3)
    expected = {
        "project": "ridge",
        "job_type": "INSAR_GAMMA",
        "product": product_name(0),
        "status": "SUCCEEDED",
        "reference": "2021-03-02T13:51:56+00:00",
        "secondary": "2021-03-14T13:51:56+00:00",
        "baseline_days": 12,
        "path": 5,
        "direction": "ascending",
        "polarization": "VV",
        "spacing_m": 80.0,
        "size_mb": size,
        "credits": 10.0,
        "job_id": job.job_id,
    }
    assert {name: facts[name] for name in expected} == expected
    assert facts["expires"] == job.record["expiration_time"]
    assert feature["geometry"]["type"] == "Polygon"


def test_field_types_match_the_features(stack, service, credentials, reporter, tmp_path):
    stack.add_one(0, project="ridge")
    target = tmp_path / "found.geojson"
    outputs = find_jobs.run({"API_URL": service.url, "OUTPUT": str(target)}, credentials, reporter)
    assert outputs["OUTPUT"] == str(target) and outputs["PROJECTS"] == ["ridge"]
    (feature,) = json.loads(target.read_text())["features"]
    kinds = {
        "string": str,
        "integer": int,
        "double": float,
        "datetime": lambda text: datetime.fromisoformat(text),
    }
    assert [name for name, _ in outputs["FIELDS"]] == list(feature["properties"])
    for name, kind in outputs["FIELDS"]:
        value = feature["properties"][name]
        assert kinds[kind](value) == value or kind == "datetime"


def test_one_listing_over_all_pages(stack, find):
    stack.service.page_size = 3
    jobs = [stack.add_one(index, project=f"p{index % 4}") for index in range(8)]
    assert ids(find()) == {job.job_id for job in jobs}
    listings = stack.service.log.of("api")
    assert [entry.path for entry in listings] == ["/jobs"] * 3
    assert {entry.query["job_type"] for entry in listings} == {"INSAR_GAMMA"}


def test_pages_that_are_empty_do_not_end_the_listing(stack, find):
    stack.service.page_size = 2
    now = datetime.now(timezone.utc)
    wanted = stack.add_one(0, requested=now - timedelta(days=9))
    for index in range(4):
        stack.add_one(index + 1, job_type="RTC_GAMMA", requested=now)
    assert ids(find()) == {wanted.job_id}


def test_unfinished_and_expired_jobs_are_left_out(stack, find, reporter):
    wanted = stack.add_one(0)
    stack.add_one(1, status="PENDING")
    stack.add_one(2, status="RUNNING")
    stack.add_one(3, status="FAILED")
    stack.add_one(4, expires=PAST)
    assert ids(find()) == {wanted.job_id}
    assert "have not succeeded (1 FAILED, 1 PENDING, 1 RUNNING), 1 have expired" in " ".join(
        reporter.infos
    )


def test_all_states_on_request(stack, find):
    stack.add_one(0, status="PENDING")
    stack.add_one(1, expires=PAST)
    features = find(ALL_STATES=True)
    assert {feature["properties"]["status"] for feature in features} == {"PENDING", "EXPIRED"}
    assert {feature["properties"]["spacing_m"] for feature in features} == {80.0}


def test_project(stack, find):
    ours = stack.add_one(0, project="a, b")
    stack.add_one(1, project="other")
    free = stack.add_one(2)
    assert ids(find(PROJECT="a, b")) == {ours.job_id}
    assert ids(find(PROJECT="(none)")) == {free.job_id}
    assert len(find(PROJECT="")) == 3


def test_an_empty_answer_names_what_there_is(stack, find):
    stack.add(2, project="alpha")
    stack.add_one(2, project="beta", job_type="RTC_GAMMA")
    stack.add_one(3, job_type="AUTORIFT")
    there = "choose among 2 INSAR_GAMMA in alpha, 1 RTC_GAMMA in beta."
    for filters, what in (
        ({"PROJECT": "gamma"}, "INSAR_GAMMA jobs in the project 'gamma'"),
        ({"PROJECT": "beta"}, "INSAR_GAMMA jobs in the project 'beta'"),
        ({"PROJECT": "gamma", "JOB_TYPE": "any"}, "jobs in the project 'gamma'"),
        ({"PROJECT": "(none)"}, "INSAR_GAMMA jobs without a project"),
        ({"JOB_TYPE": "INSAR_ISCE_BURST"}, "INSAR_ISCE_BURST jobs"),
    ):
        with pytest.raises(NoProductsError) as caught:
            find(**filters)
        assert str(caught.value) == f"There are no {what} at {stack.service.url}; {there}"


def test_jobs_of_all_types(stack, find, reporter):
    wanted = [stack.add_one(0), stack.add_one(1, job_type="RTC_GAMMA")]
    stack.add_one(2, job_type="AUTORIFT")
    assert ids(find(JOB_TYPE="any")) == {job.job_id for job in wanted}
    assert "1 cannot be stacked (1 AUTORIFT)" in reporter.infos[-1]


@pytest.mark.parametrize("as_file", [False, True])
def test_jobs_of_a_layer(stack, find, tmp_path, as_file):
    wanted = [stack.add_one(0), stack.add_one(1, job_type="RTC_GAMMA")]
    chosen = find(JOB_TYPE="any")
    layer = {"type": "FeatureCollection", "features": chosen}
    stack.add_one(2)
    if as_file:
        path = tmp_path / "chosen.geojson"
        path.write_text(json.dumps(layer))
    assert ids(find(FOUND_JOBS=str(path) if as_file else layer)) == {job.job_id for job in wanted}


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        (None, "FOUND_JOBS has no features; .* select some"),
        ({"name": "a"}, "FOUND_JOBS has no column job_id, job_type; choose .* Find jobs has made"),
        ({"job_id": "1", "job_type": "AUTORIFT"}, "FOUND_JOBS holds jobs of type 'AUTORIFT'"),
        ({"job_id": None, "job_type": "RTC_GAMMA"}, "FOUND_JOBS holds features without a job_id"),
    ],
)
def test_a_layer_of_something_else(find, properties, words):
    features = [] if properties is None else [{"properties": properties}]
    with pytest.raises(InvalidParameterError, match=words):
        find(FOUND_JOBS={"features": features})


def test_a_file_that_is_no_layer(find, tmp_path):
    with pytest.raises(InvalidParameterError, match=r"absent\.geojson, which cannot be read"):
        find(FOUND_JOBS=str(tmp_path / "absent.geojson"))
    (tmp_path / "text.geojson").write_text("job_id")
    with pytest.raises(InvalidParameterError, match=r"text\.geojson, which is not GeoJSON"):
        find(FOUND_JOBS=str(tmp_path / "text.geojson"))


def test_dates(stack, find):
    jobs = stack.add(4)  # 03-02/03-14, 03-14/03-26, 03-26/04-07, 04-07/04-19
    inside = ids(find(START="2021-03-14", END="2021-04-07"))
    assert inside == {jobs[1].job_id, jobs[2].job_id}
    touching = ids(find(START="2021-03-14", END="2021-04-06", DATE_RULE="any"))
    assert touching == {job.job_id for job in jobs[:3]}
    assert ids(find(START="2021-04-07")) == {jobs[3].job_id}


def test_path_needs_no_service(stack, find, monkeypatch):
    ours = stack.add_one(0)
    stack.add_one(1, orbit=FIRST_ORBIT + 30)
    monkeypatch.setenv("HYP3_STACK_CMR_URL", "https://127.0.0.1:9")
    assert ids(find(PATHS="5, 6")) == {ours.job_id}


def test_multi_burst_and_burst_jobs(service, find):
    first = "S1_093117_IW2_20250718T172122_VV_238F-BURST"
    second = "S1_093118_IW3_20250718T172125_VV_238F-BURST"
    third = "S1_093117_IW2_20250730T172121_VV_6465-BURST"
    fourth = "S1_093118_IW3_20250730T172125_VV_6465-BURST"
    name = "S1_044_000000s1n00-093117s2n01-093118s3n01_IW_20250718_20250730_VV_INT80_B4FA"
    multi = make_job(
        name,
        "INSAR_ISCE_MULTI_BURST",
        reference=[second, first],
        secondary=[fourth, third],
        ascending=False,
    )
    single = make_job(
        "S1_093117_IW2_20250718_20250730_VV_INT80_E09B", "INSAR_ISCE_BURST", [third, first]
    )
    service.add(multi, single)
    (feature,) = find(JOB_TYPE="INSAR_ISCE_MULTI_BURST")
    facts = feature["properties"]
    assert (facts["path"], facts["direction"]) == (44, "descending")
    assert (facts["reference"], facts["baseline_days"]) == ("2025-07-18T17:21:22+00:00", 12)
    (feature,) = find(JOB_TYPE="INSAR_ISCE_BURST", PATHS="44", DIRECTION="descending")
    assert feature["properties"]["reference_scenes"] == first


def test_rtc_jobs_have_one_date(service, find):
    scene = "S1A_IW_GRDH_1SDV_20250420T135654_20250420T135723_058841_074ABD_E7BB"
    service.add(
        make_job(
            "S1A_IW_20250420T135654_DVP_RTC30_G_gpuned_7959", "RTC_GAMMA", [scene], ascending=False
        )
    )
    (feature,) = find(JOB_TYPE="RTC_GAMMA", START="2025-04-20", END="2025-04-20")
    facts = feature["properties"]
    assert (facts["secondary"], facts["baseline_days"]) == (None, None)
    assert (facts["spacing_m"], facts["polarization"]) == (30.0, "VV+VH")


def test_direction_and_extent(stack, find):
    west = [(-118, 35), (-117, 35), (-117, 36), (-118, 36), (-118, 35)]
    east = [(20, 35), (21, 35), (21, 36), (20, 36), (20, 35)]
    first = stack.add_one(0, ring=west)
    second = stack.add_one(9, ring=east, ascending=False)
    assert ids(find(DIRECTION="descending")) == {second.job_id}
    assert ids(find(EXTENT="-117.5,-117.4,35.4,35.6 [EPSG:4326]")) == {first.job_id}
    meters = {"bounds": [440000, 3900000, 460000, 3910000], "crs": "EPSG:32611"}
    assert ids(find(EXTENT=meters)) == {first.job_id}
    with pytest.raises(NoProductsError, match="2 lie outside EXTENT; change EXTENT"):
        find(EXTENT="0,1,0,1 [EPSG:4326]")


def test_footprint_across_the_antimeridian(stack, find):
    ring = [(179, 50), (-179, 50), (-179, 52), (179, 52), (179, 50)]
    job = stack.add_one(0, ring=ring)
    (feature,) = find()
    assert feature["geometry"]["type"] == "MultiPolygon"
    longitudes = [lon for polygon in feature["geometry"]["coordinates"] for lon, _ in polygon[0]]
    assert sorted({round(abs(lon)) for lon in longitudes}) == [179, 180]
    assert ids(find(EXTENT="-179.9,-179.5,50.5,51 [EPSG:4326]")) == {job.job_id}
    with pytest.raises(NoProductsError):
        find(EXTENT="0,10,50,51 [EPSG:4326]")


def test_catalog_is_asked_once_for_each_scene(stack, find):
    stack.add(6)
    find()
    asked = stack.service.log.of("catalog")
    names = [value for key, value in asked[0].form if key == "readable_granule_name[]"]
    assert len(asked) == 1 and sorted(names) == sorted(granule(index) for index in range(7))
    find()
    assert len(stack.service.log.of("catalog")) == 1


def test_catalog_gets_no_credentials(stack, find, tmp_path):
    (tmp_path / "no-netrc").write_text("default login someone password else\n")
    stack.add(1)
    find()
    assert [entry.authorization for entry in stack.service.log.of("catalog")] == [""]


def test_catalog_in_batches(stack, find):
    for index in range(300):
        stack.service.add(
            make_job(product_name(index, index), granules=[granule(index)], ascending=True)
        )
    assert all(feature["geometry"] for feature in find())
    asked = {
        tuple(value for key, value in entry.form if key == "readable_granule_name[]")
        for entry in stack.service.log.of("catalog")
    }
    assert sorted(len(names) for names in asked) == [50, 250]


def test_without_the_catalog_there_is_no_geometry(stack, find, reporter, monkeypatch):
    stack.add(2)
    monkeypatch.setenv("HYP3_STACK_CMR_URL", "https://127.0.0.1:9")
    features = find()
    assert [feature["geometry"] for feature in features] == [None, None]
    assert {feature["properties"]["path"] for feature in features} == {5}
    assert "out of reach" in reporter.warnings[0]
    with pytest.raises(RetrievalError, match=r"direction of 2 jobs .* leave DIRECTION empty"):
        find(DIRECTION="ascending")


@pytest.mark.parametrize(
    ("options", "fact"),
    [
        ({"DIRECTION": "ascending"}, "direction"),
        ({"EXTENT": "-117.5,-117.4,35.4,35.6 [EPSG:4326]"}, "footprint"),
    ],
)
def test_scene_that_the_catalog_does_not_know(stack, find, reporter, options, fact):
    known = stack.add_one(0)
    lost = stack.add_one(7, ascending=None)
    assert ids(find()) == {known.job_id, lost.job_id}
    assert ids(find(**options)) == {known.job_id}
    name = next(iter(options))
    assert reporter.warnings == [
        f"1 jobs (such as {lost.archive.stem}) are left out, because the ASF catalog does not know "
        f"their {fact}; leave {name} empty to have them."
    ]
    assert f"(1 have no {fact} in the ASF catalog)" in reporter.infos[-1]
    with pytest.raises(NoProductsError, match=f"in the ASF catalog; leave {name} empty"):
        find(JOBS=lost.job_id, **options)


def test_a_broken_cache_is_an_empty_one(stack, find, tmp_path):
    stack.add(1)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "scenes.sqlite").write_text("no database")
    assert find()[0]["geometry"]


@pytest.mark.skipif(sys.platform == "win32", reason="homes are told by another module there")
def test_without_a_home_there_is_no_cache(stack, find, monkeypatch):
    import pwd

    def unknown(_):
        raise KeyError("no such user")

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in ("HOME", "HYP3_STACK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    stack.add(1)
    for _ in range(2):
        assert find()[0]["geometry"]
    assert len(stack.service.log.of("catalog")) == 2


def test_account_of_every_filter(stack, find):
    stack.add_one(0, project="a")
    stack.add_one(1, project="b")
    stack.add_one(2, project="a", status="FAILED")
    with pytest.raises(NoProductsError) as caught:
        find(PROJECT="a", START="2022-01-01")
    assert str(caught.value) == (
        f"None of the 3 INSAR_GAMMA jobs at {stack.service.url} is left: 1 are not in the project "
        "'a', 1 have not succeeded (1 FAILED), 1 reach outside 2022-01-01..; change START and END."
    )


def test_no_jobs_at_all(find):
    with pytest.raises(NoProductsError, match="There are no INSAR_GAMMA jobs at"):
        find()


def test_named_jobs_of_any_type(stack, find):
    first = stack.add_one(0)
    stack.add_one(1)
    other = stack.add_one(2, job_type="INSAR_ISCE_BURST")
    assert ids(find(JOBS=f"{first.job_id}, {other.job_id}")) == {first.job_id, other.job_id}
    with pytest.raises(RetrievalError, match="has no job 1234; check JOBS"):
        find(JOBS="1234")


def test_job_id_that_the_service_refuses(stack, find):
    stack.add_one(0)
    stack.service.api_faults.add("jobs", Fault(), Fault(status=400))
    with pytest.raises(RetrievalError, match=r"refused .*; check JOBS, which names 'no id'\."):
        find(JOBS="no id")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PATHS", "5,x", "a path is a number"),
        ("PATHS", "176", "a path is a number"),
        ("DIRECTION", "north", "one of: any, ascending"),
        ("JOB_TYPE", "AUTORIFT", "one of: INSAR_GAMMA"),
        ("EXTENT", "0,1,0,1", "no coordinate reference system"),
        ("EXTENT", "0,1,0,1 [EPSG:0]", "cannot be expressed"),
        ("START", "yesterday", "has to be a date"),
    ],
)
def test_malformed_filters(find, name, value, words):
    with pytest.raises(InvalidParameterError, match=words):
        find(**{name: value})
