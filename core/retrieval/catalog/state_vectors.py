"""Baselines from the state vectors of two orbits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_STEPS = 30
_PRECISE = 1e-7
_BEYOND = 5.0
"""Seconds outside the vectors at which an orbit is no longer interpolated."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Orbit:
    """Two state vectors around a scene, Earth-centered and Earth-fixed.

    Parameters
    ----------
    seconds
        Time of the second vector after the first.
    positions
        Meters, shape (2, 3).
    velocities
        Meters per second, shape (2, 3).
    """

    seconds: float
    positions: Vector
    velocities: Vector

    def at(self, time: float) -> tuple[Vector, Vector]:
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

    def nearest(self, target: Vector) -> tuple[Vector, Vector] | None:
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
    position, velocity = one
    look = (target - position) / np.linalg.norm(target - position)
    across = np.cross(velocity, look)
    baseline = other[0] - position
    return float(baseline @ look), float(abs(baseline @ across) / np.linalg.norm(across))
