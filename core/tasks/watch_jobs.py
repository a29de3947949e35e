"""Task ``watchjobs``: how far jobs are, once or until all are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from ..contract import Task
from ..errors import NoProductsError
from ..retrieval.jobs.chosen_jobs import read_chosen_jobs
from ..retrieval.jobs.filters import WITHOUT_PROJECT
from ..retrieval.jobs.jobs import FAILED, PENDING, RUNNING, JobRecord
from ..retrieval.jobs.listing import get_jobs, list_jobs
from ..retrieval.ordering.failed_jobs import failures_of
from ..retrieval.ordering.job_requests import jobs_text
from ..retrieval.ordering.watching import Progress, wait_until_done
from ..retrieval.service.connection import checked_api_url
from ..retrieval.service.credentials import resolve_credentials
from ..retrieval.service.json_fields import one_line
from ..retrieval.service.session import open_service
from ..run.parameters import Parameters
from ..run.reporter import Reporter, SilentReporter, step


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Count the jobs of a project by state, and wait for them if asked to.

    Returns
    -------
    dict
        ``COUNT``, ``SUCCEEDED``, ``FAILED``, ``RUNNING``, ``PENDING``, ``EXPIRING`` (numbers),
        ``JOBS`` (ids of those whose products can be had, what expires first first), ``NEWEST``
        (the last day that they reach to) and ``JOB_TYPE`` (theirs, empty where they differ).

    Raises
    ------
    NoProductsError
        If there are no such jobs.
    RetrievalError
        If the service does not answer.
    """
    values = Parameters(parameters, Task.WATCH_JOBS)
    progress = _progress(values, credentials, reporter)
    with step(reporter, 100.0, 100.0) as inner:
        _report(progress, inner)
    job_types = {job.job_type for job in progress.succeeded}
    in_time = sorted(
        progress.succeeded,
        key=lambda job: (job.expires or datetime.max.replace(tzinfo=timezone.utc), job.job_id),
    )
    return {
        "COUNT": len(progress.jobs),
        "SUCCEEDED": len(progress.succeeded),
        "FAILED": len(progress.of(FAILED)),
        "RUNNING": len(progress.of(RUNNING)),
        "PENDING": len(progress.of(PENDING)),
        "EXPIRING": len(progress.expiring),
        "JOBS": [job.job_id for job in in_time],
        "NEWEST": progress.newest,
        "JOB_TYPE": job_types.pop() if len(job_types) == 1 else "",
    }


def _progress(values: Parameters, given: Mapping[str, str] | None, reporter: Reporter) -> Progress:
    chosen = read_chosen_jobs(values)
    project = one_line(values.text("PROJECT"))
    api_url = checked_api_url(str(values.text("API_URL")))
    credentials = resolve_credentials(given, reporter=reporter)
    service = open_service(api_url, credentials, reporter)
    in_service = None if project == WITHOUT_PROJECT else project

    def look(since: datetime | None) -> list[JobRecord]:
        # The page of a look is not worth a line each.
        listener = reporter if since is None else _Unheard(reporter)
        return list_jobs(
            service, chosen.listed_type, credentials, listener, project=in_service, since=since
        )

    jobs = [
        job
        for job in look(None)
        if job.job_type in chosen.types and (project != WITHOUT_PROJECT or not job.project)
    ]
    look_up = partial(get_jobs, service, credentials=credentials, reporter=reporter)
    if chosen.ids:
        known = {job.job_id: job for job in jobs}
        # Listings may lag behind an order.
        late = look_up([name for name in chosen.ids if name not in known])
        known |= {job.job_id: job for job in late}
        jobs = [known[name] for name in chosen.ids]
    if not jobs:
        where = f"in the project {project!r}" if project else f"at {api_url}"
        raise NoProductsError(
            f"There are no such jobs {where}; check PROJECT, JOB_TYPE and the account you log in "
            "with."
        )
    progress = Progress(tuple(jobs), datetime.now(timezone.utc))
    reporter.info(progress.line())
    if not values.flag("WAIT"):
        return progress
    return wait_until_done(progress, look, look_up, values.integer("INTERVAL"), reporter)


class _Unheard(SilentReporter):
    """Passes on the wish to stop, and nothing else."""

    def __init__(self, parent: Reporter) -> None:
        super().__init__()
        self._parent = parent

    def canceled(self) -> bool:
        return self._parent.canceled()


def _report(progress: Progress, reporter: Reporter) -> None:
    """Say why jobs failed, and what expires soon."""
    counts = Counter(
        (failure.reason, failure.may_pass) for failure in failures_of(progress.of(FAILED), reporter)
    )
    for (reason, may_pass), count in counts.most_common():
        remedy = "order failed jobs again" if may_pass else "another attempt would fail as well"
        reporter.warning(f"{jobs_text(count)} failed because {reason}; {remedy}.")
    expiring = progress.expiring
    if expiring and expiring[0].expires is not None:
        reporter.warning(
            f"Products that expire within three days: {len(expiring)}, the first one on "
            f"{expiring[0].expires:%Y-%m-%d %H:%M} UTC; download them before."
        )
