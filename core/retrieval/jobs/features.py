"""Found jobs as a GeoJSON layer."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...errors import OutputError
from ...machine.atomic import check_writable, complete_or_absent, not_writable
from ..service.json_fields import STRANGE
from .job_footprints import geojson_geometry
from .job_selection import Selection
from .jobs import JobRecord

FIELDS: tuple[tuple[str, str], ...] = (
    ("project", "string"),
    ("job_type", "string"),
    ("product", "string"),
    ("status", "string"),
    ("reference", "datetime"),
    ("secondary", "datetime"),
    ("baseline_days", "integer"),
    ("path", "integer"),
    ("direction", "string"),
    ("polarization", "string"),
    ("spacing_m", "double"),
    ("size_mb", "double"),
    ("requested", "datetime"),
    ("expires", "datetime"),
    ("credits", "double"),
    ("job_id", "string"),
    ("reference_scenes", "string"),
    ("secondary_scenes", "string"),
)
"""Names and types of the attributes, in the order of the table's columns."""


_BEGIN = '{"type": "FeatureCollection", "features": ['
_MARKS = frozenset(("job_type", "product", "status", "job_id"))
_LONGEST_FEATURE = 1 << 20


def job_properties(job: JobRecord, selection: Selection) -> dict[str, Any]:
    """Return the attributes of a job; times are UTC, ISO 8601."""
    reference, secondary = (*job.starts, None, None)[:2]
    days = None
    if reference and secondary:
        # A pass after whole repeat cycles may begin seconds earlier in the day.
        days = round((secondary - reference) / timedelta(days=1))
    ascending = selection.directions[job.job_id]
    values = (
        job.project or None,
        job.job_type,
        job.product or None,
        "EXPIRED" if job.status == "SUCCEEDED" and job.expired() else job.status,
        reference and reference.isoformat(),
        secondary and secondary.isoformat(),
        days,
        selection.paths[job.job_id],
        {True: "ascending", False: "descending", None: None}[ascending],
        job.polarization or None,
        job.spacing,
        round(job.size / 1e6, 3) if job.files else None,
        job.requested.isoformat(),
        job.expires and job.expires.isoformat(),
        job.credits,
        job.job_id,
        ", ".join(scene.name for scene in job.reference) or None,
        ", ".join(scene.name for scene in job.secondary) or None,
    )
    return {name: value for (name, _), value in zip(FIELDS, values, strict=True)}


def check_target(path: Path) -> None:
    """Check where features are to be written, before any service is asked.

    Raises
    ------
    OutputError
        If it is a folder, a file that is not from a former run, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"OUTPUT is {path}, which is a folder; give a file name.")
    if path.exists() and not _is_ours(path):
        raise OutputError(
            f"OUTPUT is {path}, which exists and is not a layer of jobs that hyp3:findjobs wrote; "
            "it is not replaced, so give another name."
        )
    check_writable(path)


def _is_ours(path: Path) -> bool:
    """Return whether a file is empty or begins with a job as :func:`write_features` writes it."""
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(_LONGEST_FEATURE)
        if not line:
            return True
        feature, _ = json.JSONDecoder().raw_decode(line.removeprefix(_BEGIN))
        return line.startswith(_BEGIN) and set(feature["properties"]) >= _MARKS
    except (OSError, *STRANGE):
        return False


def write_features(selection: Selection, path: Path) -> None:
    """Write one feature a job; a job without a known footprint has no geometry.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    try:
        with complete_or_absent(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.write(_BEGIN)
            file.write(",\n".join(_lines(selection)))
            file.write("]}\n")
    except OSError as error:
        raise not_writable(path, error) from None


def _lines(selection: Selection) -> Iterable[str]:
    for job in selection.jobs:
        yield json.dumps(
            {
                "type": "Feature",
                "id": job.job_id,
                "geometry": geojson_geometry(selection.footprints.get(job.job_id)),
                "properties": job_properties(job, selection),
            }
        )
