"""The files that reports are written to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import OutputError
from ..machine.atomic import complete_or_absent

_PAGE_SIGNS = tuple(
    f"<footer>{done} by HyP3 Stack ".encode() for done in ("Assessed", "Planned", "Searched")
)
_JSON_SIGNS = (b'"assessor": "HyP3 Stack ',)
"""What each report holds near its begin or end."""

_SEARCHED_BYTES = 1 << 16


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
        signs = _JSON_SIGNS if name == "JSON" else _PAGE_SIGNS
        if os.path.exists(path) and not _is_report(path, signs):
            raise OutputError(
                f"{name} is {path}, which exists and is not a report that HyP3 Stack wrote; it is "
                "not replaced, so give another name."
            )
        seen[place] = name


def _is_report(path: Path, signs: tuple[bytes, ...]) -> bool:
    """Return whether a file is empty or has a sign of a report; it may have many gigabytes."""
    try:
        with open(path, "rb") as file:
            begin = file.read(_SEARCHED_BYTES)
            file.seek(max(0, path.stat().st_size - _SEARCHED_BYTES))
            end = file.read()
            return not begin or any(sign in begin or sign in end for sign in signs)
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
