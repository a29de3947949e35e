"""The task behind ``hyp3:assessstack``: reads a stack again and reports what it meets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..assessment.assess import Assessment, assess_stack
from ..assessment.page import assessment_page
from ..assessment.report import report_outcome
from ..assessment.verdict import MET, NEEDS_USER, NOT_APPLICABLE, NOT_MET
from ..contract import Task
from ..errors import UNREADABLE, InvalidParameterError, OutputError
from ..files.survival import check_survival
from ..object_store.location import RemoteLocation, stack_source
from ..pages.report_files import check_targets, write_text
from ..run.parameters import Parameters
from ..run.reporter import Reporter, complete
from ..run.waiting import run_cancellable


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Assess a written stack.

    Returns
    -------
    dict
        Outputs of ``hyp3:assessstack``: ``OUTPUT``, ``JSON``, numbers of threshold requirements by
        status, ``PROBLEMS`` with conventions, and ``SUMMARY``.

    Raises
    ------
    StackError
        If the stack cannot be read, or an output cannot be written.
    """
    given = Parameters(parameters, Task.ASSESS_STACK)
    source = stack_source(given)
    page, data = given.output("OUTPUT"), given.output("JSON")
    if page is None and data is None:
        raise OutputError("No output is given; set OUTPUT, JSON or both.")
    check_targets({"OUTPUT": page, "JSON": data}, source if isinstance(source, Path) else None)
    reporter.info(f"Reading {source}.")
    if isinstance(source, Path):
        check_survival(source, "INPUT", reporter)
    assessment = run_cancellable(lambda: _assess(source), reporter)
    reporter.progress(70.0)
    complete(reporter)
    report_outcome(assessment, reporter)
    outputs: dict[str, Any] = {
        "MET": assessment.count(MET),
        "UNMET": assessment.count(NOT_MET),
        "NOT_APPLICABLE": assessment.count(NOT_APPLICABLE),
        "NEEDS_USER": assessment.count(NEEDS_USER),
        "PROBLEMS": len(assessment.problems),
        "SUMMARY": assessment.summary,
    }
    if page is not None:
        write_text(page, assessment_page(assessment))
        outputs["OUTPUT"] = str(page)
    if data is not None:
        write_text(data, json.dumps(assessment.to_json(), indent=1, ensure_ascii=False) + "\n")
        outputs["JSON"] = str(data)
    return outputs


def _assess(source: Path | RemoteLocation) -> Assessment:
    try:
        return assess_stack(source, with_pixels=True)
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InvalidParameterError(
            f"INPUT is {source}, which is damaged: a part of it cannot be read ({reason}); give a "
            "copy that is whole, or build the stack anew."
        ) from error
