"""The layer of planned pairs: one line for each job that would be ordered."""

from __future__ import annotations

PLAN_FIELDS: tuple[tuple[str, str], ...] = (
    ("job_type", "string"),
    ("reference", "string"),
    ("secondary", "string"),
    ("reference_date", "string"),
    ("secondary_date", "string"),
    ("temporal_baseline", "integer"),
    ("perpendicular_baseline", "double"),
    ("path", "integer"),
    ("direction", "string"),
    ("rule", "string"),
    ("rank", "integer"),
    ("triangles", "integer"),
    ("credits", "integer"),
)
"""Names and types of the attributes, in the order of the table's columns.

``reference`` and ``secondary`` hold names of granules with commas between: one for frames and
single bursts, up to 15 for multi-bursts. Dates are UTC days, baselines days and meters (NULL where
unknown), ``rank`` 1 is ordered first, ``credits`` NULL where the prices are not known.
"""
