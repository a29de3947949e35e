"""What acquisition, burst and path a found job is of: over midnight, names and the node."""

import json
from datetime import datetime, timedelta, timezone

import pytest
import xarray as xr

from hyp3_stack.core.errors import InconsistentProductsError
from hyp3_stack.core.tasks import download_products, find_jobs, prepare_stack
from tests.hyp3_server import make_job
from tests.running import zip_product
from tests.sample_products.tiny import (
    CALIFORNIA,
    EQUATOR,
    burst,
    gamma_name,
    multi_name,
    rtc_name,
    single_name,
    slc,
    write_frame,
    write_pair,
)

CYCLE = timedelta(days=12)
LATE = datetime(2022, 12, 19, 23, 59, 58, tzinfo=timezone.utc)
NOON = datetime(2022, 8, 14, 15, 30, tzinfo=timezone.utc)
AROUND = [(38, -1), (39, -1), (39, 1.5), (38, 1.5), (38, -1)]
ELSEWHERE = [(-118, 35), (-117, 35), (-117, 36), (-118, 36), (-118, 35)]


@pytest.fixture
def run(service, credentials, reporter, tmp_path):
    def go(task, **parameters):
        if task is find_jobs:
            parameters["WORK_FOLDER"] = str(tmp_path)
        outputs = task.run({"API_URL": service.url, **parameters}, credentials, reporter)
        if task is not find_jobs:
            return outputs
        features = json.loads((tmp_path / "jobs.geojson").read_text())["features"]
        return {item["properties"]["product"]: item["properties"] for item in features}

    return go


@pytest.fixture
def add(service, tmp_path):
    """Adds a job of a product that is written here; returns the name of the product."""

    def made(name, job_type, reference, secondary, place=CALIFORNIA, orbits=None, **more):
        folder = write_pair(tmp_path / "made", name, reference, secondary, orbits, place)
        if job_type == "INSAR_ISCE_MULTI_BURST":
            more |= {"reference": reference, "secondary": secondary}
        else:
            more |= {"granules": [*secondary, *reference]}
        archive = zip_product(folder)
        options = {"looks": "20x4", "apply_water_mask": False}
        service.add(make_job(name, job_type, archive=archive, options=options, **more))
        return name

    return made


# --- midnight -----------------------------------------------------------------------------------


def bursts(start):
    return [burst(56072 + part, start + timedelta(seconds=3 * part)) for part in (2, 0, 1)]


def multi_burst_job(add, cycle, span=1):
    first, last = LATE + cycle * CYCLE, LATE + (cycle + span) * CYCLE
    name = multi_name(56072, 3, 27, first, last + timedelta(seconds=6), f"{cycle:02X}{span:02X}")
    return add(name, "INSAR_ISCE_MULTI_BURST", bursts(first), bursts(last), ascending=True)


@pytest.mark.parametrize(
    ("period", "count"),
    [
        ({"END": "2022-12-31"}, 1),
        ({"START": "2022-12-31", "END": "2023-01-12"}, 1),
        ({"START": "2023-01-01"}, 0),
        ({"START": "2023-01-13", "DATE_RULE": "any"}, 0),
        ({"START": "2023-01-12", "DATE_RULE": "any"}, 2),
    ],
)
def test_jobs_are_of_the_days_on_which_acquisitions_begin(add, run, period, count):
    multi_burst_job(add, 0), multi_burst_job(add, 1), multi_burst_job(add, 0, 2)
    found = run(find_jobs, JOB_TYPE="INSAR_ISCE_MULTI_BURST")
    assert sorted(facts["baseline_days"] for facts in found.values()) == [12, 12, 24]
    assert {facts["reference"] for facts in found.values()} == {
        "2022-12-19T23:59:58+00:00",
        "2022-12-31T23:59:58+00:00",
    }
    if count:
        assert len(run(find_jobs, JOB_TYPE="INSAR_ISCE_MULTI_BURST", **period)) == count
    else:
        with pytest.raises(Exception, match="None of the 3"):
            run(find_jobs, JOB_TYPE="INSAR_ISCE_MULTI_BURST", **period)


def test_baseline_of_passes_on_both_sides_of_midnight(add, run):
    first, last = LATE, LATE + CYCLE + timedelta(seconds=3)
    add(gamma_name(first, last), "INSAR_GAMMA", [slc(first, 30000)], [slc(last, 30175)])
    [facts] = run(find_jobs).values()
    assert facts["baseline_days"] == 12


def test_frames_of_a_merged_pass_are_of_one_day(service, run, tmp_path):
    for cycle in range(2):
        for seconds in (-23, 2):
            time = LATE + cycle * CYCLE + timedelta(seconds=seconds)
            granule = slc(time, 30000 + 175 * cycle, "GRDH")
            folder = write_frame(tmp_path / "made", rtc_name(time), granule)
            service.add(make_job(folder.name, "RTC_GAMMA", [granule], archive=zip_product(folder)))
    given = {"JOB_TYPE": "RTC_GAMMA", "FOLDER": str(tmp_path / "in"), "END": "2022-12-31"}
    apart = run(prepare_stack, **given, NETCDF=str(tmp_path / "apart.nc"))
    assert apart["STEPS"] == 3
    merged = run(prepare_stack, **given, NETCDF=str(tmp_path / "s.nc"), MERGE_PASSES=True)
    assert merged["STEPS"] == 2
    with xr.open_dataset(merged["NETCDF"]) as stack:
        assert [len(str(names).split()) for names in stack.product_name.values] == [2, 2]


# --- names of bursts ----------------------------------------------------------------------------


def burst_job(add, form, cycle, job_type="INSAR_ISCE_BURST", **more):
    first, last = NOON + cycle * CYCLE, NOON + (cycle + 1) * CYCLE
    product = f"{cycle:04X}"
    name = {
        "single": single_name(56072, first, last, product),
        "multi": multi_name(56072, 1, 27, first, last, product),
    }[form]
    return add(name, job_type, [burst(56072, first)], [burst(56072, last)], ascending=True, **more)


def test_jobs_of_bursts_under_both_names(add, run, tmp_path):
    names = [burst_job(add, form, n) for n, form in enumerate(("single", "multi", "multi"))]
    found = run(find_jobs, JOB_TYPE="INSAR_ISCE_BURST", PATHS="27")
    assert set(found) == set(names)
    assert {facts["job_type"] for facts in found.values()} == {"INSAR_ISCE_BURST"}
    given = {"JOB_TYPE": "INSAR_ISCE_BURST", "FOLDER": str(tmp_path / "in")}
    assert run(prepare_stack, **given, NETCDF=str(tmp_path / "s.nc"))["STEPS"] == 3
    new = run(prepare_stack, **given, NETCDF=str(tmp_path / "n.nc"), START="2022-08-20")
    assert new["STEPS"] == 2


def test_jobs_of_both_types_for_one_burst(add, run, service, tmp_path):
    names = [burst_job(add, "single", 0), burst_job(add, "multi", 1, "INSAR_ISCE_MULTI_BURST")]
    jobs = ",".join(service.jobs)
    outputs = run(
        prepare_stack,
        JOBS=jobs,
        JOB_TYPE="INSAR_ISCE_BURST",
        FOLDER=str(tmp_path / "in"),
        NETCDF=str(tmp_path / "s.nc"),
    )
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert stack.product_name.values.astype(str).tolist() == names


def test_a_burst_that_was_ordered_again_under_the_other_name(add, run, reporter, tmp_path):
    day = timedelta(days=1)
    now = datetime.now(timezone.utc)
    burst_job(add, "single", 0, requested=now - 2 * day)
    again = burst_job(add, "multi", 0, requested=now - day)
    outputs = run(
        prepare_stack,
        JOB_TYPE="INSAR_ISCE_BURST",
        FOLDER=str(tmp_path / "in"),
        NETCDF=str(tmp_path / "s.nc"),
    )
    assert outputs["STEPS"] == 1
    assert any(f"was ordered again; {again} is used" in text for text in reporter.infos)


# --- the node -----------------------------------------------------------------------------------


def frame_job(add, cycle, path, place=EQUATOR, ring=AROUND):
    first, last = (NOON + (cycle + n) * (CYCLE + timedelta(seconds=9)) for n in (0, 1))
    orbits = tuple(73 + 175 * (250 + cycle + n) + path - 1 for n in (0, 1))
    sides = ([slc(time, orbit)] for time, orbit in zip((first, last), orbits, strict=True))
    name = gamma_name(first, last, f"{cycle:04X}")
    return add(name, "INSAR_GAMMA", *sides, place, orbits, ascending=True, ring=ring)


@pytest.mark.parametrize(("before", "after"), [(43, 44), (175, 1)])
def test_frames_on_two_paths_are_found_by_either(add, run, tmp_path, before, after):
    names = [frame_job(add, 0, before), frame_job(add, 2, after)]
    for path in (before, after):
        found = run(find_jobs, PATHS=str(path))
        assert set(found) == set(names)
        assert [found[name]["path"] for name in names] == [before, after]
    outputs = run(
        prepare_stack, PATHS=str(after), FOLDER=str(tmp_path / "in"), NETCDF=str(tmp_path / "s.nc")
    )
    assert outputs["STEPS"] == 2
    with xr.open_dataset(outputs["NETCDF"]) as stack:
        assert stack.orbit_relative.values.tolist() == [before] * 2 + [after] * 2


def test_bursts_on_two_paths(add, run, tmp_path):
    for cycle, path in enumerate((43, 44)):
        first, last = NOON + cycle * CYCLE, NOON + (cycle + 1) * CYCLE
        sides = ([burst(92365 + n, day) for n in range(2)] for day in (first, last))
        name = multi_name(92365, 2, path, first, last)
        add(name, "INSAR_ISCE_MULTI_BURST", *sides, EQUATOR, ascending=True)
    given = {"JOB_TYPE": "INSAR_ISCE_MULTI_BURST", "FOLDER": str(tmp_path / "in")}
    assert run(prepare_stack, **given, NETCDF=str(tmp_path / "s.nc"), PATHS="43")["STEPS"] == 2


def test_downloads_warn_of_really_different_paths_only(add, run, reporter, tmp_path):
    frame_job(add, 0, 43), frame_job(add, 2, 44)
    run(download_products, OUTPUT=str(tmp_path / "in"))
    assert reporter.warnings == []
    frame_job(add, 4, 46)
    run(download_products, OUTPUT=str(tmp_path / "in"))
    [said] = reporter.warnings
    assert "of several paths (43, 46)" in said


@pytest.mark.parametrize("path", [44, 45])
def test_neighboring_paths_away_from_the_node_stay_others(add, run, tmp_path, path):
    one = frame_job(add, 0, 43, CALIFORNIA, ELSEWHERE)
    frame_job(add, 2, path, CALIFORNIA, ELSEWHERE)
    assert set(run(find_jobs, PATHS="43")) == {one}
    with pytest.raises(InconsistentProductsError, match=f"path 43 .*path {path}"):
        run(prepare_stack, FOLDER=str(tmp_path / "in"), NETCDF=str(tmp_path / "s.nc"))
