"""Task ``orderpairs``: the price of planned pairs, and the order where it is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract import Task
from ..errors import InvalidParameterError
from ..retrieval.ordering.order_request import OrderRequest, job_options
from ..retrieval.ordering.planned_pairs import PLAN_COLUMNS, planned_requests
from ..run.parameters import Parameters
from ..run.reporter import Reporter
from ..run.vector_layer import layer_features


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Let the service price the pairs of a plan, and order those that are new if confirmed.

    Returns
    -------
    dict
        ``JOBS`` (ids of all pairs that are ordered, now or before), ``COUNT`` and ``CREDITS`` of
        what is new, ordered or not, and ``JOURNAL``.

    Raises
    ------
    StackError
        If a pair cannot be ordered, or not everything was.
    """
    values = Parameters(parameters, Task.ORDER_PAIRS)
    order = OrderRequest.from_parameters(values, "NAME")
    features = layer_features(values, "INPUT", PLAN_COLUMNS, "Plan pairs")
    if features is None:
        raise InvalidParameterError(
            "The parameter INPUT is missing; choose the layer that Plan pairs has made."
        )
    folder = values.path("FOLDER")
    requests = planned_requests(features, job_options(values))
    with (
        order.opened(values, credentials, reporter, folder=folder) as (ordering, journal),
    ):
        bill = ordering.bill(requests, with_failed=values.flag("RETRY_FAILED"))
        job_ids = order.settled(ordering, bill, reporter)
    return {
        "JOBS": [job_ids[request.key] for request in requests if request.key in job_ids],
        "COUNT": len(bill.new),
        "CREDITS": bill.credits,
        "JOURNAL": str(journal),
    }
