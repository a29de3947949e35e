"""The report of a stack that a run has built or found: its assessment, the plan, and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import StackError
from ..files.written_stack import open_stack_groups
from ..object_store.location import RemoteLocation
from ..run.reporter import Reporter
from .assess import Assessment, assess_stack
from .page import Picture, assessment_page
from .pictures import Thumbnails, picture, read_thumbnails
from .verdict import NEEDS_USER, NOT_MET

if TYPE_CHECKING:
    from ..pixels.survey import Findings


def stack_report(
    stack: Path | RemoteLocation,
    plan: Sequence[str],
    findings: Findings | None,
    count: int,
    others: Sequence[Path] = (),
    assessment: Assessment | None = None,
) -> tuple[Assessment, str]:
    """Describe how a stack was made and what its assessment finds, which is made if need be.

    Parameters
    ----------
    stack
        NetCDF file or Zarr store, on disk or in an object store.
    findings
        What the pass over the pixels has learned; None without one.
    count
        Number of pairs or dates.
    others
        Other files and stores of the same stack, whose layout is shown as well.
    assessment
        What was found when the stack was assessed, if it was.

    Returns
    -------
    assessment : Assessment
        The outcome.
    page : str
        HTML that needs nothing else.
    """
    assessment = assess_stack(stack) if assessment is None else replace(assessment, path=stack)
    assessment = replace(assessment, thumbnails=_small_maps(stack))
    for path in others:
        with open_stack_groups(path) as opened:
            layouts = tuple(filter(None, (item.layout() for item in opened)))
        assessment = replace(assessment, layouts=(*assessment.layouts, *layouts))
    pictures = [] if findings is None else _pictures(findings, count)
    return assessment, assessment_page(assessment, plan, pictures)


def _small_maps(stack: Path | RemoteLocation) -> Thumbnails | None:
    """Read the small maps of a stack; None where it cannot be read any more.

    All else in the report rests on what was read before.
    """
    try:
        with open_stack_groups(stack) as opened:
            return read_thumbnails(opened[0], isinstance(stack, RemoteLocation))
    except StackError:
        return None


def report_outcome(assessment: Assessment, reporter: Reporter) -> None:
    """Inform the user of the outcome."""
    reporter.info(f"CEOS-ARD {assessment.family}: {assessment.summary}.")
    for item in assessment.items:
        if item.is_threshold and item.verdict.status in (NOT_MET, NEEDS_USER):
            requirement = item.requirement
            reporter.info(
                f"  {requirement['number']} {requirement['title']}: {item.verdict.status}: "
                f"{item.verdict.explanation}"
            )
    for problem in assessment.problems:
        reporter.warning(f"{problem}.")


def _pictures(findings: Findings, count: int) -> list[Picture]:
    coverage = np.where(findings.coverage > 0, findings.coverage, np.nan)
    pictures = [
        Picture(
            picture(coverage, 0.0, count),
            f"Coverage: number of steps with data, of {count}",
            "0",
            str(count),
        )
    ]
    if findings.coherence is not None and not np.isnan(findings.coherence).all():
        pictures.append(
            Picture(picture(findings.coherence, 0.0, 1.0), "Mean coherence of all pairs", "0", "1")
        )
    return pictures
