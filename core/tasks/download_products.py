"""Task ``downloadproducts``: the products of the chosen jobs, unpacked in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..contract import Task
from ..errors import InvalidParameterError, RetrievalError
from ..products.product_types import PRODUCT_TYPES
from ..retrieval.download.download import DownloadOptions, DownloadReport, download_jobs
from ..retrieval.download.manifest import complete_jobs
from ..retrieval.jobs.chosen_jobs import read_chosen_jobs
from ..retrieval.jobs.job_selection import select_jobs
from ..retrieval.jobs.jobs import JobRecord
from ..retrieval.jobs.one_stack import newest_of_repeated, require_one_stack
from ..run.parameters import Parameters
from ..run.reporter import Reporter, step

_NAMES_SHOWN = 5


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Download products, skipping what is there.

    Parameters
    ----------
    parameters
        The filters of the contract, ``JOBS``, ``LAYERS``, ``KEEP_ZIPS`` and ``OUTPUT``.

    Returns
    -------
    dict
        ``OUTPUT``, ``DOWNLOADED``, ``SKIPPED``, ``FAILED``, ``BYTES``, ``MANIFEST``.

    Raises
    ------
    RetrievalError
        If some products did not arrive; the others are complete.
    """
    values = Parameters(parameters, Task.DOWNLOAD_PRODUCTS)
    folder = download_folder(values, "OUTPUT")
    report = retrieve(values, folder, credentials, reporter)
    if report.failures:
        raise RetrievalError(failure_sentence(report))
    return {
        "OUTPUT": str(folder),
        "DOWNLOADED": report.downloaded,
        "SKIPPED": report.skipped,
        "FAILED": len(report.failures),
        "BYTES": report.bytes,
        "MANIFEST": str(report.manifest),
    }


def retrieve(
    values: Parameters,
    folder: Path,
    credentials: Mapping[str, str] | None,
    reporter: Reporter,
    *,
    for_one_stack: bool = False,
) -> DownloadReport:
    """Select jobs and download their products; failures of single products are in the report.

    Parameters
    ----------
    values
        Filters, ``LAYERS`` and ``KEEP_ZIPS``; for one stack, ``SCALE`` and ``MERGE_PASSES``.
    for_one_stack
        Refuse to mix what cannot be one stack, and pass over jobs that were ordered again.
    """
    options = DownloadOptions(layers=_layers(values), keep_archives=values.flag("KEEP_ZIPS"))
    if for_one_stack:
        jobs, _ = jobs_of_one_stack(values, folder, credentials, reporter)
    else:
        jobs = _jobs(values, folder, credentials, reporter)
    with step(reporter, 5.0, 100.0) as inner:
        return download_jobs(jobs, folder, options, inner)


def jobs_of_one_stack(
    values: Parameters, folder: Path, credentials: Mapping[str, str] | None, reporter: Reporter
) -> tuple[tuple[JobRecord, ...], frozenset[str]]:
    """Select the newest jobs that can be one stack; return them, and the ids of complete ones.

    Raises
    ------
    InconsistentProductsError
        If the jobs cannot be one stack.
    """
    with step(reporter, 0.0, 5.0) as inner:
        kept = complete_jobs(folder, inner)
        merge = values.flag("MERGE_PASSES")
        selection = select_jobs(
            values, credentials, inner, footprints=True, kept=kept, merge_passes=merge
        )
    require_one_stack(selection, values)
    return newest_of_repeated(selection.jobs, reporter), kept


def _jobs(
    values: Parameters, folder: Path, credentials: Mapping[str, str] | None, reporter: Reporter
) -> tuple[JobRecord, ...]:
    """Select jobs, of whatever path."""
    with step(reporter, 0.0, 5.0) as inner:
        kept = complete_jobs(folder, inner)
        selection = select_jobs(values, credentials, inner, footprints=False, kept=kept)
    if len(set(selection.tracks.values())) > 1:
        paths = sorted(str(path or "unknown") for path in set(selection.tracks.values()))
        reporter.warning(
            f"The products are of several paths ({', '.join(paths)}), which do not belong in "
            "one stack."
        )
    return selection.jobs


def download_folder(values: Parameters, name: str) -> Path:
    """Read the parameter that names the folder of products."""
    folder = values.path(name, required=True)
    if folder is None or (folder.exists() and not folder.is_dir()):
        raise InvalidParameterError(f"{name} is {folder}, but it has to be a folder.")
    return folder


def failure_sentence(report: DownloadReport) -> str:
    """Report which products did not arrive and why."""
    count, arrived = len(report.failures), report.downloaded + report.skipped
    rest = ", all others are complete" if arrived else ""
    reasons = [why if name in why else f"{name}: {why}" for name, why in report.failures.items()]
    if count > _NAMES_SHOWN:
        reasons[_NAMES_SHOWN:] = [f"The log has the reasons of the other {count - _NAMES_SHOWN}."]
    return f"{count} of {count + arrived} products did not arrive{rest}. {' '.join(reasons)}"


def _layers(values: Parameters) -> tuple[str, ...]:
    """Read LAYERS as HyP3's own names, also where it names variables of the stack."""
    types = [PRODUCT_TYPES[name] for name in read_chosen_jobs(values).types]
    by_name = types[0].by_name
    wanted = values.names("LAYERS")
    unknown = [name for name in wanted if not all(name in kind.by_name for kind in types)]
    shared = [name for name in types[0].layers if all(name in kind.layers for kind in types)]
    if unknown:
        raise InvalidParameterError(
            f"LAYERS names {', '.join(unknown)}, which products of that JOB_TYPE do not have; "
            f"choose from {', '.join(shared)}."
        )
    return tuple(dict.fromkeys(by_name[name].name for name in wanted))
