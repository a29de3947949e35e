"""The jobs that a service lists, page by page and within bounds, and single ones by id."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from hyp3_sdk import HyP3

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ..service.credentials import Credentials
from ..service.json_fields import FieldError, is_plain
from ..service.service_failures import NotFoundError, strange
from ..service.session import ask, endpoint
from .jobs import JobRecord, job_record

LISTING_SECONDS = 3600.0
"""A slow network brings a page in a minute, and tens of thousands of jobs have hundreds."""
MOST_JOBS = 200_000
MOST_PAGES = 10_000
_AGAIN = "lists the same jobs again and again"
_ID_SHOWN = 80
_NAMES_SHOWN = 5


def list_jobs(
    service: HyP3,
    job_type: str | None,
    credentials: Credentials,
    reporter: Reporter,
    *,
    project: str | None = None,
    since: datetime | None = None,
) -> list[JobRecord]:
    """List every job of one type, or of all types, that the account has, newest first.

    A record that is not as HyP3 writes them is left out with a warning.

    Parameters
    ----------
    service, credentials, reporter
        See :func:`core.retrieval.service.session.ask`.
    job_type, project
        Only jobs of this type or exact project name.
    since
        Only jobs requested since that time, UTC.

    Raises
    ------
    RetrievalError
        If the service does not answer, or its answers do not end.
    """
    reporter.info(f"Listing your {f'{job_type} ' if job_type else ''}jobs at {service.url}.")
    jobs: dict[str, JobRecord] = {}
    odd: dict[str, None] = {}
    query = {
        "job_type": job_type,
        "name": project,
        "start": None if since is None else since.isoformat(timespec="seconds"),
    }
    given = {name: value for name, value in query.items() if value is not None}
    for listed, is_last in _pages(service, given, credentials, reporter):
        before = len(jobs) + len(odd)
        for index, values in enumerate(listed):
            try:
                job = job_record(values)
            except FieldError as error:
                odd[f"{_name(values, index)}, whose {error}"] = None
            else:
                jobs.setdefault(job.job_id, job)
        known = len(jobs) + len(odd)
        if listed and known == before and not is_last:
            raise _endless(service, _AGAIN)
        if known > MOST_JOBS:
            raise _endless(service, f"lists more than {MOST_JOBS} jobs")
    if odd:
        shown = "; ".join(list(odd)[:_NAMES_SHOWN])
        more = f"; and {len(odd) - _NAMES_SHOWN} more" if len(odd) > _NAMES_SHOWN else ""
        if not jobs:
            raise RetrievalError(
                f"{service.url} lists no job as HyP3 writes them ({shown}{more}); ask whoever runs "
                "the service."
            )
        reporter.warning(
            f"{len(odd)} jobs at {service.url} are left out, because their records are not as "
            f"HyP3 writes them: {shown}{more}."
        )
    return list(jobs.values())


def _pages(
    service: HyP3, query: dict[str, str], credentials: Credentials, reporter: Reporter
) -> Iterator[tuple[list[Any], bool]]:
    """Yield the records of each page, as they come, and whether it is the last one."""
    asked: set[str] = set()
    url = endpoint(service, "jobs")
    parameters: dict[str, str] | None = query
    end = time.monotonic() + LISTING_SECONDS
    while True:
        page = ask(service, url, credentials, reporter, parameters=parameters)
        asked.add(url)
        listed, follows = page.get("jobs"), page.get("next")
        if not isinstance(listed, list):
            raise strange(service.url, "JSON without a list of jobs")
        yield listed, follows is None
        if follows is None:
            return
        url, parameters = _next_page(follows, service), None
        if url in asked:
            raise _endless(service, _AGAIN)
        if len(asked) > MOST_PAGES:
            raise _endless(service, f"lists jobs on more than {MOST_PAGES} pages")
        if time.monotonic() > end:
            raise _endless(service, f"has not listed all jobs after {LISTING_SECONDS:.0f} seconds")


def get_jobs(
    service: HyP3, job_ids: Sequence[str], credentials: Credentials, reporter: Reporter
) -> list[JobRecord]:
    """Get single jobs by id, of any account and type.

    Raises
    ------
    NotFoundError
        If the service does not know one of them.
    RetrievalError
        If the service does not answer, or with something else.
    """
    records = []
    for job_id in job_ids:
        shown = job_id[:_ID_SHOWN]
        try:
            if not job_id.strip("."):
                # Such a part of a path is never sent.
                raise NotFoundError
            url = endpoint(service, "jobs", job_id)
            remedy = f"check JOBS, which names {shown!r}"
            records.append(job_record(ask(service, url, credentials, reporter, remedy=remedy)))
        except NotFoundError:
            raise NotFoundError(
                f"{service.url} has no job {shown}; check JOBS and API_URL."
            ) from None
        except FieldError as error:
            raise RetrievalError(
                f"The record of job {shown} at {service.url} is not as HyP3 writes them, because "
                f"its {error}; ask whoever runs the service, or take it out of JOBS if it is there."
            ) from None
    return records


def _next_page(follows: Any, service: HyP3) -> str:
    """Return the address of the next page: at the service, whatever host the service calls it."""
    try:
        query = urlsplit(follows).query if isinstance(follows, str) else ""
    except ValueError:
        query = ""
    if not query:
        raise strange(service.url, "JSON whose next page has no address")
    return f"{endpoint(service, 'jobs')}?{query}"


def _endless(service: HyP3, why: str) -> RetrievalError:
    return RetrievalError(
        f"{service.url} {why}, so the list was given up; ask whoever runs the service."
    )


def _name(values: Any, index: int) -> str:
    """Return what to call a record that cannot be read."""
    job_id = values.get("job_id") if isinstance(values, dict) else None
    if isinstance(job_id, str) and is_plain(job_id):
        return f"job {job_id[:_ID_SHOWN]}"
    return f"job number {index + 1} of a page"
