"""Task ``listprojects``: the projects of a user's jobs, for a dialog to choose from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..contract import Task
from ..parameters.job_parameters import JOB_TYPES
from ..retrieval.jobs.filters import WITHOUT_PROJECT
from ..retrieval.jobs.listing import list_jobs
from ..retrieval.service.connection import checked_api_url
from ..retrieval.service.credentials import resolve_credentials
from ..retrieval.service.session import open_service
from ..run.parameters import Parameters
from ..run.reporter import Reporter


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """List projects.

    Returns
    -------
    dict
        ``PROJECTS``: the number of jobs by type, by the value of ``PROJECT``.

    Raises
    ------
    RetrievalError
        If the service cannot be reached or refuses.
    """
    values = Parameters(parameters, Task.LIST_PROJECTS)
    url = checked_api_url(str(values.text("API_URL")))
    login = resolve_credentials(credentials, reporter=reporter)
    jobs = list_jobs(open_service(url, login, reporter), None, login, reporter)
    found: dict[str, Counter[str]] = {}
    for job in jobs:
        if job.job_type in JOB_TYPES:
            found.setdefault(job.project or WITHOUT_PROJECT, Counter())[job.job_type] += 1
    return {"PROJECTS": {name: dict(sorted(found[name].items())) for name in sorted(found)}}
