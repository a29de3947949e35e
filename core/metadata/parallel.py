"""The parallel baseline, which no HyP3 product holds, from the orbits of the ASF catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import xarray as xr
from pyproj import Transformer

from ..retrieval.catalog.state_vectors import Orbit, Vector, baselines
from . import variables
from .acquisitions import Acquisition


def parallel_baselines(
    acquisitions: Sequence[Acquisition],
    times: Sequence[Sequence[datetime]],
    scene: Mapping[str, xr.Variable],
) -> xr.Variable:
    """Return the parallel baseline of each pair in the scene center; NaN where an orbit is missing.

    Parameters
    ----------
    acquisitions
        All acquisitions, with what the catalog knows of their granules.
    times
        Start of reference and secondary acquisition of each pair.
    scene
        Holds ``scene_center_longitude`` and ``scene_center_latitude`` where they are known.
    """
    by_time = {item.start: item for item in acquisitions}
    target = _center(scene)
    values = [
        None
        if target is None
        else _parallel(_orbits(by_time[reference]), _orbits(by_time[secondary]), target)
        for reference, secondary in times
    ]
    return variables.numbers(
        ("pair",),
        values,
        "parallel baseline of the secondary against the reference orbit",
        "m",
        comment="along the line from the reference position to the ground in the scene center, "
        "positive where the secondary is nearer; from state vectors of the ASF catalog, NaN where "
        "it has none",
    )


def _center(scene: Mapping[str, xr.Variable]) -> Vector | None:
    if "scene_center_longitude" not in scene:
        return None
    to_fixed = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    longitude = float(scene["scene_center_longitude"].values)
    latitude = float(scene["scene_center_latitude"].values)
    return np.array(to_fixed.transform(longitude, latitude, 0.0))


def _orbits(acquisition: Acquisition) -> list[Orbit]:
    return [item.orbit for item in acquisition.details if item.orbit is not None]


def _parallel(
    references: Sequence[Orbit], secondaries: Sequence[Orbit], target: Vector
) -> float | None:
    """Return the baseline by the first granules whose orbits reach the point."""
    for reference in references:
        for secondary in secondaries:
            found = baselines(reference, secondary, target)
            if found is not None:
                return found[0]
    return None
