"""The points of a vector layer at which series are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..grid.lattice import Grid, to_longitude_latitude
from ..run.parameters import Parameters
from ..run.vector_layer import Feature, layer_features


@dataclass(frozen=True)
class Points:
    """Points with the attributes of their layer."""

    attributes: tuple[str, ...]  # names of the attributes
    # Degrees (WGS 84); shape (P,).
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    values: tuple[tuple[Any, ...], ...]  # attributes of each point

    def pixels(self, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Return row and column of each point on a grid, and which of them lie on it."""
        x, y = to_longitude_latitude(grid).transform(
            self.longitude, self.latitude, direction="INVERSE"
        )
        with np.errstate(invalid="ignore"):  # infinite where a point has no place in the CRS
            column = np.floor((x - grid.left) / grid.spacing)
            row = np.floor((grid.top - y) / grid.spacing)
            inside = (row >= 0) & (row < grid.height) & (column >= 0) & (column < grid.width)
        row, column = (np.where(inside, side, 0).astype(np.intp) for side in (row, column))
        return row, column, inside


def read_points(given: Parameters) -> Points:
    """Read the parameter ``POINTS`` of a job.

    Raises
    ------
    InvalidParameterError
        If it is missing, cannot be read, or holds something else than points.
    """
    features = layer_features(given, "POINTS")
    if features is None:
        raise InvalidParameterError(
            "FORMAT is series, which needs POINTS: give a layer of points, or choose geotiff."
        )
    # Features of a file may differ in what they have.
    attributes = tuple(dict.fromkeys(name for item in features for name in item.properties))
    points = [(*place, feature) for feature in features for place in _places(feature)]
    if not points:
        raise InvalidParameterError("POINTS holds no points; give a layer that has some.")
    longitude, latitude, owners = zip(*points, strict=True)
    values = tuple(tuple(owner.properties.get(name) for name in attributes) for owner in owners)
    return Points(attributes, np.array(longitude), np.array(latitude), values)


def _places(feature: Feature) -> list[tuple[float, float]]:
    """Return longitude and latitude of the points of a feature; those of a multipoint in turn."""
    geometry = feature.geometry
    if geometry is None:
        return []
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    try:
        if kind == "Point":
            return [_place(coordinates)] if coordinates else []
        if kind == "MultiPoint":
            return [_place(place) for place in coordinates or ()]
    except (TypeError, ValueError, IndexError):
        pass
    if kind in ("Point", "MultiPoint"):
        raise InvalidParameterError(
            f"POINTS holds a {kind} whose coordinates are not two numbers or more; repair it, or "
            "give another layer."
        )
    raise InvalidParameterError(
        f"POINTS holds a {kind}, but series are taken at points; give a layer of points."
    )


def _place(coordinates: Any) -> tuple[float, float]:
    numbers: Sequence[Any] = coordinates
    return float(numbers[0]), float(numbers[1])
