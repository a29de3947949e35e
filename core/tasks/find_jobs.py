"""Task ``findjobs``: the jobs that fit the filters, as a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract import Task
from ..retrieval.jobs.features import FIELDS, JOB_COLUMNS, features_target, write_features
from ..retrieval.jobs.job_selection import select_jobs
from ..run.parameters import Parameters
from ..run.reporter import Reporter


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """List and filter jobs and write them as GeoJSON.

    Parameters
    ----------
    parameters
        The filters of the contract. ``WORK_FOLDER`` is where the features go; without it, OUTPUT
        has to name a ``.geojson`` file. ``ALL_STATES`` also lists unfinished and expired jobs.

    Returns
    -------
    dict
        ``COUNT``, ``PROJECTS`` (list of names), ``FEATURES_FILE``, ``FIELDS`` and, without
        ``WORK_FOLDER``, ``OUTPUT``.

    Raises
    ------
    OutputError
        If ``OUTPUT`` would replace something else than the jobs of a former run.
    """
    values = Parameters(parameters, Task.FIND_JOBS)
    target, outputs = features_target(
        values, "jobs.geojson", JOB_COLUMNS, "jobs that hyp3:findjobs wrote"
    )
    selection = select_jobs(values, credentials, reporter, footprints=True)
    write_features(selection, target)
    reporter.progress(100.0)
    return {
        "COUNT": len(selection.jobs),
        "PROJECTS": list(selection.projects),
        "FEATURES_FILE": str(target),
        "FIELDS": [list(field) for field in FIELDS],
        **outputs,
    }
