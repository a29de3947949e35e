"""Whatever goes wrong while jobs are ordered, none is ordered twice and no id is lost.

Each scenario breaks one order of 12 pairs; then the same order is run until it is through. At the
end the service has each pair exactly once, the credits of exactly these are gone, and the journal
and the outputs have the id of each.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.core.errors import (
    AuthenticationError,
    Canceled,
    InvalidParameterError,
    OutputError,
    RetrievalError,
    StackError,
)
from hyp3_stack.core.run.reporter import SilentReporter
from tests.hyp3_server.faults import Fault, gateway, page, said
from tests.hyp3_server.orders import stored_record

from .conftest import Customer
from .plans import burst_pairs

PLAN = burst_pairs(13, neighbors=1)
PAIRS = len(PLAN)
PRICE = PAIRS  # of two bursts, one credit each
LARGE = burst_pairs(206, bursts=1, neighbors=1)
"""A plan of 205 pairs, for which two requests are sent: of 200 jobs and of 5."""
TIMEOUT = gateway(504, "Endpoint request timed out").content


def timed_out(**more) -> Fault:
    return Fault(status=504, content=TIMEOUT, **more)


def orders_fail(*faults: Fault) -> Callable[[Customer], None]:
    return lambda customer: customer.service.api_faults.add("order", *faults)


def with_stale_listing(fault: Fault) -> Callable[[Customer], None]:
    def prepare(customer: Customer) -> None:
        customer.service.api_faults.add("order", fault)
        # The listing before the order, and the first look after it.
        customer.service.stale_listings = 2

    return prepare


# How the first run is broken, and what it ends with: an error, or None where it is through.
SCENARIOS: dict[str, tuple[Callable[[Customer], None], type[StackError] | None]] = {
    "gateway timed out after the jobs were stored": (orders_fail(timed_out(stored=1.0)), None),
    "gateway timed out before": (orders_fail(timed_out()), RetrievalError),
    "half of the jobs were stored": (orders_fail(timed_out(stored=0.5)), RetrievalError),
    "connection lost after the jobs were stored": (orders_fail(Fault(stored=1.0)), None),
    "connection lost before": (orders_fail(Fault()), RetrievalError),
    "listing lags behind after a lost answer": (
        with_stale_listing(timed_out(stored=1.0)),
        None,
    ),
    "server error after the jobs were stored": (
        orders_fail(Fault(status=500, stored=1.0)),
        None,
    ),
    "a web page in place of the answer": (
        orders_fail(page(200, "Please log in to the network", stored=1.0)),
        None,
    ),
    "an answer that breaks off": (
        orders_fail(Fault(status=200, content=b'{"jobs": [{"job_', stored=1.0)),
        None,
    ),
    "an answer without jobs": (
        orders_fail(Fault(status=200, content=b'{"jobs": []}', stored=1.0)),
        None,
    ),
    "a firewall refuses": (orders_fail(page(403, "Blocked")), RetrievalError),
    "too many requests": (orders_fail(gateway(429, "Too Many Requests")), RetrievalError),
    "gateway timed out in two runs": (orders_fail(timed_out(times=2)), RetrievalError),
}


def run_until_through(customer: Customer, features=PLAN, price=PRICE) -> list[str]:
    """Run the same order again and again, and confirm what is left where that is asked for.

    Return the ids of the run that is through.
    """
    for _ in range(5):
        try:
            return list(customer.order(features, CONFIRM=price)[1].values())
        except RetrievalError:
            continue
        except InvalidParameterError as error:
            assert "run without CONFIRM" in str(error)
            price = customer.order(features)[0].credits
    raise AssertionError("the order never got through")


def assert_ordered_once(customer: Customer, job_ids: list[str], pairs: int = PAIRS) -> None:
    service = customer.service
    assert set(customer.keys.values()) == {1}
    assert len(service.jobs) == pairs
    assert sorted(job_ids) == sorted(service.jobs)
    noted = json.loads(customer.journal.read_text())["requests"]
    assert {job_id for sent in noted for job_id in sent["job_ids"].values()} == set(service.jobs)
    assert all(sent["state"] != "sending" for sent in noted)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_ordered_twice_and_no_id_is_lost(customer, name):
    prepare, error = SCENARIOS[name]
    customer.know(PLAN)
    prepare(customer)
    if error is None:
        job_ids = list(customer.order(PLAN, CONFIRM=PRICE)[1].values())
    else:
        with pytest.raises(error) as raised:
            customer.order(PLAN, CONFIRM=PRICE)
        assert str(PAIRS) in str(raised.value)
        job_ids = run_until_through(customer)
    assert_ordered_once(customer, job_ids)
    # Half of an order that was stored has cost all of it; the rest was paid for once more.
    lost = PRICE / 2 if "half" in name else 0
    assert customer.service.user.remaining_credits == 8000 - PRICE - lost
    again = customer.order(PLAN, CONFIRM=PRICE)
    assert not again[0].new
    assert_ordered_once(customer, list(again[1].values()))


def test_what_a_lost_request_may_have_cost_is_agreed_to_anew(customer):
    """HyP3 takes credits before it stores jobs, so those of the lost half are gone."""
    customer.know(PLAN)
    customer.service.api_faults.add("order", timed_out(stored=0.5))
    with pytest.raises(RetrievalError, match="may have taken credits"):
        customer.order(PLAN, CONFIRM=PRICE)
    with pytest.raises(InvalidParameterError, match="costs 6 credits"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert customer.service.user.remaining_credits == 8000 - PRICE
    assert "Of the new jobs, 6 were sent before" in customer.reporter.warnings[-1]
    customer.order(PLAN, CONFIRM=6)
    assert set(customer.keys.values()) == {1}


def test_nothing_is_sent_again_by_itself(customer):
    customer.know(PLAN)
    customer.service.api_faults.add("order", timed_out(times=3))
    with pytest.raises(RetrievalError, match="0 of 12 jobs were ordered and 12 were not"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert len(customer.service.log.orders()) == 1


def test_lost_answer_and_lost_service_are_looked_up_by_the_next_run(customer):
    customer.know(PLAN)
    service = customer.service
    service.api_faults.add("order", timed_out(stored=1.0))

    class Breaking(SilentReporter):
        def info(self, text):
            super().info(text)
            if "is looked up now" in text:
                service.api_faults.add("jobs", Fault(status=503, times=-1, retry_after="1000"))

    customer.reporter = Breaking()
    with pytest.raises(RetrievalError, match="is not known.*run the same again later"):
        customer.order(PLAN, CONFIRM=PRICE)
    service.api_faults.clear()
    assert_ordered_once(customer, run_until_through(customer))
    assert len(service.log.orders()) == 1


def test_killed_while_sending_is_looked_up_by_the_next_run(customer):
    """As a process that was killed leaves it: the journal says sending, the service has them."""
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    document = json.loads(customer.journal.read_text())
    document["requests"][0].update(state="sending", job_ids={})
    customer.journal.write_text(json.dumps(document))
    bill, job_ids = customer.order(PLAN)
    assert not bill.new
    assert_ordered_once(customer, list(job_ids.values()))


def test_listing_that_lags_behind_a_whole_order(customer):
    """The next run asks for the jobs of its journal by id, which never lags behind."""
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    customer.service.stale_listings = 10
    bill, job_ids = customer.order(PLAN, CONFIRM=PRICE)
    assert not bill.new
    assert_ordered_once(customer, list(job_ids.values()))


def test_credits_that_run_out_between_two_requests(customer):
    customer.know(LARGE)
    service = customer.service
    service.user.remaining_credits = 203
    # The service is not able to say how many credits are left before.
    service.api_faults.add("user", Fault(status=504))
    with pytest.raises(RetrievalError, match=r"only 3.* remaining.*200 of 205 jobs were ordered"):
        customer.order(LARGE, CONFIRM=205)
    assert len(service.jobs) == 200
    service.user.remaining_credits = 100
    job_ids = run_until_through(customer, LARGE, 205)
    assert_ordered_once(customer, job_ids, 205)
    assert service.user.remaining_credits == 95


def test_short_credits_order_nothing(customer):
    customer.know(PLAN)
    customer.service.user.remaining_credits = PRICE - 1
    with pytest.raises(RetrievalError, match="only 11"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not customer.service.jobs
    assert not customer.service.log.orders()


def test_token_that_expires_between_price_and_order(customer):
    customer.know(PLAN)
    service = customer.service
    refusal = Fault(
        status=401,
        content=json.dumps({"detail": "Provided apikey is not valid", "status": 401}).encode(),
    )
    service.api_faults.add("order", refusal)
    with pytest.raises(AuthenticationError, match="generate a new token"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not service.jobs
    assert_ordered_once(customer, run_until_through(customer))


@pytest.mark.parametrize("state", ["NOT_STARTED", "PENDING", "REJECTED"])
def test_account_without_access_orders_nothing(customer, state):
    customer.know(PLAN)
    customer.service.user.application = state
    with pytest.raises(AuthenticationError, match=f"{state}.*hyp3.example/help"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not customer.service.log.orders()


def test_catalog_out_of_order_orders_nothing(customer):
    customer.know(PLAN)
    customer.service.catalog_status = 503
    with pytest.raises(RetrievalError, match="while the ASF catalog is out of reach"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not customer.service.log.orders()


def test_scene_that_is_not_there_orders_nothing(customer):
    customer.know(PLAN[1:])
    with pytest.raises(InvalidParameterError, match="catalog does not have some scenes"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not customer.service.log.orders()


def test_cancel_between_two_requests(customer):
    customer.know(LARGE)
    service = customer.service

    class Canceling(SilentReporter):
        def canceled(self):
            return bool(service.jobs)

    customer.reporter = Canceling()
    with pytest.raises(Canceled):
        customer.order(LARGE, CONFIRM=205)
    assert len(service.jobs) == 200
    customer.reporter = SilentReporter()
    assert_ordered_once(customer, run_until_through(customer, LARGE, 205), 205)


def test_service_that_takes_more_than_it_said_is_stopped(customer):
    customer.know(LARGE)
    service = customer.service
    service.surcharge = 2.0
    with pytest.raises(RetrievalError, match="took more credits.*200 of 205 jobs were ordered"):
        customer.order(LARGE, CONFIRM=205)
    assert len(service.log.orders()) == 1


def test_a_disk_that_fails_after_the_request_was_sent(customer):
    customer.know(PLAN)
    obstacle = customer.journal.with_name(f"{customer.journal.name}.part")
    customer.service.api_faults.add("order", timed_out(stored=1.0))

    class Failing(SilentReporter):
        def info(self, text):
            super().info(text)
            if "is looked up now" in text:
                obstacle.mkdir()

    customer.reporter = Failing()
    with pytest.raises(OutputError, match="Ordered all the same: 12 jobs.*looks them up"):
        customer.order(PLAN, CONFIRM=PRICE)
    obstacle.rmdir()
    assert_ordered_once(customer, list(customer.order(PLAN, CONFIRM=PRICE)[1].values()))
    assert len(customer.service.log.orders()) == 1


def test_service_that_takes_more_for_its_last_request_is_told(customer):
    customer.know(PLAN)
    customer.service.surcharge = 2.0
    _, job_ids = customer.order(PLAN, CONFIRM=PRICE)
    assert_ordered_once(customer, list(job_ids.values()))
    assert (
        "took 36 credits for jobs that it had priced at 12 credits"
        in customer.reporter.warnings[-1]
    )


def test_service_that_orders_what_it_is_to_check_gets_one_job_and_no_more(customer):
    """One that does not know validate_only, does not mind it, and sends it back as HyP3 does."""
    customer.know(PLAN)
    service = customer.service
    service.sells_trials = True
    with pytest.raises(RetrievalError, match="has ordered it.*no more are sent") as raised:
        customer.order(PLAN, CONFIRM=PRICE)
    (job_id,) = service.jobs
    assert job_id in str(raised.value)
    assert not service.log.orders()


def test_a_lost_request_is_not_taken_for_an_older_order_of_the_same_job(customer):
    """The journal keeps the ids of all orders of a job, not only of the last one."""
    customer.know(PLAN[:1])
    for _ in range(2):
        customer.order(PLAN[:1])
        customer.order(PLAN[:1], CONFIRM=1)
        for job in customer.service.jobs.values():
            job.record["status_code"] = "FAILED"
    document = json.loads(customer.journal.read_text())
    document["requests"].append({**document["requests"][0], "state": "sending", "job_ids": {}})
    customer.journal.write_text(json.dumps(document))
    bill, _ = customer.order(PLAN[:1], RETRY_FAILED=True)
    assert "Found of its 1 job: 0." in customer.reporter.infos
    assert len(bill.new) == 1
    assert len(customer.service.jobs) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"credit_cost": -1}, "a job without a price"),
        ({"credit_cost": None}, "a job without a price"),
        ({"credit_cost": "free"}, "a job whose credit_cost is 'free'"),
        ({"job_type": "INSAR_ISCE_BURST"}, "prices of other jobs"),
        ({"job_parameters": {}}, "prices of other jobs"),
    ],
)
def test_a_price_that_is_none_orders_nothing(customer, changes, words):
    customer.know(PLAN)
    names = {side: PLAN[0][side].split(",") for side in ("reference", "secondary")}
    job = {"job_type": PLAN[0]["job_type"], "job_parameters": {"looks": "20x4", **names}}
    record = stored_record(job, "sample_user", datetime.now(timezone.utc), 0.0)
    customer.service.api_faults.add("validation", said({"jobs": [{**record, **changes}]}))
    with pytest.raises(RetrievalError, match=words):
        customer.order(PLAN[:1], CONFIRM=1)
    assert not customer.service.log.orders()


def test_old_jobs_of_the_same_content(customer):
    """Failed and expired ones count as new; the others are not ordered again."""
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    jobs = list(customer.service.jobs.values())
    now = datetime.now(timezone.utc)
    jobs[0].record["status_code"] = "FAILED"
    jobs[1].record.update(
        status_code="SUCCEEDED", expiration_time=(now - timedelta(days=1)).isoformat()
    )
    jobs[2].record.update(
        status_code="SUCCEEDED", expiration_time=(now + timedelta(days=1)).isoformat()
    )
    bill, _ = customer.order(PLAN)
    assert bill.credits == 2
    told = " ".join(customer.reporter.infos)
    assert "Earlier jobs of the same scenes that failed: 1" in told
    assert "Earlier jobs of the same scenes that expired: 1" in told
    # What was agreed to before does not cover them.
    with pytest.raises(InvalidParameterError, match="costs 2 credits"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert len(customer.service.jobs) == PAIRS
    customer.order(PLAN, CONFIRM=2)
    assert len(customer.service.jobs) == PAIRS + 2
