"""From the filters of a run to the jobs it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from hyp3_sdk import HyP3
from shapely.geometry.base import BaseGeometry

from ...errors import NoProductsError
from ...parameters.job_parameters import JOB_TYPES
from ...run.parameters import Parameters
from ...run.reporter import Reporter
from ..catalog.asf_catalog import Catalog
from ..catalog.catalog_cache import SceneFacts
from ..service.connection import checked_api_url
from ..service.credentials import Credentials, resolve_credentials
from ..service.session import open_service
from .filters import (
    WITHOUT_PROJECT,
    Filters,
    Funnel,
    apply_catalog_filters,
    apply_offline_filters,
    apply_paths,
    read_filters,
)
from .job_footprints import job_footprint
from .jobs import JobRecord
from .listing import get_jobs, list_jobs
from .tracks import job_direction, job_path, paths_of_jobs, track

_KINDS_SHOWN = 10


@dataclass(frozen=True)
class JobSelection:
    """The jobs of a run with what is known about each."""

    jobs: tuple[JobRecord, ...]  # newest request first
    # By job id, None where unknown:
    paths: Mapping[str, int | None]
    # One path stands for both where the number steps at the ascending node.
    tracks: Mapping[str, int | None]
    directions: Mapping[str, bool | None]  # True for ascending
    footprints: Mapping[str, BaseGeometry | None]

    @property
    def projects(self) -> tuple[str, ...]:
        """Distinct project names, sorted."""
        return tuple(sorted({job.project for job in self.jobs if job.project}))


def select_jobs(
    parameters: Parameters,
    given: Mapping[str, str] | None,
    reporter: Reporter,
    *,
    footprints: bool,
    kept: Set[str] = frozenset(),
    merge_passes: bool = False,
) -> JobSelection:
    """Log in, list jobs and filter them.

    Parameters
    ----------
    parameters
        The filter parameters of the contract, and ``API_URL``.
    footprints
        Whether the catalog is asked even where no filter needs it.
    kept
        Ids of jobs whose products are complete on disk, which count although expired.
    merge_passes
        The frames of a pass of backscatter are one acquisition.

    Raises
    ------
    NoProductsError
        If nothing is left; the message says which filter removed what.
    RetrievalError
        If a service cannot be reached or refuses.
    """
    filters = read_filters(parameters, merge_passes)
    api_url = checked_api_url(str(parameters.text("API_URL")))
    credentials = resolve_credentials(given, reporter=reporter)
    service = open_service(api_url, credentials, reporter)
    jobs = _listed(service, filters, credentials, reporter)
    what = (
        f"chosen jobs at {api_url}"
        if filters.chosen.ids
        else f"{filters.chosen.listed_type or ''} jobs at {api_url}".lstrip()
    )
    if not filters.chosen.ids and not any(map(filters.is_of_project, jobs)):
        raise _nothing(jobs, service, filters, credentials, reporter)
    funnel = Funnel(jobs)
    apply_offline_filters(funnel, filters, kept)
    funnel.require(what)
    facts: Mapping[str, SceneFacts] = {}
    answered = False
    may_be_joined = any(len(paths) > 1 for paths in paths_of_jobs(funnel.jobs, {}).values())
    if footprints or filters.needs_footprints or may_be_joined:
        catalog = Catalog(reporter)
        facts = catalog.look_up(scene.name for job in funnel.jobs for scene in job.scenes)
        answered = catalog.reachable
    if filters.paths and facts:
        apply_paths(funnel, filters, facts)  # latitudes show what lies at the ascending node
        funnel.require(what)
    directions = {job.job_id: job_direction(job, facts) for job in funnel.jobs}
    areas = {job.job_id: job_footprint(job, facts) for job in funnel.jobs} if facts else {}
    apply_catalog_filters(funnel, filters, directions, areas, reporter, answered=answered)
    funnel.require(what)
    account = funnel.account()
    reporter.info(
        f"{len(funnel.jobs)} of {len(jobs)} jobs are chosen"
        + (f" ({account})." if account else ".")
    )
    return JobSelection(
        jobs=tuple(funnel.jobs),
        paths={job.job_id: job_path(job, facts) for job in funnel.jobs},
        tracks={name: track(paths) for name, paths in paths_of_jobs(funnel.jobs, facts).items()},
        directions=directions,
        footprints=areas,
    )


def _listed(
    service: HyP3, filters: Filters, credentials: Credentials, reporter: Reporter
) -> list[JobRecord]:
    wanted = dict.fromkeys(filters.chosen.ids)
    jobs = list_jobs(service, filters.chosen.listed_type, credentials, reporter)
    if not wanted:
        return jobs
    found = [job for job in jobs if job.job_id in wanted]
    known = {job.job_id for job in found}
    missing = [name for name in wanted if name not in known]
    return found + get_jobs(service, missing, credentials, reporter)


def _nothing(
    jobs: Sequence[JobRecord],
    service: HyP3,
    filters: Filters,
    credentials: Credentials,
    reporter: Reporter,
) -> NoProductsError:
    """Return the error where no job is of the type and project that are asked for."""
    listed = filters.chosen.listed_type
    there = jobs if listed is None else list_jobs(service, None, credentials, reporter)
    counts = Counter((job.project, job.job_type) for job in there if job.job_type in JOB_TYPES)
    what = f"{listed or ''} jobs".lstrip()
    if filters.project == WITHOUT_PROJECT:
        what += " without a project"
    elif filters.project:
        what += f" in the project {filters.project!r}"
    said = [
        f"{count} {job_type} {f'in {project}' if project else 'without a project'}"
        for (project, job_type), count in sorted(counts.items())
    ]
    more = f", and more in {len(said) - _KINDS_SHOWN} others" if len(said) > _KINDS_SHOWN else ""
    remedy = (
        f"choose among {', '.join(said[:_KINDS_SHOWN])}{more}"
        if said
        else "check API_URL and the account you log in with"
    )
    return NoProductsError(f"There are no {what} at {service.url}; {remedy}.")
