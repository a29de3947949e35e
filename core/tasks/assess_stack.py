"""The task behind ``hyp3:assessstack``: reads a stack again and tells what it fulfills."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..atomic import complete_or_absent
from ..contract import Task
from ..errors import UNREADABLE, InvalidParameterError, OutputError
from ..metadata.assessment.assess import Assessment, assess_stack
from ..metadata.assessment.page import assessment_page
from ..metadata.assessment.verdict import MET, NEEDS_USER, NOT_APPLICABLE, NOT_MET
from ..object_store.address import is_address
from ..object_store.location import RemoteLocation, parse_location
from ..parameters import Parameters
from ..proxies import proxy_environment
from ..reporter import Reporter, complete
from ..stack.survival import check_survival
from ..waiting import beside

_SIGNS = {"JSON": b'"assessor": "HyP3 Stack ', "": b"<footer>Assessed by HyP3 Stack "}
"""What each report holds near its begin or end, by the parameter that names it."""

_SEARCHED_BYTES = 1 << 16


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Assess a written stack.

    Parameters
    ----------
    parameters
        Parameters of ``hyp3:assessstack``.
    credentials
        The login of the proxy, or None.
    reporter
        Told of what is not met.

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
    source = _source(given)
    page, data = given.output("OUTPUT"), given.output("JSON")
    if page is None and data is None:
        raise OutputError("No output is given; set OUTPUT, JSON or both.")
    check_targets({"OUTPUT": page, "JSON": data}, source if isinstance(source, Path) else None)
    reporter.info(f"Reading {source}.")
    if isinstance(source, Path):
        check_survival(source, "INPUT", reporter)
    with proxy_environment(parameters.get("PROXIES"), credentials):
        assessment = beside(lambda: _assess(source), reporter)
    reporter.progress(70.0)
    complete(reporter)
    tell(assessment, reporter)
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


def _source(given: Parameters) -> Path | RemoteLocation:
    """Return the stack, on disk or in an object store."""
    text = given.text("INPUT")
    if text is not None and is_address(text):
        return parse_location(
            text, given.text("S3_ENDPOINT"), given.text("S3_PROFILE"), parameter="INPUT"
        )
    path = given.path("INPUT", required=True)
    if path is None or not path.exists():
        raise InvalidParameterError(f"INPUT is {path}, but there is nothing of that name.")
    return path


def tell(assessment: Assessment, reporter: Reporter) -> None:
    """Tell the user the outcome."""
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


def check_targets(targets: Mapping[str, Path | None], source: Path | None) -> None:
    """Check where reports are to be written.

    Raises
    ------
    OutputError
        If a target is a folder, another target, (part of) the stack or no report of ours.
    """
    seen: dict[Path, str] = {}
    for name, path in targets.items():
        if path is None:
            continue
        if os.path.isdir(path):
            raise OutputError(f"{name} is {path}, which is a folder; give a file name.")
        place = path.resolve()
        if source is not None and source.resolve() in (place, *place.parents):
            raise OutputError(f"{name} is {path}, which is the stack; give another name.")
        if place in seen:
            raise OutputError(f"{name} and {seen[place]} are both {path}; give different names.")
        if os.path.exists(path) and not _is_report(path, _SIGNS.get(name, _SIGNS[""])):
            raise OutputError(
                f"{name} is {path}, which exists and is no report that HyP3 Stack wrote; it is not "
                "replaced, so give another name."
            )
        seen[place] = name


def _is_report(path: Path, sign: bytes) -> bool:
    """Return whether a file is empty or has the sign of a report; it may have many gigabytes."""
    try:
        with open(path, "rb") as file:
            begin = file.read(_SEARCHED_BYTES)
            file.seek(max(0, path.stat().st_size - _SEARCHED_BYTES))
            return not begin or sign in begin or sign in file.read()
    except OSError:
        return False


def write_text(path: Path, text: str) -> None:
    """Write a text file under its name once it is complete.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        with complete_or_absent(path) as partial:
            partial.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); choose another folder or free "
            "some space."
        ) from error
