"""A process that is killed at any step of an order: the next run orders what is left, once."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tests.checkout import ROOT
from tests.hyp3_server.faults import Fault

from .plans import burst_pairs
from .test_order_faults import assert_ordered_once, run_until_through

PLAN = burst_pairs(13, neighbors=1)
PRICE = len(PLAN)
LIMIT_SECONDS = 60.0


def kill_when(customer, condition):
    """Order in a process of its own, and kill it as soon as something is so."""
    job = {
        "protocol": 1,
        "task": "orderpairs",
        "parameters": customer.parameters(PLAN, CONFIRM=PRICE),
        "credentials": customer.credentials,
    }
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "core")],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.close()
        limit = time.monotonic() + LIMIT_SECONDS
        while not condition():
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()


def assert_through(customer):
    customer.service.api_faults.clear()
    assert_ordered_once(customer, run_until_through(customer))
    assert customer.service.user.remaining_credits == 8000 - PRICE


def requests_of(customer, words):
    """Return how many requests of a kind have come."""
    log = customer.service.log.of("api")
    return sum(words in f"{entry.method} {entry.path} {entry.body}" for entry in log)


@pytest.mark.parametrize("words", ["GET /costs", "GET /jobs", "'validate_only': True", "GET /user"])
def test_killed_before_the_order(customer, words):
    customer.know(PLAN)
    kill_when(customer, lambda: requests_of(customer, words) > 0)
    assert not customer.service.jobs
    assert_through(customer)
    assert len(customer.service.log.orders()) == 1


@pytest.mark.parametrize("stored", [0.0, 1.0])
def test_killed_while_the_service_works_on_the_order(customer, stored):
    customer.know(PLAN)
    customer.service.api_faults.add("order", Fault(status=504, stall=3.0, stored=stored))
    kill_when(customer, lambda: bool(customer.service.log.orders()))
    assert json.loads(customer.journal.read_text())["requests"][0]["state"] == "sending"
    assert_through(customer)
    assert len(customer.service.log.orders()) == (1 if stored else 2)


def test_killed_while_a_lost_answer_is_looked_up(customer):
    customer.know(PLAN)
    service = customer.service
    service.stale_listings = 5
    service.api_faults.add("order", Fault(status=504, stored=1.0))
    kill_when(customer, lambda: "name" in str([e.query for e in service.log.of("api")]))
    service.stale_listings = 0
    assert_through(customer)
    assert len(service.log.orders()) == 1


def test_killed_right_after_the_answer(customer):
    customer.know(PLAN)
    kill_when(customer, lambda: bool(customer.service.jobs))
    assert_through(customer)
    assert len(customer.service.log.orders()) == 1
