"""From an area to a plan of pairs through ``qgis_process``, by services on this machine."""

import sqlite3
from pathlib import Path

import pytest

from tests.hyp3_server import Hyp3Service
from tests.hyp3_server.sky import Sky

pytestmark = pytest.mark.qgis

DATES = 6


def order_and_watch(qgis_run, service, account, pairs):
    """Order a plan of twelve pairs, watch its jobs, and order one that fails again."""

    def run(name, **parameters):
        done = qgis_run(f"hyp3:{name}", account, API_URL=service.url, **parameters)
        assert done.returncode == 0, done.text
        return done

    order = {"INPUT": pairs, "NAME": "ridge", "MAX_CREDITS": 12}
    ordered = run("orderpairs", **order, CONFIRM=12).outputs
    assert (ordered["COUNT"], ordered["CREDITS"]) == (12, 12)
    assert set(ordered["JOBS"].split(",")) == set(service.jobs)
    assert set(map(len, (order.body["jobs"] for order in service.log.orders()))) == {12}
    assert Path(ordered["JOURNAL"]).is_file()
    job_id = ordered["JOBS"].partition(",")[0]
    service.fail(job_id, "botocore.exceptions.ReadTimeoutError: Read timed out")
    watched = run("watchjobs", PROJECT="ridge")
    assert (watched.outputs["PENDING"], watched.outputs["FAILED"]) == (11, 1)
    assert "1 job failed because something did not answer in time" in watched.text
    again = run("resubmitjobs", PROJECT="ridge", MAX_CREDITS=5, CONFIRM=1)
    assert again.outputs["JOBS"] in service.jobs
    assert again.outputs["JOURNAL"] == ordered["JOURNAL"]
    assert len(service.jobs) == 13
    assert service.user.remaining_credits == 8000 - 13


def test_an_area_becomes_a_plan(qgis_run, tmp_path):
    sky = Sky()
    scenes, pairs = tmp_path / "scenes.gpkg", tmp_path / "pairs.gpkg"
    with Hyp3Service() as service:
        for day in range(0, 12 * DATES, 12):
            for number in range(-1, 4):
                scene = sky.burst(day, number, 1, (2.0 * day, 0.0))
                service.catalog[scene.name] = scene
        account = {
            **service.environment,
            "HYP3_STACK_CACHE": str(tmp_path / "cache"),
            "EARTHDATA_TOKEN": service.accounts.token(service.user.name),
        }
        found = qgis_run(
            "hyp3:searchscenes",
            account,
            EXTENT="-117.8,-117.4,35.25,35.4 [EPSG:4326]",
            START="2020-06-01",
            END="2022-06-01",
            OUTPUT=scenes,
        )
        assert found.returncode == 0, found.text
        assert found.outputs["JOB_TYPE"] == "INSAR_ISCE_MULTI_BURST"
        assert found.outputs["TRACKS"].startswith(f"Path {sky.path}, ascending: 2 bursts, 6 dates")
        assert found.outputs["COUNT"] == 2 * DATES
        planned = qgis_run(
            "hyp3:planpairs",
            account,
            INPUT=scenes,
            API_URL=service.url,
            OUTPUT=pairs,
            REPORT=tmp_path / "plan.html",
        )
        assert planned.returncode == 0, planned.text
        order_and_watch(qgis_run, service, account, pairs)
    # Three next dates each: 3 + 3 + 3 + 2 + 1.
    assert planned.outputs["COUNT"] == planned.outputs["CREDITS"] == 12
    assert "7,988 credits would be left" in planned.text
    assert "Nothing has been ordered" in planned.text
    assert "<svg" in (tmp_path / "plan.html").read_text()
    with sqlite3.connect(pairs) as database:
        rows = database.execute(
            "SELECT rank, reference_date, secondary_date, temporal_baseline, geom IS NULL "
            "FROM pairs ORDER BY rank"
        ).fetchall()
    assert rows[0] == (1, "2021-02-21", "2021-03-05", 12, 0)
    assert [row[0] for row in rows] == list(range(1, 13))
