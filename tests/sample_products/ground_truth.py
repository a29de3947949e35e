"""What the acquisitions of a sample stack hold at any map position: the truth of an inversion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from pyproj import Transformer

from .network import acquisition, pairs
from .scene import PHASE_PER_METER, Scene
from .spec import SampleSpec


@dataclass(frozen=True)
class GroundTruth:
    """Series of a sample stack of pairs at points.

    Parameters
    ----------
    times
        UTC start of each acquisition.
    displacement
        Motion towards the satellite since the first acquisition in meters, not relative to any
        point; shape (acquisitions, ...).
    delay
        What turbulence, stratification and ramps add to it, likewise.
    height_error
        Height of the DEM less the true one in meters, shape (...).
    """

    times: tuple[datetime, ...]
    displacement: np.ndarray
    delay: np.ndarray
    height_error: np.ndarray


def ground_truth(spec: SampleSpec, x: np.ndarray, y: np.ndarray, epsg: int) -> GroundTruth:
    """Return the truth at map positions.

    Parameters
    ----------
    spec
        Of the stack.
    x, y
        Positions in meters, arrays that broadcast to one shape.
    epsg
        Code of the CRS of ``x`` and ``y``.
    """
    scene = Scene(spec)
    x, y = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
    longitude, latitude = Transformer.from_crs(epsg, 4326, always_xy=True).transform(x, y)
    u, v = scene.local(longitude, latitude)
    geometry = scene.geometry(longitude, latitude)
    fields = scene.landscape.fields(u, v)
    height = scene.landscape.ground(fields)["dem"]
    count = max(last for _, last in pairs(spec.products)) + 1
    times = tuple(acquisition(spec, index) for index in range(count))
    days = [(time - times[0]) / timedelta(days=1) for time in times]
    moved = [scene.towards(u, v, geometry, (0.0, day)) for day in days]
    delays = [scene.delay(n, u, v) + scene.stratified(n) * height for n in range(count)]
    return GroundTruth(
        times,
        np.stack(moved),
        (np.stack(delays) - delays[0]) / -PHASE_PER_METER,
        spec.signals.height_error * fields["height_error"],
    )
