"""What an order holds, what it costs, and that nothing is ordered unless it is confirmed."""

from __future__ import annotations

import json

import pytest

from hyp3_stack.core.errors import InvalidParameterError, OutputError, StackError
from hyp3_stack.core.retrieval.ordering.order_journal import OrderJournal
from hyp3_stack.core.run.reporter import SilentReporter
from hyp3_stack.core.tasks import order_pairs
from tests.hyp3_server import make_job
from tests.hyp3_server.orders import OPTIONS

from .plans import burst, burst_pairs, days, frame, frame_pairs, plan

PLAN = burst_pairs(5)
PRICE = len(PLAN)


def run(customer, features=PLAN, reporter=None, **more):
    """Run the task itself."""
    parameters = customer.parameters(features, **more)
    return order_pairs.run(parameters, customer.credentials, reporter or SilentReporter())


def assert_nothing_spent(customer):
    assert not customer.service.log.orders()
    assert not customer.service.jobs
    assert customer.service.user.remaining_credits == 8000


def test_without_confirmation_the_bill_is_told_and_nothing_ordered(customer, tmp_path):
    customer.know(PLAN)
    reporter = SilentReporter()
    outputs = run(customer, reporter=reporter)
    assert outputs == {
        "JOBS": [],
        "COUNT": PRICE,
        "CREDITS": PRICE,
        "JOURNAL": str(customer.journal),
    }
    told = " ".join(reporter.infos)
    assert f"What is new, 7 jobs, costs {PRICE} credits, and 7993 of 8000 remain then." in told
    assert f"Nothing was ordered. To order this, run the same with CONFIRM={PRICE}." in told
    assert_nothing_spent(customer)
    assert json.loads(customer.journal.read_text())["requests"] == []


def test_a_confirmed_order_is_ordered_once_the_most_important_first(customer):
    customer.know(PLAN)
    outputs = run(customer, CONFIRM=PRICE, WATER_MASK=True, LOOKS="10x2")
    service = customer.service
    assert service.user.remaining_credits == 8000 - PRICE
    assert set(outputs["JOBS"]) == set(service.jobs)
    (order,) = service.log.orders()
    sent = [job["job_parameters"]["reference"] for job in order.body["jobs"]]
    ranked = sorted(PLAN, key=lambda pair: pair["rank"])
    assert sent == [pair["reference"].split(",") for pair in ranked]
    for job in order.body["jobs"]:
        assert job.keys() == {"job_type", "job_parameters", "name"}
        assert job["name"] == "ridge"
        assert job["job_parameters"]["looks"] == "10x2"
        assert job["job_parameters"]["apply_water_mask"] is True
    again = run(customer, CONFIRM=PRICE, WATER_MASK=True, LOOKS="10x2")
    assert (again["COUNT"], again["CREDITS"]) == (0, 0)
    assert again["JOBS"] == outputs["JOBS"]
    assert len(service.log.orders()) == 1


def test_only_what_is_new_is_ordered_when_the_plan_has_grown(customer):
    customer.know(grown := burst_pairs(6))
    run(customer, CONFIRM=PRICE)
    # A price that was confirmed for the old plan does not count for the new pairs.
    with pytest.raises(InvalidParameterError, match="CONFIRM is 7, but this order costs 2 credits"):
        run(customer, grown, CONFIRM=PRICE)
    assert len(customer.service.jobs) == PRICE
    outputs = run(customer, grown, CONFIRM=2)
    assert outputs["COUNT"] == 2
    assert len(outputs["JOBS"]) == len(grown) == len(customer.service.jobs)
    assert set(customer.keys.values()) == {1}


def test_jobs_of_other_names_and_programs_count(customer):
    """Vertex has ordered one of the pairs, under another name and with all options filled in."""
    customer.know(features := frame_pairs(3))
    options = {
        "looks": "20x4",
        "phase_filter_parameter": 0.6,
        "include_look_vectors": True,
        "include_dem": True,
        "include_los_displacement": False,
        "apply_water_mask": False,
        "a_new_option": False,
    }
    scenes = [features[0]["secondary"], features[0]["reference"]]
    job = make_job(
        None, "INSAR_GAMMA", scenes, project="by hand", status="RUNNING", options=options
    )
    customer.service.add(job)
    outputs = run(customer, features)
    assert (outputs["COUNT"], outputs["CREDITS"], outputs["JOBS"]) == (1, 10, [job.job_id])
    assert run(customer, features, LOOKS="10x2")["COUNT"] == 2
    assert run(customer, features, INCLUDE="none")["COUNT"] == 2


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"CONFIRM": PRICE - 1}, "CONFIRM is 6, but this order costs 7 credits"),
        ({"CONFIRM": PRICE + 1}, "CONFIRM is 8, but this order costs 7 credits"),
        ({"CONFIRM": PRICE, "MAX_CREDITS": PRICE - 1}, "MAX_CREDITS is 6"),
        ({"CONFIRM": "yes"}, "CONFIRM is 'yes'"),
        ({"CONFIRM": -1}, "CONFIRM is -1"),
        ({"CONFIRM": "nan"}, "CONFIRM is 'nan'"),
        ({"CONFIRM": True}, "CONFIRM is True"),
        ({"CONFIRM": PRICE, "MAX_CREDITS": None}, "MAX_CREDITS is missing"),
        ({"CONFIRM": PRICE, "NAME": " "}, "NAME is missing"),
        ({"CONFIRM": PRICE, "NAME": "n" * 101}, "NAME has 101 characters"),
        ({"CONFIRM": PRICE, "LOOKS": "40x8"}, "LOOKS is '40x8'"),
        ({"CONFIRM": PRICE, "INCLUDE": "rgb"}, "INCLUDE names rgb"),
        ({"CONFIRM": PRICE, "INCLUDE": "none,dem"}, "INCLUDE names none, dem"),
        ({"CONFIRM": PRICE, "FILTER": 1.5}, "FILTER is 1.5"),
        ({"CONFIRM": PRICE, "JOURNAL": None}, "JOURNAL is missing"),
        ({"CONFIRM": PRICE, "API_URL": "http://hyp3.example"}, "API_URL"),
        ({"CONFIRM": PRICE, "MAX_CREDIT": 9}, "MAX_CREDIT"),
    ],
)
def test_wrong_values_order_nothing(customer, more, words):
    customer.know(PLAN)
    with pytest.raises(StackError, match=words):
        run(customer, **more)
    assert_nothing_spent(customer)


def edited(**changes):
    """Return the plan with one pair changed."""
    return [{**PLAN[0], **changes}, *PLAN[1:]]


def sides(first, second):
    return {"reference": ",".join(first), "secondary": ",".join(second)}


D = days(3)


def shape(*places, day=0):
    """Return the names of bursts at (number, swath) on one day."""
    return [burst(number, D[day], swath) for number, swath in places]


def both(*places):
    return sides(shape(*places), shape(*places, day=1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (both((0, 2), (2, 2)), "do not lie together"),
        (both((0, 1), (1, 1), (2, 1), (0, 2)), "do not lie together"),
        (both((0, 1), (0, 3)), "do not lie together"),
        (both((0, 1), (3, 2)), "do not lie together"),
        (sides(shape((0, 2)), shape((1, 2), day=1)), "other bursts in its reference"),
        (sides(shape((0, 2), (1, 2)), shape((0, 2), day=1)), "other bursts in its reference"),
        (sides(shape((0, 2), day=1), shape((0, 2))), "has to be the earlier one"),
        (sides(shape((0, 2)), shape((0, 2))), "has to be the earlier one"),
        (
            sides([burst(0, D[0], polarization="VH")], [burst(0, D[1], polarization="VH")]),
            "polarizations VH",
        ),
        (
            sides([burst(0, D[0])], [burst(0, D[1], polarization="HH")]),
            "polarizations HH, VV",
        ),
        (
            sides([burst(0, D[0]), burst(1, D[1])], [burst(0, D[2]), burst(1, D[2])]),
            "more than one pass",
        ),
        (both(*((number, 2) for number in range(16))), "has 16 scenes"),
        (sides(shape((0, 2)), []), "has 0 scenes"),
        (sides([frame(D[0])], [frame(D[1])]), "not the name of an IW burst"),
        (sides(["S1_136231_IW2-BURST"], shape((0, 2), day=1)), "not the name of an IW burst"),
        ({"job_type": "RTC_GAMMA"}, "job_type is 'RTC_GAMMA'"),
        ({"job_type": None}, "job_type is ''"),
    ],
)
def test_pairs_that_would_fail_are_not_ordered(customer, changes, words):
    """HyP3 itself would take some of these, and their credits."""
    features = edited(**changes)
    customer.know([pair for pair in features if pair["secondary"]])
    with pytest.raises(InvalidParameterError, match=words):
        run(customer, features, CONFIRM=PRICE)
    assert_nothing_spent(customer)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"job_type": None}, "Pair 7 of INPUT cannot be ordered"),
        ({"reference": None}, "Pair 7 of INPUT .* has 0 scenes"),
        ({"reference": "my scene"}, "my.*not the name of an IW burst"),
        ({"reference": burst(0, D[0])[:-8]}, "not the name of an IW burst"),
        ({"reference": burst(0, D[0]).lower()}, "not the name of an IW burst"),
        ({"reference": burst(9, D[0]), "secondary": burst(9, D[1])}, "does not have some scenes"),
        (
            {side: ",".join(shape(*((n, 2) for n in range(9)), day=day))[:254]
             for day, side in enumerate(("reference", "secondary"))},
            "cut after 254 characters, as Shapefiles do",
        ),
    ],
)  # fmt: skip
def test_lines_that_a_user_has_added(customer, changes, words):
    """They are checked like those that were planned; geometry and other columns do not matter."""
    customer.know(PLAN)
    added = {"job_type": PLAN[0]["job_type"], **both((0, 2)), **changes}
    with pytest.raises(InvalidParameterError, match=words):
        run(customer, [*PLAN[1:], added], CONFIRM=PRICE)
    assert_nothing_spent(customer)


def test_edits_that_change_nothing_of_a_pair(customer):
    """Another order of lines and columns, numbers as text, spaces, moved lines: the same jobs."""
    customer.know(PLAN)
    told = customer.order(PLAN)[0]
    changed = [
        {
            "rank": f" {pair['rank']}.0 ",
            "rule": "mine",
            "credits": 0,
            "secondary": pair["secondary"].replace(",", ", "),
            "reference": ",".join(reversed(pair["reference"].split(","))) + ",",
            "job_type": f" {pair['job_type']} ",
        }
        for pair in reversed(PLAN)
    ]
    bill, job_ids = customer.order([*changed, changed[0]], CONFIRM=told.credits)
    assert bill.credits == told.credits == PRICE
    assert len(job_ids) == len(customer.service.jobs) == PRICE


@pytest.mark.parametrize(
    "places",
    [
        [(0, 2)],
        [(0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)],
        [(0, 1), (1, 1), (1, 2), (2, 2), (2, 3)],
        [(number, 2) for number in range(15)],
    ],
)
def test_bursts_that_lie_together_are_ordered(customer, places):
    features = [{**PLAN[0], **both(*places)}]
    customer.know(features)
    bill, job_ids = customer.order(features)
    assert len(bill.new) == 1 and not job_ids


def test_frames_of_two_paths_or_without_overlap_are_not_ordered(customer):
    first, second = frame(D[0]), frame(D[1], orbit=20001)
    features = [{"job_type": "INSAR_GAMMA", **sides([first], [second])}]
    customer.know(features)
    with pytest.raises(InvalidParameterError, match="of the paths 153 and 154"):
        run(customer, features)
    apart = [(x + 9.0, y) for x, y in ((-118, 35), (-117, 35), (-117, 36), (-118, 35))]
    features = [{"job_type": "INSAR_GAMMA", **sides([frame(D[0])], [frame(D[2])])}]
    customer.service.know_scenes([frame(D[2])], apart)
    customer.know(features)
    with pytest.raises(InvalidParameterError, match="do not overlap"):
        run(customer, features)
    assert_nothing_spent(customer)


def test_bursts_across_the_antimeridian_are_not_ordered(customer):
    ring = [(179.9, 50.0), (-179.9, 50.0), (-179.9, 50.2), (179.9, 50.2), (179.9, 50.0)]
    features = [{**PLAN[0], **both((0, 2))}]
    customer.service.know_scenes([burst(0, D[0], 2), burst(0, D[1], 2)], ring)
    with pytest.raises(InvalidParameterError, match="across the antimeridian"):
        run(customer, features)


def test_a_journal_of_something_else_is_refused(customer):
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    with pytest.raises(InvalidParameterError, match="belongs to other orders.*project ridge"):
        customer.order(PLAN, NAME="valley")
    whole = customer.journal.read_text()
    assert "answered" in whole and "job_parameters" in whole
    for content in (
        "",
        "[]",
        '{"about": "HyP3 Stack: orders of one project"}',
        "\udcff",
        whole[: len(whole) // 2],
        whole.replace("answered", "sendin"),
        whole.replace("job_parameters", "parameters"),
    ):
        customer.journal.write_bytes(content.encode("utf-8", "surrogateescape"))
        with pytest.raises(StackError, match="give another"):
            customer.order(PLAN)


def test_two_runs_do_not_order_at_once(customer, tmp_path):
    customer.know(PLAN)
    for folder in ("orders", "elsewhere"):  # the same journal, and another one of the same user
        journal = OrderJournal(tmp_path / folder / "journal.json", {})
        with (
            journal.locked(tmp_path / "cache", 0.0, customer.reporter),
            pytest.raises(OutputError, match="Another run is ordering"),
        ):
            customer.order(PLAN, CONFIRM=PRICE)
    assert_nothing_spent(customer)
    customer.order(PLAN, CONFIRM=PRICE)


def test_a_journal_that_cannot_be_written_orders_nothing(customer):
    customer.know(PLAN)
    customer.journal.parent.parent.mkdir(exist_ok=True)
    customer.journal.parent.write_text("a file where the folder has to be")
    with pytest.raises(OutputError):
        customer.order(PLAN, CONFIRM=PRICE)
    assert_nothing_spent(customer)


def test_the_journal_holds_what_was_sent_and_no_secret(customer):
    customer.know(PLAN)
    _, job_ids = customer.order(PLAN, CONFIRM=PRICE)
    text = customer.journal.read_text()
    assert customer.credentials["token"] not in text
    (sent,) = json.loads(text)["requests"]
    assert sent["job_ids"] == job_ids
    assert [job["name"] for job in sent["jobs"].values()] == ["ridge"] * PRICE


def test_the_service_fills_in_what_this_program_does_not_know(customer):
    """A new option whose default is no flag: the job that the service made before has it."""
    customer.know(PLAN)
    customer.order(PLAN, CONFIRM=PRICE)
    for job in customer.service.jobs.values():
        job.record["job_parameters"]["unwrapper"] = "snaphu"
    options = OPTIONS["INSAR_ISCE_MULTI_BURST"]
    options["unwrapper"] = ("snaphu", ("snaphu", "phass"))
    try:
        bill, job_ids = customer.order(PLAN)
    finally:
        del options["unwrapper"]
    assert not bill.new
    assert set(job_ids.values()) == set(customer.service.jobs)


def test_a_plan_may_be_a_file(customer, tmp_path):
    customer.know(PLAN)
    path = tmp_path / "plan.geojson"
    path.write_text(json.dumps(plan(PLAN)))
    assert run(customer, INPUT=str(path))["COUNT"] == PRICE


def test_pairs_without_rank_come_last_and_repeated_ones_once(customer):
    features = [{**pair, "rank": rank} for pair, rank in zip(PLAN, (None, 2, 1), strict=False)]
    customer.know(features)
    for rank in (None, "nan"):
        features[0]["rank"] = rank
        bill, _ = customer.order([*features, features[0]])
        ordered = [",".join(quote.request.parameters["reference"]) for quote in bill.new]
        assert ordered == [features[number]["reference"] for number in (2, 1, 0)]


BODY = {"job_type": "INSAR_GAMMA", "job_parameters": {}, "name": "n"}
SENT = {"time": "2023-01-01T00:00:00+00:00", "state": "answered", "credits": 1.0}


@pytest.mark.parametrize(
    "spoil",
    [
        {"identity": "me"},
        {"identity": None},
        {"identity": {"account": ["me"]}},
        {"about": 1},
        {"requests": [{}]},
        {"requests": [SENT | {"jobs": {"k": BODY}, "job_ids": {"k": ["an id"]}}]},
        {"requests": [SENT | {"jobs": {"k": BODY | {"job_parameters": []}}, "job_ids": {}}]},
        {"requests": [SENT | {"jobs": {"k": BODY | {"job_type": None}}, "job_ids": {}}]},
    ],
)
def test_a_journal_that_is_none_is_refused(tmp_path, spoil):
    path, identity = tmp_path / "j.json", {"account": "me"}
    OrderJournal(path, identity).note_quote({})
    whole = json.loads(path.read_text())
    path.write_text(
        json.dumps(whole | {"requests": [SENT | {"jobs": {"k": BODY}, "job_ids": {"k": "an id"}}]})
    )
    assert OrderJournal(path, identity).job_ids == {"k": "an id"}
    path.write_text(json.dumps(whole | spoil))
    with pytest.raises(InvalidParameterError, match="is not a journal of orders, or a damaged one"):
        OrderJournal(path, identity)
