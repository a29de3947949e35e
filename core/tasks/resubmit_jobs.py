"""Task ``resubmitjobs``: what failed for a reason that may have passed is ordered again, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract import Task
from ..errors import NoProductsError
from ..retrieval.jobs.jobs import FAILED, JobRecord
from ..retrieval.ordering.failed_jobs import attempts_of
from ..retrieval.ordering.job_requests import JobRequest, jobs_text
from ..retrieval.ordering.order_request import OrderRequest
from ..run.parameters import Parameters
from ..run.reporter import Reporter


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Let the service price failed jobs of a project, and order them again if confirmed.

    Returns
    -------
    dict
        ``JOBS`` (ids of the new jobs), ``COUNT`` and ``CREDITS`` of what is sent again, whether
        confirmed or not, ``FAILED`` (number of failed contents that stay as they are) and
        ``JOURNAL``.

    Raises
    ------
    StackError
        If the project has no jobs, or not everything was ordered.
    """
    values = Parameters(parameters, Task.RESUBMIT_JOBS)
    order = OrderRequest.from_parameters(values, "PROJECT")
    with (
        order.opened(values, credentials, reporter) as (ordering, journal),
    ):
        jobs = ordering.project_jobs()
        if not jobs:
            raise NoProductsError(
                f"There are no jobs in the project {order.name!r}; check PROJECT, API_URL and the "
                "account you log in with."
            )
        requests, given_up = _once_more(jobs, reporter)
        bill = ordering.bill(requests, with_failed=True)
        job_ids = order.settled(ordering, bill, reporter)
    return {
        "JOBS": [job_ids[quote.request.key] for quote in bill.new if quote.request.key in job_ids],
        "COUNT": len(bill.new),
        "CREDITS": bill.credits,
        "FAILED": given_up,
        "JOURNAL": str(journal),
    }


def _once_more(jobs: Sequence[JobRecord], reporter: Reporter) -> tuple[list[JobRequest], int]:
    """Return what is worth another attempt, and how many contents that failed are not."""
    done = {JobRequest.of(job).key for job in jobs if job.status != FAILED}
    failed = [job for job in jobs if job.status == FAILED and JobRequest.of(job).key not in done]
    attempts = attempts_of(failed, reporter)
    for what, count in Counter(map(str, attempts)).items():
        reporter.info(f"{jobs_text(count)} {what}.")
    again = [each.request for each in attempts if each.is_hopeful]
    return again, len(attempts) - len(again)
