"""Found jobs as a GeoJSON layer."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...errors import InvalidParameterError, OutputError
from ...machine.atomic import check_writable, complete_or_absent, not_writable
from ...run.parameters import Parameters
from ..service.json_fields import STRANGE
from .job_footprints import geojson_geometry
from .job_selection import JobSelection
from .jobs import SUCCEEDED, JobRecord

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
JOB_COLUMNS = ("job_type", "product", "status", "job_id")
"""Those by which a layer of jobs is known."""
_LONGEST_FEATURE = 1 << 20


def job_properties(job: JobRecord, selection: JobSelection) -> dict[str, Any]:
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
        "EXPIRED" if job.status == SUCCEEDED and job.expired() else job.status,
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


def features_target(
    values: Parameters, name: str, columns: Collection[str], what: str
) -> tuple[Path, dict[str, Any]]:
    """Return where the features of a task go, and the output that names it for scripts.

    Parameters
    ----------
    values
        Of the job: ``WORK_FOLDER``, from which QGIS takes the features, or ``OUTPUT``.
    name
        Of the file in the folder.
    columns, what
        See :func:`check_target`.

    Raises
    ------
    InvalidParameterError
        If OUTPUT is not the name of a GeoJSON file.
    OutputError
        See :func:`check_target`.
    """
    folder = values.path("WORK_FOLDER")
    if folder is not None:
        return folder / name, {}
    output = values.output("OUTPUT", required=True)
    if output is None or output.suffix.lower() not in (".geojson", ".json"):
        raise InvalidParameterError(
            f"OUTPUT is {output}, but without QGIS it has to be a file that ends in .geojson."
        )
    check_target(output, columns, what)
    return output, {"OUTPUT": str(output)}


def check_target(path: Path, columns: Collection[str], what: str) -> None:
    """Check where features are to be written, before any service is asked.

    Parameters
    ----------
    columns, what
        Some columns of the layer of a former run, which is replaced, and what it is a layer of.

    Raises
    ------
    OutputError
        If it is a folder, a file that is not from a former run, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"OUTPUT is {path}, which is a folder; give a file name.")
    if path.exists() and not _is_ours(path, columns):
        raise OutputError(
            f"OUTPUT is {path}, which exists and is not a layer of {what}; it is not replaced, so "
            "give another name."
        )
    check_writable(path)


def _is_ours(path: Path, columns: Collection[str]) -> bool:
    """Return whether a file is empty or begins like those of :func:`write_collection`."""
    if not path.is_file():
        return False
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(_LONGEST_FEATURE)
        if not line:
            return True
        feature, _ = json.JSONDecoder().raw_decode(line.removeprefix(_BEGIN))
        return line.startswith(_BEGIN) and set(feature["properties"]) >= set(columns)
    except (OSError, *STRANGE):
        return False


def write_features(selection: JobSelection, path: Path) -> None:
    """Write one feature a job; a job without a known footprint has no geometry.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    write_collection(
        (
            (
                geojson_geometry(selection.footprints.get(job.job_id)),
                job_properties(job, selection),
            )
            for job in selection.jobs
        ),
        path,
    )


def write_collection(
    features: Iterable[tuple[Mapping[str, Any] | None, Mapping[str, Any]]], path: Path
) -> None:
    """Write a layer as GeoJSON, a feature a line.

    Parameters
    ----------
    features
        Geometry, as GeoJSON has it in EPSG:4326, and attributes of each.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    lines = (
        json.dumps({"type": "Feature", "geometry": geometry, "properties": properties})
        for geometry, properties in features
    )
    try:
        with complete_or_absent(path) as partial, partial.open("w", encoding="utf-8") as file:
            file.write(_BEGIN)
            file.write(",\n".join(lines))
            file.write("]}\n")
    except OSError as error:
        raise not_writable(path, error) from None
