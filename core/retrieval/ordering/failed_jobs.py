"""Why jobs failed, judged by the texts that they wrote, and whether another attempt may help."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import requests

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ..jobs.jobs import JobRecord
from ..service.connection import AnswerLimits, guarded_session
from ..service.retries import wait_for
from .job_requests import JobRequest

_MOST_ATTEMPTS = 2
_LOG_SECONDS = 60.0
_LOG_LIMITS = AnswerLimits(bytes=8 << 20)
_TAIL = 1 << 16
"""Characters at the end of a log, where the error stands."""

_UNKNOWN: Final = "of something that no text names"
_UNCLEAR: Final = "of something that its text does not name"


@dataclass(frozen=True)
class Failure:
    """Why a job failed."""

    job: JobRecord  # that failed
    reason: str  # in words, to be put behind "because"
    may_pass: bool  # whether the same job may succeed when it is sent again


_PERMANENT: Final = (
    (r"water mask|all[- ]water|only water|entirely.{0,20}water", "it lies wholly over water"),
    (r"no DEM|DEM.{0,40}(not|no) (found|available|cover)|outside.{0,20}DEM", "there is no DEM"),
    (r"do(es)? not overlap|no overlap|non-?overlapping", "its scenes do not overlap"),
    (
        r"not (supported|a valid)|unsupported|invalid granule|not contiguous|"
        r"could not be found|no burst",
        "HyP3 cannot process its scenes",
    ),
)
"""Forms of texts, and the reason that they show; another attempt would end in the same way."""
_PASSING: Final = (
    (r"host ec2|spot|instance.{0,20}(terminat|reclaim)", "its computer was taken away"),
    (r"timed? ?out|timeout", "something did not answer in time"),
    (
        r"\b50[0234]\b|bad gateway|service unavailable|internal server error|slow ?down|"
        r"too many requests",
        "a service was out of order",
    ),
    (
        r"connection (was )?(reset|refused|aborted|broken)|connectionerror|broken pipe|"
        r"name resolution|remote end closed|incompleteread|ssl",
        "a connection broke",
    ),
    (r"no space left|out of memory|oom|killed", "its computer ran out of space"),
)


@dataclass(frozen=True)
class Attempts:
    """What was tried and has failed."""

    request: JobRequest  # the content of the jobs
    count: int  # of jobs of it that have failed
    last: Failure  # of the newest of them

    @property
    def is_hopeful(self) -> bool:
        """Whether one more attempt may help: the first one failed for a reason that may pass."""
        return self.last.may_pass and self.count < _MOST_ATTEMPTS

    def __str__(self) -> str:
        """Return how they failed, as in ``1 job failed because ...``."""
        if not self.last.may_pass:
            return f"failed because {self.last.reason}, and would again"
        if not self.is_hopeful:
            return f"failed {'twice' if self.count == _MOST_ATTEMPTS else f'{self.count} times'}"
        return f"failed because {self.last.reason}, which may have passed"


def attempts_of(jobs: Sequence[JobRecord], reporter: Reporter) -> list[Attempts]:
    """Judge failed jobs by content.

    Parameters
    ----------
    jobs
        All that failed, the newest first.
    reporter
        See :func:`failures_of`.
    """
    counts: Counter[str] = Counter()
    newest: dict[str, JobRecord] = {}
    for job in jobs:
        key = JobRequest.of(job).key
        counts[key] += 1
        newest.setdefault(key, job)
    oldest_first = list(newest.values())[::-1]
    failures = failures_of(oldest_first, reporter)
    made = [JobRequest.of(job) for job in oldest_first]
    return [
        Attempts(request, counts[request.key], failure)
        for request, failure in zip(made, failures, strict=True)
    ]


def failures_of(jobs: Sequence[JobRecord], reporter: Reporter) -> list[Failure]:
    """Read why jobs failed.

    Returns
    -------
    list of Failure
        In the order of ``jobs``. One without a clear text counts as one that may pass: most
        failures without one come from outages.
    """
    found = []
    with guarded_session(limits=_LOG_LIMITS) as session:
        for number, job in enumerate(jobs, start=1):
            found.append(_judged(job, _log(job, session, reporter)))
            reporter.progress(100.0 * number / len(jobs))
    return found


def _judged(job: JobRecord, text: str) -> Failure:
    for forms, may_pass in ((_PERMANENT, False), (_PASSING, True)):
        for form, reason in forms:
            if re.search(form, text, re.IGNORECASE | re.DOTALL):
                return Failure(job, reason, may_pass)
    return Failure(job, _UNCLEAR if text else _UNKNOWN, True)


def _log(job: JobRecord, session: requests.Session, reporter: Reporter) -> str:
    """Return the end of the last text of a job; empty where there is none."""
    if not job.logs:
        return ""
    try:
        answer = wait_for(
            lambda: session.get(job.logs[-1]), reporter, _LOG_SECONDS, "The store of HyP3's logs"
        )
    except (requests.RequestException, RetrievalError):
        return ""
    return answer.text[-_TAIL:] if answer.status_code == requests.codes.ok else ""
