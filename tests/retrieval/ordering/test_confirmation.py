"""What a confirmed price counts for: the jobs that it was shown for, at one account, once."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import replace

import pytest

from hyp3_stack.core.errors import InvalidParameterError, OutputError, RetrievalError
from hyp3_stack.core.retrieval.ordering.order_journal import OrderJournal
from hyp3_stack.core.run.reporter import SilentReporter
from tests.hyp3_server import make_job
from tests.hyp3_server.accounts import Account
from tests.hyp3_server.orders import COSTS

from .conftest import Acting, Customer
from .plans import burst, burst_pairs, days, frame_pairs

PLAN = burst_pairs(13, neighbors=1)
PRICE = len(PLAN)
OTHER = burst_pairs(14, neighbors=1)[1:]
"""Of the same price, with one other pair."""


def end(customer, status):
    for job in customer.service.jobs.values():
        job.record["status_code"] = status


def test_a_plan_that_was_changed_to_another_of_the_same_price_is_refused(customer):
    customer.know(PLAN + OTHER)
    assert customer.order(PLAN)[0].credits == customer.order(OTHER)[0].credits == PRICE
    with pytest.raises(InvalidParameterError, match="shown or confirmed for other jobs"):
        customer.order(PLAN, CONFIRM=PRICE)
    with pytest.raises(InvalidParameterError, match="shown or confirmed for other jobs"):
        customer.order(OTHER, CONFIRM=PRICE, LOOKS="10x2")
    assert not customer.service.log.orders()
    assert len(customer.order(OTHER, CONFIRM=PRICE)[1]) == PRICE


def test_a_price_that_no_run_has_told_may_be_known_from_the_plan(customer):
    customer.know(PLAN)
    customer.order(PLAN[:3])
    assert len(customer.order(PLAN, CONFIRM=PRICE)[1]) == PRICE


def test_a_confirmed_price_counts_once(customer):
    """As in a script with CONFIRM that runs again when everything has failed, or the plan grew."""
    customer.know(PLAN + OTHER)
    customer.order(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    end(customer, "FAILED")
    for plan in (PLAN, OTHER):
        with pytest.raises(InvalidParameterError, match="an earlier attempt of these"):
            customer.order(plan, CONFIRM=PRICE)
    assert len(customer.service.jobs) == PRICE
    customer.order(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    assert len(customer.service.jobs) == 2 * PRICE


def test_what_failed_for_good_is_named_and_not_ordered_again(customer):
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    service = customer.service
    job_ids = list(service.jobs)
    service.fail(job_ids[0], "ValueError: Water mask: all-water scene")
    service.fail(job_ids[1], "requests.exceptions.ReadTimeout")
    bill, _ = customer.order(PLAN)
    assert (bill.credits, len(bill.hopeless)) == (1, 1)
    assert customer.reporter.warnings[-1] == (
        "Left out, because earlier jobs of the same scenes and options failed because it lies "
        "wholly over water, and would again: INSAR_ISCE_MULTI_BURST 2020-10-14 to 2020-10-26; set "
        "RETRY_FAILED to order them all the same."
    )
    customer.order(PLAN, CONFIRM=1)
    for job_id in service.jobs.keys() - set(job_ids):
        service.fail(job_id, "requests.exceptions.ReadTimeout")
    # Month by month, nothing more is spent.
    bill, there = customer.order(PLAN)
    assert not bill.new
    assert len(there) == PRICE - 2
    assert "options failed twice: " in " ".join(customer.reporter.warnings[-2:])
    assert customer.order(PLAN, RETRY_FAILED=True)[0].credits == 2
    # Other options are other jobs.
    assert len(customer.order(PLAN, WATER_MASK=True)[0].new) == PRICE


def test_another_account_after_the_price_was_told(customer, tmp_path):
    customer.know(PLAN)
    service = customer.service
    service.accounts.add(Account("other_user", "secret"))
    told = customer.order(PLAN)[0]
    other = Customer(service, {"token": service.accounts.token("other_user")}, tmp_path)
    with pytest.raises(InvalidParameterError, match="belongs to other orders.*account sample_user"):
        other.order(PLAN, CONFIRM=told.credits)
    assert not service.log.orders()
    other.order(PLAN, JOURNAL=None, JOURNAL_FOLDER=str(tmp_path))
    assert f"Account: other_user at {service.url}." in other.reporter.infos


def test_credits_that_are_used_up_after_the_check(customer):
    customer.know(PLAN)
    user = customer.service.user
    customer.reporter = Acting("What is new", lambda: setattr(user, "remaining_credits", 5.0))
    with pytest.raises(RetrievalError, match="only 5.* remaining"):
        customer.order(PLAN, CONFIRM=PRICE)
    assert not customer.service.jobs
    assert user.remaining_credits == 5


def test_a_price_that_changes_before_the_order(customer, monkeypatch):
    customer.know(features := frame_pairs(3))
    assert customer.order(features)[0].credits == 20
    monkeypatch.setitem(COSTS["INSAR_GAMMA"]["cost_table"], "20x4", 12)
    with pytest.raises(InvalidParameterError, match="is 20, but this order costs 24 credits"):
        customer.order(features, CONFIRM=20, MAX_CREDITS=20)
    with pytest.raises(InvalidParameterError, match="MAX_CREDITS is 20"):
        customer.order(features, CONFIRM=24, MAX_CREDITS=20)
    assert not customer.service.log.orders()


def test_single_bursts_that_were_ordered_under_the_older_type(customer):
    """ASF is going to retire INSAR_ISCE_BURST; the same burst is not paid again for that."""
    first, second, third = days(3)
    scenes = [burst(0, second), burst(0, first)]
    options = {"looks": "20x4", "apply_water_mask": False}
    job = make_job(None, "INSAR_ISCE_BURST", scenes, status="RUNNING", options=options)
    customer.service.add(job)
    pair = {"job_type": "INSAR_ISCE_MULTI_BURST", "reference": scenes[1], "secondary": scenes[0]}
    features = [
        pair,
        {**pair, "job_type": "INSAR_ISCE_BURST"},
        {**pair, "secondary": burst(0, third)},
    ]
    customer.know(features)
    bill, there = customer.order(features)
    assert len(bill.new) == 1
    assert list(there.values()) == [job.job_id]
    told = " ".join(customer.reporter.infos)
    assert "Of 2 jobs, 1 were ordered before" in told
    assert "Of these, 1 are of the other type of jobs for one burst" in told
    assert len(customer.order(features, LOOKS="5x1")[0].new) == 2


def test_two_runs_with_one_journal(customer):
    """The second one is refused while the first one orders, and finds its jobs afterwards."""
    customer.know(PLAN)
    refused = []

    def second_run():
        other = Customer(customer.service, customer.credentials, customer.journal.parent.parent)
        try:
            other.order(PLAN, CONFIRM=PRICE)
        except OutputError as error:
            refused.append(str(error))

    def act():
        thread = threading.Thread(target=second_run)
        thread.start()
        thread.join()

    customer.reporter = Acting("What is new", act)
    customer.order(PLAN, CONFIRM=PRICE)
    assert len(refused) == 1 and "Another run is ordering" in refused[0]
    second_run()
    assert len(refused) == 1
    assert set(customer.keys.values()) == {1}
    assert len(customer.service.jobs) == PRICE


def test_a_run_waits_for_the_end_of_another_one(customer, tmp_path):
    """As of two scripts for two areas that begin at the same minute."""
    customer.know(PLAN)
    journal = OrderJournal(tmp_path / "elsewhere" / "journal.json", {})
    held = ExitStack()
    held.enter_context(journal.locked(tmp_path / "cache", 0.0, SilentReporter()))
    customer.patience = replace(customer.patience, lock=30.0)
    customer.reporter = Acting("its end is waited for", held.close)
    assert len(customer.order(PLAN, CONFIRM=PRICE)[1]) == PRICE
    assert len([text for text in customer.reporter.infos if "waited for" in text]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "n" * 100,
        "é" * 100,
        'Müller\'s "best" / north & south?',
        "../../etc/passwd",
        "日本 🌋",
        "a,b;c\\d%20#e",
        "  two   words ",
        "=1+1",
        "-name",
        "null",
    ],
)
def test_names_of_any_kind_are_found_again(customer, name, tmp_path):
    customer.know(PLAN[:2])
    # Jobs of the same name that are nothing of this order.
    customer.service.add(make_job("stranger", project=" ".join(name.split())))
    more = {"NAME": name, "JOURNAL": None, "JOURNAL_FOLDER": str(tmp_path / "orders")}
    _, job_ids = customer.order(PLAN[:2], CONFIRM=2, **more)
    assert len(set(job_ids.values()) - {"stranger"}) == 2
    (journal,) = (tmp_path / "orders").glob("*.json")
    assert json.loads(journal.read_text())["identity"]["project"] == " ".join(name.split())
    assert not customer.order(PLAN[:2], **more)[0].new


@pytest.mark.parametrize(
    ("name", "words"),
    [("(none)", "without a project"), ("n\0n", "no name can have"), ("é" * 101, "101 characters")],
)
def test_names_that_cannot_be_found_again_are_refused(customer, name, words):
    customer.know(PLAN)
    with pytest.raises(InvalidParameterError, match=words):
        customer.order(PLAN, CONFIRM=PRICE, NAME=name)
    assert not customer.service.log.orders()
