"""Which jobs a run is about, with an account of what each filter removed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, timezone

from shapely.geometry.base import BaseGeometry

from ...errors import InvalidParameterError, NoProductsError, RetrievalError
from ...run.parameters import Parameters, shown
from ...run.reporter import Reporter
from ...selection.passes import pass_starts
from ..catalog.catalog_cache import SceneFacts
from ..service.json_fields import one_line
from .chosen_jobs import ChosenJobs, read_chosen_jobs
from .job_footprints import extent_area
from .jobs import SUCCEEDED, JobRecord
from .tracks import paths_of_jobs

WITHOUT_PROJECT = "(none)"
"""Value of ``PROJECT`` that selects the jobs without a project name."""


@dataclass(frozen=True)
class Filters:
    """The filters of a run; None and empty stand for no restriction."""

    chosen: ChosenJobs  # types of the jobs, and the only ones that count, whatever their type
    project: str | None = None  # exact project name, or :data:`WITHOUT_PROJECT`
    # First and last UTC day, inclusive.
    start: date | None = None
    end: date | None = None
    every_date: bool = True  # True: all acquisitions lie in the period; False: at least one does
    paths: frozenset[int] = frozenset()  # relative orbits
    ascending: bool | None = None  # flight direction
    area: BaseGeometry | None = None  # area in EPSG:4326 that a footprint has to touch
    every_state: bool = False  # also jobs that have not succeeded or whose products have expired
    merge_passes: bool = False  # the frames of a pass of backscatter are one acquisition

    def is_of_project(self, job: JobRecord) -> bool:
        """Return whether a job is of the project that is asked for."""
        if self.project == WITHOUT_PROJECT:
            return not job.project
        return not self.project or job.project == self.project

    @property
    def needs_footprints(self) -> bool:
        """Whether jobs cannot be chosen without asking the catalog."""
        return self.ascending is not None or self.area is not None


def read_paths(parameters: Parameters) -> frozenset[int]:
    """Read the relative orbits in ``PATHS``; none for all.

    Raises
    ------
    InvalidParameterError
        If one is not a path.
    """
    paths = set()
    for text in parameters.names("PATHS"):
        if not re.fullmatch(r"0*[0-9]{1,3}", text) or not 1 <= int(text[-3:]) <= 175:
            raise InvalidParameterError(
                f"PATHS contains {shown(text)}, but a path is a number between 1 and 175."
            )
        paths.add(int(text[-3:]))
    return frozenset(paths)


def read_filters(parameters: Parameters, merge_passes: bool = False) -> Filters:
    """Read the filter parameters of a job.

    Parameters
    ----------
    parameters
        Of a task that chooses jobs.
    merge_passes
        The frames of a pass of backscatter are one acquisition.

    Raises
    ------
    InvalidParameterError
        If one of them is malformed.
    """
    start, end = parameters.period()
    direction = parameters.choice("DIRECTION")
    extent = parameters.extent()
    return Filters(
        chosen=read_chosen_jobs(parameters),
        project=one_line(parameters.text("PROJECT")),
        start=start,
        end=end,
        every_date=parameters.choice("DATE_RULE") == "all",
        paths=read_paths(parameters),
        ascending={"ascending": True, "descending": False}.get(direction),
        area=None if extent is None else extent_area(extent),
        every_state=parameters.flag("ALL_STATES"),
        merge_passes=merge_passes,
    )


@dataclass(frozen=True)
class Removal:
    """What one filter removed, in words, and what would let more pass."""

    count: int
    reason: str
    remedy: str


@dataclass
class Funnel:
    """Jobs passing one filter after the other."""

    jobs: list[JobRecord]  # what is left
    # One entry for each filter that removed something.
    removals: list[Removal] = field(default_factory=list)

    def keep(
        self,
        passes: Callable[[JobRecord], bool],
        reason: str | Callable[[Sequence[JobRecord]], str],
        remedy: str,
    ) -> None:
        """Drop the jobs that do not pass and note why."""
        left: list[JobRecord] = []
        removed: list[JobRecord] = []
        for job in self.jobs:
            (left if passes(job) else removed).append(job)
        if removed:
            words = reason if isinstance(reason, str) else reason(removed)
            self.removals.append(Removal(len(removed), words, remedy))
        self.jobs = left

    def account(self) -> str:
        """List what was removed, such as ``3 have expired, 2 are on other paths``."""
        return ", ".join(f"{removal.count} {removal.reason}" for removal in self.removals)

    def require(self, what: str) -> None:
        """Raise where nothing is left.

        Raises
        ------
        NoProductsError
            If no job is left; the message has the account of every filter, and the remedy for the
            last.
        """
        if self.jobs:
            return
        if not self.removals:
            raise NoProductsError(
                f"There are no {what}; check JOB_TYPE, API_URL and the account you log in with."
            )
        total = sum(removal.count for removal in self.removals)
        raise NoProductsError(
            f"None of the {total} {what} is left: {self.account()}; {self.removals[-1].remedy}."
        )


def apply_offline_filters(funnel: Funnel, filters: Filters, kept: Set[str] = frozenset()) -> None:
    """Apply every filter that needs nothing but the jobs themselves.

    Parameters
    ----------
    funnel
        Changed in place.
    kept
        Ids of jobs whose products are complete on disk: they count although they have expired.
    """
    now = datetime.now(timezone.utc)
    if filters.chosen.ids:
        wanted = set(filters.chosen.ids)
        funnel.keep(lambda job: job.job_id in wanted, "are not chosen", "choose others")
    else:
        funnel.keep(
            lambda job: job.job_type in filters.chosen.types,
            lambda jobs: f"cannot be stacked ({_counted(job.job_type for job in jobs)})",
            "order others",
        )
    where = (
        "belong to a project"
        if filters.project == WITHOUT_PROJECT
        else f"are not in the project {filters.project!r}"
    )
    funnel.keep(filters.is_of_project, where, "change PROJECT")
    if not filters.every_state:
        funnel.keep(
            lambda job: job.status == SUCCEEDED and bool(job.files),
            lambda jobs: f"have not succeeded ({_counted(job.status for job in jobs)})",
            "wait until they are done",
        )
        funnel.keep(
            lambda job: not job.expired(now) or job.job_id in kept,
            "have expired",
            "order them again",
        )
    _apply_period(funnel, filters)
    if filters.paths:
        apply_paths(funnel, filters, {})


def apply_paths(funnel: Funnel, filters: Filters, facts: Mapping[str, SceneFacts]) -> None:
    """Drop the jobs whose ground is seen on other paths, as far as names and the catalog show."""
    paths = paths_of_jobs(funnel.jobs, facts)
    funnel.keep(
        lambda job: not filters.paths.isdisjoint(paths[job.job_id]),
        lambda jobs: f"are on other paths ({_counted(str(job.path or '?') for job in jobs)})",
        "change PATHS",
    )


def _apply_period(funnel: Funnel, filters: Filters) -> None:
    if filters.start is None and filters.end is None:
        return
    first, last = filters.start or date.min, filters.end or date.max
    decide = all if filters.every_date else any
    merged: dict[str, datetime] = {}
    if filters.merge_passes:
        names = [name for job in funnel.jobs if (name := job.parsed_name) and not name.is_insar]
        merged = pass_starts(names)

    def passes(job: JobRecord) -> bool:
        starts = (merged[job.product],) if job.product in merged else job.starts
        days = [start.date() for start in starts if start is not None]
        return bool(days) and decide(first <= day <= last for day in days)

    rule = "reach outside" if filters.every_date else "lie outside"
    funnel.keep(
        passes, f"{rule} {filters.start or ''}..{filters.end or ''}", "change START and END"
    )


def apply_catalog_filters(
    funnel: Funnel,
    filters: Filters,
    directions: Mapping[str, bool | None],
    footprints: Mapping[str, BaseGeometry | None],
    reporter: Reporter,
    *,
    answered: bool,
) -> None:
    """Apply direction and extent.

    Parameters
    ----------
    funnel
        Changed in place.
    directions, footprints
        By job id; None where unknown.
    reporter
        Warned of jobs that are left out because nobody knows where they belong.
    answered
        Whether the catalog has answered, so that asking again would bring no more.

    Raises
    ------
    RetrievalError
        If a filter is set, but the facts it needs are not to be had while the catalog is out of
        reach.
    """

    def keep_known(known: Mapping[str, object], fact: str, parameter: str) -> None:
        unknown = [job.label for job in funnel.jobs if known.get(job.job_id) is None]
        if not unknown:
            return
        if not answered:
            raise RetrievalError(
                f"The {fact} of {len(unknown)} jobs (such as {unknown[0]}) is unknown, because the "
                f"ASF catalog does not know; leave {parameter} empty or try again when it is in "
                "reach."
            )
        reporter.warning(
            f"{len(unknown)} jobs (such as {unknown[0]}) are left out, because the ASF catalog "
            f"does not know their {fact}; leave {parameter} empty to have them."
        )
        funnel.keep(
            lambda job: known.get(job.job_id) is not None,
            f"have no {fact} in the ASF catalog",
            f"leave {parameter} empty",
        )

    if filters.ascending is not None:
        keep_known(directions, "direction", "DIRECTION")
        wanted = filters.ascending
        word = "ascending" if wanted else "descending"
        funnel.keep(
            lambda job: directions[job.job_id] is wanted, f"are not {word}", "change DIRECTION"
        )
    area = filters.area
    if area is not None:
        keep_known(footprints, "footprint", "EXTENT")

        def touches(job: JobRecord) -> bool:
            footprint = footprints[job.job_id]
            return footprint is not None and bool(footprint.intersects(area))

        funnel.keep(touches, "lie outside EXTENT", "change EXTENT")


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{count} {word}" for word, count in sorted(Counter(words).items()))
