"""Baselines from the state vectors of two orbits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

_STEPS = 30
_PRECISE = 1e-7
_BEYOND = 5.0
"""Seconds outside the vectors at which an orbit is no longer interpolated."""

Vector = NDArray[np.float64]
State = tuple[Vector, Vector]
"""Position and velocity."""


@dataclass(frozen=True)
class Orbit:
    """Two state vectors around a scene, Earth-centered and Earth-fixed."""

    seconds: float  # time of the second vector after the first
    positions: Vector  # meters, shape (2, 3)
    velocities: Vector  # meters per second, shape (2, 3)

    @classmethod
    def of_attributes(cls, attributes: Mapping[str, Any]) -> Orbit | None:
        """Read the vectors of a catalog entry, None where they are missing or cannot be used.

        Parameters
        ----------
        attributes
            Additional attributes of the entry. ``SV_POSITION_PRE``, ``SV_VELOCITY_POST`` and so on
            read ``x,y,z,time``; the times are not rounded, as ``asf_search`` would.
        """
        vectors, times = [], []
        for kind in ("POSITION", "VELOCITY"):
            for side in ("PRE", "POST"):
                *numbers, time = str(attributes.get(f"SV_{kind}_{side}")).split(",")
                vectors.append(numbers)
                times.append(time.strip().removesuffix("Z"))
        try:
            begin, end = map(datetime.fromisoformat, times[:2])
            seconds = (end - begin).total_seconds()
            read = np.array(vectors, "float64")
        except (TypeError, ValueError):
            return None
        if read.shape != (4, 3) or not np.isfinite(read).all() or seconds <= 0:
            return None
        return cls(seconds, read[:2], read[2:])

    @classmethod
    def of_json(cls, values: Any) -> Orbit | None:
        """Read what :meth:`to_json` has made; None where it cannot be used."""
        try:
            seconds = float(values["seconds"])
            vectors = [np.array(values[key], "float64") for key in ("positions", "velocities")]
        except (TypeError, ValueError, LookupError):
            return None
        is_sound = all(item.shape == (2, 3) and np.isfinite(item).all() for item in vectors)
        return cls(seconds, *vectors) if is_sound and 0 < seconds < np.inf else None

    def to_json(self) -> dict[str, Any]:
        """Return the vectors as JSON knows them."""
        return {
            "seconds": self.seconds,
            "positions": self.positions.tolist(),
            "velocities": self.velocities.tolist(),
        }

    def at(self, time: float) -> State:
        """Return position and velocity by the cubic that both vectors fix (Hermite)."""
        span = self.seconds
        share = time / span
        square, cube = share**2, share**3
        weights = np.array([2 * cube - 3 * square + 1, -2 * cube + 3 * square])
        slopes = np.array([cube - 2 * square + share, cube - square]) * span
        position = weights @ self.positions + slopes @ self.velocities
        weights = np.array([6 * square - 6 * share, -6 * square + 6 * share]) / span
        slopes = np.array([3 * square - 4 * share + 1, 3 * square - 2 * share])
        return position, weights @ self.positions + slopes @ self.velocities

    def nearest(self, target: Vector) -> State | None:
        """Return position and velocity where a point is seen at right angles to the flight.

        None where that lies far outside the vectors.
        """
        time = self.seconds / 2
        for _ in range(_STEPS):
            position, velocity = self.at(time)
            change = float((target - position) @ velocity / (velocity @ velocity))
            time += change
            if not -_BEYOND < time < self.seconds + _BEYOND:
                return None
            if abs(change) < _PRECISE:
                return self.at(time)
        return None


def baselines(reference: Orbit, secondary: Orbit, target: Vector) -> tuple[float, float] | None:
    """Return parallel and perpendicular baseline at a point on the ground.

    Parameters
    ----------
    reference, secondary
        The orbits of a pair.
    target
        Point in Earth-centered, Earth-fixed meters.

    Returns
    -------
    parallel, perpendicular : float
        Meters; the parallel one along the line from the reference position to the ground
        (positive where the secondary is nearer), the perpendicular one without sign. None where
        the orbits do not reach the point.
    """
    one, other = reference.nearest(target), secondary.nearest(target)
    if one is None or other is None:
        return None
    look = (target - one[0]) / np.linalg.norm(target - one[0])
    across = perpendicular_direction(one, target)
    baseline = other[0] - one[0]
    return float(baseline @ look), float(abs(baseline @ across))


def perpendicular_direction(state: State, target: Vector) -> Vector:
    """Return the unit vector along which perpendicular baselines count as positive.

    It is at right angles to flight and line of sight, velocity x look, with the sign of ISCE2.

    Parameters
    ----------
    state
        Position and velocity of the reference where it sees the target at right angles.
    target
        Point in Earth-centered, Earth-fixed meters.
    """
    position, velocity = state
    across = np.cross(velocity, target - position)
    direction: Vector = across / np.linalg.norm(across)
    return direction
