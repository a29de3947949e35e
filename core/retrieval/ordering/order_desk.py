"""Orders of one project at one service: priced and checked by it, sent once, and looked up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hyp3_sdk import HyP3

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ...run.waiting import wait_seconds
from ..jobs.jobs import JobRecord, job_record
from ..jobs.listing import get_jobs, list_jobs
from ..service.credentials import Credentials
from ..service.json_fields import FieldError, number, objects
from ..service.service_failures import NotFoundError, strange
from ..service.session import DoubtfulAnswerError, ask, endpoint, send_once
from .job_requests import JobRequest

MOST_JOBS = 200
"""Of one request, by the schema of HyP3."""
MOST_SCENES = 1500
"""Different ones of one request: HyP3 asks the catalog for one page of 2000, and takes scenes that
are not on it for missing."""
_CLOCK_ERROR = timedelta(days=1)
_REMEDY = "correct the plan or the options"


@dataclass(frozen=True)
class Patience:
    """How long is waited for jobs of a request without an answer, and for other runs."""

    # Seconds after which a request that was sent has taken effect or never will: the functions
    # behind HyP3's gateway end after 30.
    settle: float = 45.0
    pause: float = 10.0  # seconds between two looks, because listings may lag behind
    lock: float = 600.0  # seconds that another run of the same user may go on ordering


@dataclass(frozen=True)
class Quote:
    """What the service says of a job that is not ordered yet."""

    request: JobRequest
    credits: float  # its price
    key: str  # as :attr:`JobRequest.key`, with the defaults that the service itself fills in


@dataclass(frozen=True)
class Ordered:
    """What the service says of jobs that it has taken."""

    service: str  # its address
    job_ids: dict[str, str]  # by key; some may be missing
    credits: float  # that it took for them

    def require_all(self, requests: Sequence[JobRequest]) -> None:
        """Make sure that the id of each job was returned.

        Raises
        ------
        DoubtfulAnswerError
            If some are missing: these jobs may have been ordered all the same.
        """
        if len(self.job_ids) < len(requests):
            raise DoubtfulAnswerError(
                f"{self.service} returned {len(self.job_ids)} of {len(requests)} job ids."
            )


@dataclass(frozen=True)
class OrderDesk:
    """One account at one service, which orders under one name."""

    service: HyP3  # logged in
    credentials: Credentials  # what it was given
    reporter: Reporter  # takes messages; asked whether to stop
    name: str  # of the jobs: the project
    patience: Patience = Patience()  # with requests that had no answer

    def listed(self, job_types: Set[str], **query: Any) -> list[JobRecord]:
        """List the account's jobs of some types; see :func:`list_jobs`."""
        job_type = next(iter(job_types)) if len(job_types) == 1 else None
        jobs = list_jobs(self.service, job_type, self.credentials, self.reporter, **query)
        return [job for job in jobs if job.job_type in job_types]

    def by_id(self, job_id: str) -> JobRecord | None:
        """Return a job, also one that listings do not show yet; None if there is none."""
        try:
            return get_jobs(self.service, [job_id], self.credentials, self.reporter)[0]
        except NotFoundError:
            return None

    def credits_left(self) -> float | None:
        """Return the credits of the account; None where they are not known or not limited.

        For accounts with many jobs the service often fails to answer this in time.
        """
        url = endpoint(self.service, "user")
        try:
            user = ask(self.service, url, self.credentials, self.reporter, attempts=1)
            return number(user, "remaining_credits")
        except (RetrievalError, FieldError):
            return None

    def quoted(self, requests: Sequence[JobRequest]) -> list[Quote]:
        """Let the service check and price jobs, without ordering any.

        The first job is asked for alone, and its id must lead to no job: a service that does not
        know of trials would order, and so no more than that one.

        Raises
        ------
        RetrievalError
            If the service refuses one of them, which the message names, or the account, or has
            ordered what it was to check.
        """
        quotes: list[Quote] = []
        for chunk in filter(None, [requests[:1], *chunks(requests[1:])]):
            answer = ask(
                self.service,
                endpoint(self.service, "jobs"),
                self.credentials,
                self.reporter,
                harmless=self._body(chunk, is_trial=True),
                remedy=_REMEDY,
            )
            records = self._records(answer)
            if not quotes:
                self._require_trial(records)
            made = [JobRequest(record.job_type, record.parameters) for record in records]
            if list(map(_named, made)) != list(map(_named, chunk)):
                raise strange(self.service.url, "prices of other jobs than it was asked for")
            for request, job, record in zip(chunk, made, records, strict=True):
                if record.credits is None or record.credits < 0.0:
                    raise strange(self.service.url, "a job without a price")
                quotes.append(Quote(request, record.credits, job.key))
        return quotes

    def send(self, requests: Sequence[JobRequest]) -> Ordered:
        """Order jobs, one of :func:`chunks`, in one request that is sent once.

        Of an answer that is not as HyP3 writes it, what can be read counts.

        Raises
        ------
        DoubtfulAnswerError
            If they may have been ordered.
        RetrievalError
            If they were not.
        """
        answer = send_once(
            self.service,
            endpoint(self.service, "jobs"),
            self._body(requests, is_trial=False),
            self.credentials,
            self.reporter,
            remedy=_REMEDY,
        )
        listed = answer.get("jobs")
        records = []
        for values in listed if isinstance(listed, list) else ():
            with suppress(FieldError):
                records.append(job_record(values))
        credits = sum(record.credits or 0.0 for record in records)
        return Ordered(self.service.url, _matching(records, requests), credits)

    def look_up(
        self, requests: Sequence[JobRequest], sent: datetime, known: Set[str]
    ) -> dict[str, str]:
        """Look for the jobs of a request that had no clear answer, until it must have taken effect.

        That is counted from now on, because nobody knows when the request reached the service.
        Returns the ids of those that were found, whatever their state, by key.

        Parameters
        ----------
        sent
            When, UTC.
        known
            Ids of jobs that there were before.
        """
        job_types = {request.job_type for request in requests}
        looks, begun = 0, time.monotonic()
        while True:
            is_last = looks > 1 and time.monotonic() - begun >= self.patience.settle
            # By the day, because the clocks of this computer and of the service may differ; one
            # of them may be wrong by years.
            since = None if is_last else sent - _CLOCK_ERROR
            jobs = self.listed(job_types, project=self.name, since=since)
            found = _matching([job for job in jobs if job.job_id not in known], requests)
            looks += 1
            if is_last or len(found) == len(requests):
                return found
            wait_seconds(self.patience.pause, self.reporter)

    def _require_trial(self, records: Sequence[JobRecord]) -> None:
        """Make sure that the ids of jobs that were only to be checked are those of no jobs."""
        for record in records:
            if self.by_id(record.job_id) is not None:
                raise RetrievalError(
                    f"{self.service.url} was asked to check a job only, but has ordered it, so it "
                    f"does not know of validate_only. This is the job {record.job_id}; no more "
                    "are sent. Check API_URL, and ask whoever runs the service about its credits."
                )

    def _body(self, requests: Sequence[JobRequest], *, is_trial: bool) -> dict[str, Any]:
        jobs = [request.body(self.name) for request in requests]
        return {"jobs": jobs, "validate_only": is_trial}

    def _records(self, answer: Mapping[str, Any]) -> list[JobRecord]:
        try:
            return [job_record(values) for values in objects(answer, "jobs")]
        except FieldError as error:
            raise strange(self.service.url, f"a job whose {error}") from None


def chunks(requests: Sequence[JobRequest]) -> list[list[JobRequest]]:
    """Cut jobs into parts that the service takes at once, in their order."""
    parts: list[list[JobRequest]] = []
    scenes: set[str] = set()
    for request in requests:
        together = scenes.union(request.granules)
        if not parts or len(parts[-1]) == MOST_JOBS or len(together) > MOST_SCENES:
            parts.append([])
            together = set(request.granules)
        parts[-1].append(request)
        scenes = together
    return parts


def _named(request: JobRequest) -> tuple[str, str]:
    return request.job_type, request.scenes_key


def _matching(jobs: Sequence[JobRecord], requests: Sequence[JobRequest]) -> dict[str, str]:
    """Return the ids of the jobs that are of the content of requests, by key."""
    keys = {request.key for request in requests}
    # Options that only the service knows do not count: the scenes identify the job.
    by_scenes = {request.scenes_key: request.key for request in requests}
    found: dict[str, str] = {}
    for job in jobs:
        made = JobRequest.of(job)
        key = made.key if made.key in keys else by_scenes.get(made.scenes_key)
        if key is not None:
            found.setdefault(key, job.job_id)
    return found
