"""The points of a vector layer at which series are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from ..errors import InvalidParameterError
from ..grid.lattice import Grid
from ..run.parameters import shown

_FORM = (
    '{"crs": "EPSG:4326", "attributes": ["name"], "points": [[-117.6, 35.7, ["a"]]]}: x, y and '
    "the attributes of each point"
)


@dataclass(frozen=True)
class Points:
    """Points with the attributes of their layer.

    Parameters
    ----------
    crs
        Authority code or WKT.
    attributes
        Names of the attributes.
    x, y
        In the units of the CRS, longitude first; shape (P,).
    values
        Attributes of each point.
    """

    crs: str
    attributes: tuple[str, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    values: tuple[tuple[Any, ...], ...]

    def pixels(self, grid: Grid) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
        """Return row and column of each point on a grid, and which of them lie on it.

        Raises
        ------
        InvalidParameterError
            If the CRS of the points is not known.
        """
        try:
            to_grid = Transformer.from_crs(CRS.from_user_input(self.crs), grid.crs, always_xy=True)
            x, y = to_grid.transform(self.x, self.y)
        except (CRSError, ProjError):
            raise InvalidParameterError(
                f"POINTS is given in {shown(self.crs)}, which is not a coordinate reference system "
                "that can be projected; give the layer another one."
            ) from None
        with np.errstate(invalid="ignore"):
            column = np.floor((np.asarray(x) - grid.left) / grid.spacing)
            row = np.floor((grid.top - np.asarray(y)) / grid.spacing)
            inside = (row >= 0) & (row < grid.height) & (column >= 0) & (column < grid.width)
        row, column = (np.where(inside, side, 0).astype(np.intp) for side in (row, column))
        return row, column, inside


def parse_points(value: Any) -> Points:
    """Read the parameter ``POINTS`` of a job.

    Raises
    ------
    InvalidParameterError
        If it is missing, has another form, or holds no points.
    """
    if value is None or value == "":
        raise InvalidParameterError(
            "FORMAT is series, which needs POINTS: give a layer of points, or choose geotiff."
        )
    try:
        crs, names, rows = str(value["crs"]), _texts(value["attributes"]), value["points"]
        x, y = (np.array([row[axis] for row in rows], dtype="float64") for axis in (0, 1))
        values = tuple(tuple(row[2]) for row in rows)
        if not isinstance(value, Mapping) or any(len(row) != len(names) for row in values):
            raise ValueError
    except (KeyError, IndexError, TypeError, ValueError):
        raise InvalidParameterError(
            f"POINTS is {shown(value)}, but it has to be a layer of points, in a job {_FORM}."
        ) from None
    if not x.size:
        raise InvalidParameterError("POINTS holds no points; give a layer that has some.")
    return Points(crs, names, x, y, values)


def _texts(names: Sequence[Any]) -> tuple[str, ...]:
    return tuple(map(str, names))
