"""Answers that tell a part, and clocks that are wrong: no id is lost, and nothing ordered twice."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.core.errors import RetrievalError
from tests.hyp3_server.faults import said
from tests.hyp3_server.orders import stored_record
from tests.hyp3_server.records import StoredJob

from .conftest import Acting
from .plans import burst_pairs

PLAN = burst_pairs(13, neighbors=1)
PRICE = len(PLAN)
TOLD = 7


def noted(customer):
    """Return the ids of all requests of the journal, and their states."""
    requests = json.loads(customer.journal.read_text())["requests"]
    ids = {job_id for sent in requests for job_id in sent["job_ids"].values()}
    return ids, [sent["state"] for sent in requests]


@pytest.fixture
def partial(customer):
    """A service that has taken an order of 12, and tells 7 of their ids in its answer."""
    customer.know(PLAN)
    service = customer.service
    now = datetime.now(timezone.utc)
    ranked = sorted(PLAN, key=lambda pair: pair["rank"])
    records = []
    for pair in ranked:
        names = {side: pair[side].split(",") for side in ("reference", "secondary")}
        options = {"looks": "20x4", "apply_water_mask": False}
        job = {
            "job_type": pair["job_type"],
            "job_parameters": {**options, **names},
            "name": "ridge",
        }
        records.append(stored_record(job, "sample_user", now, 8000.0))

    def answer(*listed):
        service.api_faults.add("order", said({"jobs": [*records[:TOLD], *listed]}))

    def store():
        service.take_order([StoredJob(record) for record in records])
        service.user.remaining_credits -= PRICE

    return records, answer, store


def test_ids_of_a_partial_answer_count_although_the_listing_never_shows_them(customer, partial):
    records, answer, store = partial
    answer()
    with pytest.raises(RetrievalError, match="7 of 12 job ids.*7 of 12 jobs were ordered and 5"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert noted(customer) == ({record["job_id"] for record in records[:TOLD]}, ["looked up"])
    store()
    bill, job_ids = customer.order(PLAN)
    assert not bill.new
    assert set(job_ids.values()) == set(customer.service.jobs)
    assert len(customer.service.jobs) == PRICE


def test_the_rest_of_a_partial_answer_is_looked_up(customer, partial):
    records, answer, store = partial
    answer({"job_id": 12, "status_code": "PENDING"}, "what?")
    customer.reporter = Acting("is looked up now", store)
    _, job_ids = customer.order(PLAN, CONFIRM=PRICE)
    assert set(job_ids.values()) == {record["job_id"] for record in records}
    assert noted(customer) == (set(job_ids.values()), ["looked up"])
    assert customer.service.user.remaining_credits == 8000 - PRICE
    assert len(customer.service.log.orders()) == 1


@pytest.mark.parametrize("days", [-4000, -2, 2, 4000])
def test_a_clock_that_is_wrong(customer, days):
    """What an earlier run sent is found, whatever the clock of this computer said then."""
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    document = json.loads(customer.journal.read_text())
    (sent,) = document["requests"]
    moment = datetime.fromisoformat(sent["time"]) + timedelta(days=days)
    sent.update(state="sending", job_ids={}, time=moment.isoformat())
    customer.journal.write_text(json.dumps(document))
    bill, job_ids = customer.order(PLAN)
    assert not bill.new
    assert noted(customer) == (set(customer.service.jobs), ["looked up"])
    assert set(job_ids.values()) == set(customer.service.jobs)
    assert "Found of its 12 jobs: 12." in customer.reporter.infos
