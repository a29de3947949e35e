"""The task behind ``hyp3:planpairs``: a network of pairs from a layer of scenes, and its price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract import Task
from ..errors import AuthenticationError, InvalidParameterError, RetrievalError
from ..pages.report_files import check_targets, write_text
from ..retrieval.jobs.features import features_target, write_collection
from ..retrieval.jobs.filters import read_paths
from ..retrieval.ordering.order_desk import OrderDesk
from ..retrieval.ordering.plan_layer import PLAN_FIELDS
from ..retrieval.ordering.prices import fetch_prices
from ..retrieval.planning.pair_plan import PairPlan, PlanOptions, plan_pairs
from ..retrieval.planning.pair_rules import PairRules, read_seasons
from ..retrieval.planning.plan_chart import pair_lines
from ..retrieval.planning.plan_page import plan_facts, plan_page
from ..retrieval.planning.plan_price import Budget, cheaper_variants, price_sentences
from ..retrieval.scenes.scene_layer import SCENE_COLUMNS, read_scenes
from ..retrieval.service.connection import checked_api_url
from ..retrieval.service.credentials import resolve_credentials
from ..retrieval.service.session import open_service
from ..run.parameters import Parameters
from ..run.reporter import Reporter, complete
from ..run.vector_layer import layer_features

_NAMED = 10
"""Pairs without a triangle that the log names."""


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Plan pairs and write them as GeoJSON; nothing is ordered.

    Without credentials it is not reported how many credits an order would leave.

    Parameters
    ----------
    parameters
        Parameters of ``hyp3:planpairs``. ``WORK_FOLDER`` is where the features go; without it,
        OUTPUT has to name a ``.geojson`` file.

    Returns
    -------
    dict
        ``COUNT`` (pairs), ``DATES``, ``CREDITS`` (None where prices are not known),
        ``FEATURES_FILE``, ``FIELDS``, ``REPORT`` if it was asked for and, without ``WORK_FOLDER``,
        ``OUTPUT``.

    Raises
    ------
    StackError
        If scenes and options make no network.
    """
    values = Parameters(parameters, Task.PLAN_PAIRS)
    target, outputs = features_target(
        values, "pairs.geojson", ("reference", "secondary"), "pairs that hyp3:planpairs wrote"
    )
    report = values.output("REPORT")
    check_targets({"REPORT": report}, None)
    options = _options(values)
    features = layer_features(values, "INPUT", SCENE_COLUMNS, "Search scenes")
    if features is None:
        raise InvalidParameterError("The parameter INPUT is missing; give a layer of scenes.")
    scenes = read_scenes(features)
    budget = _budget(values, credentials, reporter)
    plan = plan_pairs(scenes, options, budget.prices)
    prices = price_sentences(plan, budget)
    cheaper = cheaper_variants(plan, scenes, options, budget.prices) if budget.prices else []
    _report(plan, prices, cheaper, reporter)
    lines = pair_lines(plan)
    complete(reporter)
    write_collection(
        ((lines[(*pair.reference, *pair.secondary)], pair.properties()) for pair in plan.pairs),
        target,
    )
    if report is not None:
        write_text(report, plan_page(plan, prices, cheaper))
        outputs["REPORT"] = str(report)
    reporter.progress(100.0)
    return {
        "COUNT": len(plan.pairs),
        "DATES": plan.date_count,
        "CREDITS": plan.credits,
        "FEATURES_FILE": str(target),
        "FIELDS": [list(column) for column in PLAN_FIELDS],
        **outputs,
    }


def _options(values: Parameters) -> PlanOptions:
    rules = PairRules(
        neighbors=values.integer("NEIGHBORS"),
        max_days=values.integer("MAX_DAYS"),
        max_baseline=values.number("MAX_BASELINE"),
        bridges=values.choice("BRIDGES"),
    )
    return PlanOptions(
        rules=rules,
        months=read_seasons(values.names("SEASONS")),
        paths=read_paths(values),
        least_cover=values.number("MIN_COVER"),
    )


def _budget(
    values: Parameters, credentials: Mapping[str, str] | None, reporter: Reporter
) -> Budget:
    """Return prices and credits as far as they can be had; a plan needs neither."""
    api_url = checked_api_url(values.text("API_URL") or "")
    try:
        prices = fetch_prices(api_url, reporter)
    except RetrievalError as error:
        reporter.warning(f"{error} The plan is made without prices.")
        return Budget()
    try:
        login = resolve_credentials(credentials, reporter=reporter)
    except AuthenticationError:  # nobody has to log in for a plan
        return Budget(prices)
    try:
        service = open_service(api_url, login, reporter)
        return Budget(prices, OrderDesk(service, login, reporter, "").credits_left())
    except RetrievalError as error:
        reporter.warning(f"{error} The plan does not show how many credits would be left.")
        return Budget(prices)


def _report(plan: PairPlan, prices: list[str], cheaper: list[str], reporter: Reporter) -> None:
    for item in plan.stacks:
        reporter.info(f"Planned: {item.stack.label}, {item.stack.job_type}.")
    for name, value in plan_facts(plan):
        reporter.info(f"   {name}: {value}.")
    for sentence in plan.left_out:
        reporter.info(f"Left out: {sentence}.")
    if plan.open_pairs:
        named = [f"{pair.reference_date} to {pair.secondary_date}" for pair in plan.open_pairs]
        more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
        reporter.warning(f"No triangle checks {', '.join(named[:_NAMED])}{more}.")
    for sentence in prices:
        reporter.info(sentence)
    for sentence in cheaper:
        reporter.info(f"Costs less: {sentence}")
    reporter.info("Nothing has been ordered.")
