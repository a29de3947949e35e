"""How far jobs are: counted, and looked at again and again until all are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ...errors import AuthenticationError, RetrievalError
from ...run.reporter import Reporter
from ...run.waiting import wait_seconds
from ..jobs.jobs import FAILED, PENDING, RUNNING, SUCCEEDED, JobRecord

EXPIRES_SOON = timedelta(days=3)
_OPEN = (PENDING, RUNNING)
_LONGEST = 5
"""Times of the first interval that the interval grows to."""
_MOST_FAILED_LOOKS = 10


@dataclass(frozen=True)
class Progress:
    """How far jobs are."""

    jobs: tuple[JobRecord, ...]  # all of them, in their last known state
    now: datetime  # when they were looked at, UTC

    def of(self, *states: str) -> list[JobRecord]:
        """Return the jobs in one of some states."""
        return [job for job in self.jobs if job.status in states]

    @property
    def open(self) -> list[JobRecord]:
        """Jobs that are not done."""
        return self.of(*_OPEN)

    @property
    def succeeded(self) -> list[JobRecord]:
        """Jobs whose products can be had."""
        return [job for job in self.of(SUCCEEDED) if not job.expired(self.now)]

    @property
    def expiring(self) -> list[JobRecord]:
        """Jobs whose products are gone within three days, the first one first."""
        soon = [
            (job.expires, job)
            for job in self.succeeded
            if job.expires is not None and job.expires <= self.now + EXPIRES_SOON
        ]
        return [job for _, job in sorted(soon, key=lambda item: item[0])]

    @property
    def newest(self) -> str:
        """Last day that a product which can be had reaches to; empty where there is none."""
        days = [start for job in self.succeeded for start in job.starts if start is not None]
        return f"{max(days):%Y-%m-%d}" if days else ""

    def line(self) -> str:
        """Return the progress in a sentence."""
        counts = Counter(job.status for job in self.jobs)
        done = len(self.jobs) - len(self.open)
        said = [
            f"{counts[state]} {word}"
            for state, word in (
                (FAILED, "failed"),
                (RUNNING, "running"),
                (PENDING, "pending"),
            )
            if counts[state]
        ]
        newest = f"; the newest date is {self.newest}" if self.newest else ""
        listed = f" ({', '.join(said)})" if said else ""
        return f"{done} of {len(self.jobs)} jobs are done{listed}{newest}."


def wait_until_done(
    first: Progress,
    look: Callable[[datetime], Sequence[JobRecord]],
    look_up: Callable[[Sequence[str]], Sequence[JobRecord]],
    interval: float,
    reporter: Reporter,
) -> Progress:
    """Look at jobs until none is open any more.

    Parameters
    ----------
    first
        How far they are now.
    look
        Lists jobs requested since a time, UTC: one page for those that are still open.
    look_up
        Gets open jobs by id that are not listed: new ones, and those of other accounts.
    interval
        Seconds between two looks; grows to five times as long where nothing happens.

    Raises
    ------
    AuthenticationError
        If the service does not accept the credentials any more.
    RetrievalError
        If the service did not answer ten times in a row.
    """
    progress, pause, failed_looks = first, interval, 0
    while progress.open:
        reporter.progress(100.0 * (1.0 - len(progress.open) / len(progress.jobs)))
        wait_seconds(pause, reporter)
        try:
            listed = {job.job_id: job for job in look(min(job.requested for job in progress.open))}
            unlisted = [job.job_id for job in progress.open if job.job_id not in listed]
            listed |= {job.job_id: job for job in look_up(unlisted)}
        except AuthenticationError:
            raise
        except RetrievalError as error:
            failed_looks += 1
            if failed_looks == _MOST_FAILED_LOOKS:
                raise
            reporter.warning(f"{error} The jobs go on; they are looked at again.")
            pause = min(2.0 * pause, _LONGEST * interval)
            continue
        failed_looks = 0
        jobs = tuple(listed.get(job.job_id, job) for job in progress.jobs)
        after = Progress(jobs, datetime.now(timezone.utc))
        if after.line() != progress.line():
            reporter.info(after.line())
            pause = interval
        else:
            pause = min(2.0 * pause, _LONGEST * interval)
        progress = after
    return progress
