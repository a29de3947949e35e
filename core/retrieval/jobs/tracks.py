"""Paths and directions of jobs, also where the number of the path steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...selection.paths import Passage, is_at_node, paths_of_passages
from ..catalog.catalog_cache import SceneFacts
from .jobs import JobRecord


def job_path(job: JobRecord, facts: Mapping[str, SceneFacts]) -> int | None:
    """Return the path of a job by its names, else by the catalog."""
    if job.path is not None:
        return job.path
    known = (facts[scene.name].path for scene in job.scenes if scene.name in facts)
    return next((path for path in known if path is not None), None)


def job_direction(job: JobRecord, facts: Mapping[str, SceneFacts]) -> bool | None:
    """Return whether a job's scenes are ascending by the catalog, else by their names."""
    known = (facts[scene.name].ascending for scene in job.scenes if scene.name in facts)
    direction = next((ascending for ascending in known if ascending is not None), None)
    return job.ascending if direction is None else direction


def paths_of_jobs(
    jobs: Sequence[JobRecord], facts: Mapping[str, SceneFacts]
) -> dict[str, tuple[int, ...]]:
    """Return by job id the paths on which its ground is seen, see ``paths_of_passages``.

    Parameters
    ----------
    jobs
        All jobs that are compared.
    facts
        Catalog facts by granule name, as far as they are known.
    """
    passages = []
    for job in jobs:
        latitudes = [
            latitude
            for scene in job.reference
            if scene.name in facts
            for _, latitude in facts[scene.name].ring
        ]
        passages.append(
            Passage(
                job_path(job, facts),
                job.starts[0] if job.starts else None,
                is_at_node(
                    [scene.burst for scene in job.reference if scene.burst is not None],
                    (min(latitudes), max(latitudes)) if latitudes else None,
                    job_direction(job, facts),
                ),
            )
        )
    return dict(zip((job.job_id for job in jobs), paths_of_passages(passages), strict=True))


def track(paths: tuple[int, ...]) -> int | None:
    """Return the number that stands for all paths on which one ground is seen."""
    return paths[0] if paths else None
