"""How far jobs are, and ordering again what failed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.core.errors import (
    AuthenticationError,
    InvalidParameterError,
    NoProductsError,
    RetrievalError,
)
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import resubmit_jobs, watch_jobs
from tests.hyp3_server import make_job
from tests.hyp3_server.faults import Fault, gateway, said

from .conftest import Acting
from .plans import burst, burst_pairs, days

PLAN = burst_pairs(4, neighbors=1)
PASSING = "requests.exceptions.ReadTimeout: HTTPSConnectionPool: Read timed out."
PERMANENT = "ValueError: Water mask: all-water scene, unwrapping not possible"


@pytest.fixture
def reporter():
    return SilentReporter()


def watch(customer, reporter, **more):
    parameters = {"API_URL": customer.service.url, "PROJECT": "ridge", "INTERVAL": 1, **more}
    return watch_jobs.run(parameters, customer.credentials, reporter)


@pytest.fixture
def ordered(customer):
    """Three jobs that were ordered, by rank."""
    customer.know(PLAN)
    _, job_ids = customer.order(PLAN, CONFIRM=3)
    customer.service.log.clear()
    return list(job_ids.values())


def finish(service, job_id, days_left=10.0):
    record = service.jobs[job_id].record
    expires = datetime.now(timezone.utc) + timedelta(days=days_left)
    record.update(status_code="SUCCEEDED", expiration_time=expires.isoformat())


def test_counts_failures_and_what_expires_soon(customer, ordered, reporter):
    finish(customer.service, ordered[0], 10)
    finish(customer.service, ordered[1], 1)
    customer.service.fail(ordered[2], PASSING)
    customer.service.add(make_job("other", project="elsewhere"))
    outputs = watch(customer, reporter)
    assert outputs == {
        "COUNT": 3,
        "SUCCEEDED": 2,
        "FAILED": 1,
        "RUNNING": 0,
        "PENDING": 0,
        "EXPIRING": 1,
        "JOBS": [ordered[1], ordered[0]],
        "NEWEST": "2020-07-10",
        "JOB_TYPE": "INSAR_ISCE_MULTI_BURST",
    }
    assert "3 of 3 jobs are done (1 failed); the newest date is 2020-07-10." in reporter.infos
    told = " ".join(reporter.warnings)
    assert "1 job failed because something did not answer in time; order failed jobs again." in told
    assert "Products that expire within three days: 1, the first one on" in told


def test_each_look_is_one_request(customer, ordered, reporter):
    service = customer.service
    service.process = lambda job: (finish(service, job.job_id), service.jobs[job.job_id])[1]
    outputs = watch(customer, reporter, WAIT=True)
    assert (outputs["SUCCEEDED"], outputs["PENDING"]) == (3, 0)
    looks = [entry for entry in service.log.of("api") if entry.path == "/jobs"]
    assert len(looks) == 2  # running, done
    assert all(entry.query["name"] == "ridge" for entry in looks)
    assert "0 of 3 jobs are done (3 running)." in reporter.infos
    assert "3 of 3 jobs are done; the newest date is 2020-07-10." in reporter.infos


def test_an_outage_while_waiting_is_waited_for(customer, ordered, reporter):
    service = customer.service
    service.process = lambda job: (finish(service, job.job_id), service.jobs[job.job_id])[1]

    class Breaking(SilentReporter):
        def info(self, text):
            super().info(text)
            if "jobs are done" in text and not self.warnings:
                service.api_faults.add("jobs", Fault(status=503, retry_after="1000"))

    reporter = Breaking()
    assert watch(customer, reporter, WAIT=True)["SUCCEEDED"] == 3
    assert "The jobs go on; they are looked at again." in reporter.warnings[0]


def test_a_login_that_ends_while_waiting_ends_the_watch(customer, ordered):
    class Breaking(SilentReporter):
        def info(self, text):
            if "jobs are done" in text:
                fault = gateway(401, "Unauthorized")
                customer.service.api_faults.add("jobs", fault)

    with pytest.raises(AuthenticationError, match="generate a new token"):
        watch(customer, Breaking(), WAIT=True)


def test_jobs_by_id_are_found_although_listings_lag_behind(customer, ordered, reporter):
    customer.service.stale_listings = 5
    assert watch(customer, reporter, JOBS=",".join(ordered), PROJECT="")["PENDING"] == 3


def test_jobs_of_another_account_are_waited_for(customer, ordered, reporter):
    """Listings have those of one's own account only; by id, all jobs can be asked for."""
    service = customer.service
    for job_id in ordered:
        service.jobs[job_id].record["user_id"] = "someone_else"
    end = Acting("0 of 3 jobs", lambda: [finish(service, job_id) for job_id in ordered])
    outputs = watch(customer, end, JOBS=",".join(ordered), PROJECT="", WAIT=True)
    assert (outputs["SUCCEEDED"], outputs["PENDING"]) == (3, 0)


def test_two_thousand_jobs_are_watched_page_by_page(customer, reporter):
    service = customer.service
    for number in range(2000):
        job = make_job(
            f"job {number:04d}", project="ridge", status="RUNNING" if number else "FAILED"
        )
        service.add(job)
    outputs = watch(customer, reporter)
    assert (outputs["COUNT"], outputs["RUNNING"], outputs["FAILED"]) == (2000, 1999, 1)
    assert len([entry for entry in service.log.of("api") if entry.path == "/jobs"]) == 20


def test_pages_that_lead_to_themselves_are_given_up(customer, ordered, reporter):
    page = {"jobs": [], "next": f"{customer.service.url}/jobs?start_token=again"}
    customer.service.api_faults.add("jobs", said(page, times=-1))
    with pytest.raises(RetrievalError, match="again and again"):
        watch(customer, reporter)


def test_nothing_to_watch_is_told(customer, reporter):
    with pytest.raises(NoProductsError, match="no such jobs in the project 'ridge'"):
        watch(customer, reporter)


def resubmit(customer, reporter, **more):
    parameters = {
        "API_URL": customer.service.url,
        "PROJECT": "ridge",
        "MAX_CREDITS": 10,
        "JOURNAL": str(customer.journal),
        **more,
    }
    return resubmit_jobs.run(parameters, customer.credentials, reporter)


def test_only_what_may_pass_is_sent_again(customer, ordered, reporter):
    service = customer.service
    service.fail(ordered[0], PASSING)
    service.fail(ordered[1], PERMANENT)
    service.fail(ordered[2])
    bill = resubmit(customer, reporter)
    assert (bill["COUNT"], bill["CREDITS"], bill["FAILED"], bill["JOBS"]) == (2, 2, 1, [])
    assert "1 job failed because it lies wholly over water, and would again." in reporter.infos
    assert not service.log.orders()
    outputs = resubmit(customer, reporter, CONFIRM=2)
    assert len(outputs["JOBS"]) == 2
    (order,) = service.log.orders()
    for job in order.body["jobs"]:
        # Without the place of the product that the stored record has.
        assert job.keys() == {"job_type", "job_parameters", "name"}
    assert customer.keys.total() == 5
    # Their newer twins are alive, so they are not sent again.
    assert resubmit(customer, reporter)["COUNT"] == 0
    # Once only: what failed twice stays.
    for job_id in outputs["JOBS"]:
        service.fail(job_id, PASSING)
    again = resubmit(customer, reporter)
    assert (again["COUNT"], again["FAILED"]) == (0, 3)
    assert "2 jobs failed twice." in reporter.infos


def test_two_confirmed_runs_send_again_once(customer, ordered, reporter):
    service = customer.service
    for job_id in ordered[:2]:
        service.fail(job_id, PASSING)
    resubmit(customer, reporter)
    resubmit(customer, reporter, CONFIRM=2)
    assert resubmit(customer, reporter, CONFIRM=2)["COUNT"] == 0
    assert len(service.log.orders()) == 1
    # Nor does anything happen where all is well.
    for job_id in service.jobs:
        finish(service, job_id)
    assert resubmit(customer, reporter, CONFIRM=2) == {
        "JOBS": [],
        "COUNT": 0,
        "CREDITS": 0.0,
        "FAILED": 0,
        "JOURNAL": str(customer.journal),
    }
    assert len(service.jobs) == 5


@pytest.mark.parametrize(
    ("more", "error", "words"),
    [
        ({"CONFIRM": 1}, InvalidParameterError, "costs 2 credits"),
        ({"CONFIRM": 3}, InvalidParameterError, "costs 2 credits"),
        ({"CONFIRM": 2, "MAX_CREDITS": 1}, InvalidParameterError, "MAX_CREDITS is 1"),
        ({"CONFIRM": 2, "PROJECT": "valley"}, NoProductsError, "no jobs in the project"),
    ],
)
def test_the_same_guard_as_for_orders(customer, ordered, reporter, more, error, words):
    for job_id in ordered[:2]:
        customer.service.fail(job_id, PASSING)
    if "PROJECT" in more:
        more = {**more, "JOURNAL": str(customer.journal.with_name("other.json"))}
    with pytest.raises(error, match=words):
        resubmit(customer, reporter, **more)
    assert not customer.service.log.orders()


def test_a_lost_answer_is_looked_up_here_too(customer, ordered, reporter):
    service = customer.service
    service.fail(ordered[0], PASSING)
    service.api_faults.add("order", gateway(504, "Endpoint request timed out", stored=1.0))
    outputs = resubmit(customer, reporter, CONFIRM=1)
    assert len(outputs["JOBS"]) == 1
    assert outputs["JOBS"][0] not in ordered
    assert len(service.log.orders()) == 1


def test_backscatter_is_sent_again_with_its_own_options(customer, reporter):
    scene = "S1A_IW_GRDH_1SDV_20180128T161201_20180128T161226_020358_022C4C_1111"
    options = {"resolution": 20.0, "radiometry": "sigma0"}
    job = make_job(None, "RTC_GAMMA", [scene], project="ridge", status="FAILED", options=options)
    customer.service.add(job)
    customer.service.know_scenes([scene])
    assert resubmit(customer, reporter)["CREDITS"] == 15
    resubmit(customer, reporter, CONFIRM=15, MAX_CREDITS=15)
    (order,) = customer.service.log.orders()
    assert order.body["jobs"][0]["job_parameters"] == {**options, "granules": [scene]}


def test_a_service_that_cannot_be_asked_is_an_error(customer, ordered, reporter):
    customer.service.api_faults.add("jobs", Fault(status=503, retry_after="1000"))
    with pytest.raises(RetrievalError, match="out of order"):
        watch(customer, reporter)


def test_single_bursts_are_sent_again_as_they_were(customer, reporter):
    first, second, _ = days(3)
    scenes = [burst(0, first), burst(0, second)]
    job = make_job(None, "INSAR_ISCE_BURST", scenes, project="ridge", status="FAILED")
    customer.service.add(job)
    customer.service.know_scenes(scenes)
    assert resubmit(customer, reporter)["CREDITS"] == 1
