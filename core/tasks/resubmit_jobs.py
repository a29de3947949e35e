"""Task ``resubmitjobs``: what failed for a reason that may have passed is ordered again, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..contract import Task
from ..errors import NoProductsError
from ..retrieval.jobs.jobs import FAILED, JobRecord
from ..retrieval.ordering.failed_jobs import failures_of
from ..retrieval.ordering.job_requests import JobRequest, jobs_text
from ..retrieval.ordering.order_request import OrderRequest
from ..run.parameters import Parameters
from ..run.proxies import proxy_environment
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
        proxy_environment(parameters.get("PROXIES"), credentials),
        order.opened(values, credentials, reporter) as (ordering, journal),
    ):
        jobs = ordering.project_jobs()
        if not jobs:
            raise NoProductsError(
                f"There are no jobs in the project {order.name!r}; check PROJECT, API_URL and the "
                "account you log in with."
            )
        requests, given_up = _once_more(jobs, reporter)
        bill = ordering.bill(requests)
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
    failed = [job for job in jobs if job.status == FAILED]
    attempts = Counter(JobRequest.of(job).key for job in failed)
    last = {JobRequest.of(job).key: job for job in reversed(failed)}
    done = {JobRequest.of(job).key for job in jobs if job.status != FAILED}
    open_keys = [key for key in last if key not in done]
    again, counts = [], Counter[str]()
    for failure in failures_of([last[key] for key in open_keys], reporter):
        request = JobRequest.of(failure.job)
        if not failure.may_pass:
            counts[f"failed because {failure.reason}, and would again"] += 1
        elif attempts[request.key] > 1:
            counts["failed twice"] += 1
        else:
            counts[f"failed because {failure.reason}, which may have passed"] += 1
            again.append(request)
    for what, count in counts.items():
        reporter.info(f"{jobs_text(count)} {what}.")
    return again, len(open_keys) - len(again)
