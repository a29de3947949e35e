"""The layer of scenes: granules over an area from which a network of pairs is planned."""

from __future__ import annotations

SCENE_FIELDS: tuple[tuple[str, str], ...] = (
    ("granule", "string"),
    ("job_type", "string"),
    ("date", "string"),
    ("time", "string"),
    ("path", "integer"),
    ("direction", "string"),
    ("frame_or_burst", "string"),
    ("polarization", "string"),
    ("cover", "double"),
    ("date_cover", "double"),
    ("area", "string"),
    ("state_vectors", "string"),
)
"""Names and types of the attributes, in the order of the table's columns."""
