"""Task ``preparestack``: from the jobs of a service to a stack in one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..build.stack_request import StackRequest
from ..contract import PARAMETERS, Task
from ..errors import InconsistentProductsError, OutputError, RetrievalError
from ..outputs.publishing import check_places
from ..pixels.reference_point import layers_to_reference
from ..retrieval.download.download import plan_download
from ..retrieval.jobs.chosen_jobs import read_chosen_jobs
from ..run.parameters import Parameters
from ..run.reporter import Reporter, step
from . import build_stack
from .download_products import (
    download_folder,
    failure_sentence,
    jobs_of_one_stack,
    retrieve,
)

_DOWNLOAD_SHARE = 50.0
# buildstack notes its parameters in the stack; the dates have done their work under DATE_RULE.
_FOR_STACK = PARAMETERS[Task.BUILD_STACK] - {"START", "END"}


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Download the products of the chosen jobs and build a stack of exactly these.

    Parameters
    ----------
    parameters
        The filters of ``findjobs``, the options of ``buildstack``, and ``FOLDER``. ``EXTENT``
        chooses the jobs that touch it and is the extent of the stack.

    Raises
    ------
    RetrievalError
        If a product did not arrive and ``ON_BAD_PRODUCT`` is ``stop``.
    """
    values = Parameters(parameters, Task.PREPARE_STACK)
    folder = download_folder(values, "FOLDER")
    job_type = _job_type(values)
    skip_bad = values.choice("ON_BAD_PRODUCT") == "skip"
    options = {name: value for name, value in parameters.items() if name in _FOR_STACK}
    options.update(INPUT=str(folder), PRODUCT_TYPE=job_type)
    request = _checked(options, folder)
    layers = values.names("LAYERS")
    if layers and request.build.reference_point is not None:
        # Files that the stack needs besides those that it holds.
        needed = layers_to_reference(layers, request.build.reference_point)
        values = Parameters({**parameters, "LAYERS": [*layers, *needed]}, Task.PREPARE_STACK)
    if request.plan_only:
        return _plan(values, options, folder, credentials, reporter)
    with (
        step(reporter, 0.0, _DOWNLOAD_SHARE) as inner,
    ):
        report = retrieve(values, folder, credentials, inner, for_one_stack=True)
    if report.failures and (not skip_bad or not report.products):
        raise RetrievalError(failure_sentence(report))
    if report.failures:
        reporter.warning(failure_sentence(report))
    options["PRODUCTS"] = report.products
    with step(reporter, _DOWNLOAD_SHARE, 100.0) as inner:
        return build_stack.run(options, credentials, inner)


def _plan(
    values: Parameters,
    options: Mapping[str, Any],
    folder: Path,
    credentials: Mapping[str, str] | None,
    reporter: Reporter,
) -> dict[str, Any]:
    """Report what would be downloaded, and of what is there already, the plan of the stack."""
    jobs, kept = jobs_of_one_stack(values, folder, credentials, reporter)
    missing = plan_download(jobs, folder, kept, reporter)
    if all(job.job_id in kept for job in jobs):
        names = [job.product for job in jobs]
        return build_stack.run({**options, "PRODUCTS": names}, credentials, reporter)
    reporter.info(
        "The grid shows in the plan once the products are there. This was only the plan "
        "(PLAN_ONLY); nothing is downloaded or written."
    )
    reporter.progress(100.0)
    return {"STEPS": len(jobs), "SKIPPED": 0, "DOWNLOAD": missing}


def _job_type(values: Parameters) -> str:
    """Return the type of the jobs; one stack holds one."""
    types = read_chosen_jobs(values).types
    if len(types) > 1:
        raise InconsistentProductsError(
            f"FOUND_JOBS holds jobs of several types ({', '.join(types)}), which do not belong in "
            "one stack; select those of one type."
        )
    return types[0]


def _checked(options: Mapping[str, Any], folder: Path) -> StackRequest:
    """Read and check the options: a mistake must show before hours of downloading, not after."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"FOLDER is {folder}, which cannot be made ({error.strerror or error}); choose another "
            "folder."
        ) from None
    try:
        request = StackRequest.from_parameters(options)
        request.check_layers()
        if not request.plan_only:
            check_places(request.build, request.report)
    except BaseException:
        _remove(new)
        raise
    if request.plan_only:
        _remove(new)
    return request


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        folder.rmdir()
