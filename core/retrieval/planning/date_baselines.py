"""Perpendicular baselines between the passes of a track, from their state vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyproj
from numpy.typing import NDArray

from ..catalog.state_vectors import Orbit, State, Vector, perpendicular_direction


def ground_point(longitude: float, latitude: float) -> Vector:
    """Return a point on the ellipsoid in Earth-centered, Earth-fixed meters (EPSG:4978)."""
    transformer = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    return np.array(transformer.transform(longitude, latitude, 0.0))


def perpendicular_baselines(
    passes: Sequence[Sequence[Orbit | None]], target: Vector | None
) -> NDArray[np.float64]:
    """Return the perpendicular baseline of each pass against each other one.

    Each pass is taken where it sees the target at right angles to its flight, by the cubic through
    its two state vectors; the time of the ascending node is not needed.

    Parameters
    ----------
    passes
        State vectors of the scenes of each pass, None where a scene has none.
    target
        Point on the ground in Earth-centered, Earth-fixed meters; None where it is not known.

    Returns
    -------
    numpy.ndarray
        Meters, reference by row and secondary by column, shape (passes, passes); NaN where the
        vectors of a pass are missing or do not reach the target. Positive toward velocity x look.
    """
    baselines = np.full((len(passes), len(passes)), np.nan)
    if target is None:
        return baselines
    states = [_state(orbits, target) for orbits in passes]
    known = [number for number, state in enumerate(states) if state is not None]
    places = np.array([state[0] for state in states if state is not None])
    for number in known:
        state = states[number]
        if state is not None:
            baselines[number, known] = (places - state[0]) @ perpendicular_direction(state, target)
    return baselines


def _state(orbits: Sequence[Orbit | None], target: Vector) -> State | None:
    """Return position and velocity of a pass at the target, by the first scene that reaches it."""
    reached = (orbit.nearest(target) for orbit in orbits if orbit is not None)
    return next((state for state in reached if state is not None), None)
