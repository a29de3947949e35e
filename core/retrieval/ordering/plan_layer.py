"""The layer of planned pairs: one line for each job that would be ordered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

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


@dataclass(frozen=True)
class PlannedPair:
    """A pair of a plan."""

    job_type: str  # of the job that makes it
    # Names of the scenes of the earlier and of the later date.
    reference: tuple[str, ...]
    secondary: tuple[str, ...]
    # UTC days on which their passes began.
    reference_date: date
    secondary_date: date
    perpendicular_baseline: float | None  # meters; None where unknown
    # Those of its track.
    path: int
    direction: str
    rule: str  # why it is in the network
    rank: int  # 1 is ordered first
    triangles: int  # number of triangles of the network that it is a side of
    # Price with the default options of the type; None where the prices are not known.
    credits: float | None

    @property
    def days(self) -> int:
        """Temporal baseline."""
        return (self.secondary_date - self.reference_date).days

    def properties(self) -> dict[str, Any]:
        """Return the attributes of the pair in the layer."""
        baseline = self.perpendicular_baseline
        values = (
            self.job_type,
            ",".join(self.reference),
            ",".join(self.secondary),
            self.reference_date.isoformat(),
            self.secondary_date.isoformat(),
            self.days,
            None if baseline is None else round(baseline, 1),
            self.path,
            self.direction,
            self.rule,
            self.rank,
            self.triangles,
            None if self.credits is None else round(self.credits),
        )
        return {name: value for (name, _), value in zip(PLAN_FIELDS, values, strict=True)}
