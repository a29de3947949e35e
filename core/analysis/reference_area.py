"""The area to which all pairs are referenced: its median phase is subtracted from each pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer

from ..errors import InvalidParameterError
from ..grid.lattice import Grid
from ..inputs.crs import given_crs

AUTO = "auto"

DEFAULT_RADIUS = 2.5
"""Pixels: 21 of them, whose median neither noise nor one bad pixel moves."""

_WINDOW = 2
"""Pixels around one over which its coherence is averaged, for the choice of an area."""


@dataclass(frozen=True)
class ReferenceArea:
    """Pixels whose center lies within a radius of a point."""

    # The point, in the CRS of the grid.
    x: float
    y: float
    radius: float  # in meters
    origin: str  # how it came to be chosen: ``given``, ``stack`` or ``auto``

    def __str__(self) -> str:
        return f"{self.x:.1f},{self.y:.1f},{self.radius:.1f}"

    def pixels(self, grid: Grid) -> tuple[slice, slice, NDArray[np.bool_]]:
        """Return rows and columns of a window around the area, and which of its pixels belong.

        Raises
        ------
        InvalidParameterError
            If no pixel of the grid lies in the area.
        """
        across = np.flatnonzero(np.abs(grid.x - self.x) <= self.radius)
        down = np.flatnonzero(np.abs(grid.y - self.y) <= self.radius)
        if not (across.size and down.size):
            raise self._outside(grid)
        squares = (grid.y[down, np.newaxis] - self.y) ** 2 + (grid.x[across] - self.x) ** 2
        inside = squares <= self.radius**2
        if not inside.any():
            raise self._outside(grid)
        return (
            slice(int(down[0]), int(down[-1]) + 1),
            slice(int(across[0]), int(across[-1]) + 1),
            inside,
        )

    def _outside(self, grid: Grid) -> InvalidParameterError:
        left, bottom, right, top = grid.bounds
        return InvalidParameterError(
            f"REFERENCE_AREA, {self} (x, y and radius in {grid.crs}), holds no pixel center of "
            f"what is inverted, which covers {left:.0f}, {right:.0f}, {bottom:.0f}, {top:.0f} "
            "(xmin, xmax, ymin, ymax); choose a point within, a larger radius, or auto."
        )

    def phases(self, block: NDArray[np.floating], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the median phase of each pair in the area; NaN for pairs without any.

        Of all pairs the same pixels count, where there are pixels with phase in all of them: pairs
        referenced to different ground would not close in triangles.
        """
        values = block[:, inside].astype(np.float64)
        known = np.isfinite(values)
        has_phase = known.any(axis=1)
        shared = known[has_phase].all(axis=0)
        if shared.any():
            values = values[:, shared]
        result = np.full(values.shape[0], np.nan)
        result[has_phase] = np.nanmedian(values[has_phase], axis=1)
        return result


def parse_area(text: str, grid: Grid) -> ReferenceArea:
    """Read ``x,y`` or ``x,y,radius``, either with ``[EPSG:code]``.

    Without a code, the point is in the CRS of the grid; the radius is in meters.

    Raises
    ------
    InvalidParameterError
        If the text is something else.
    """
    numbers, _, rest = text.partition("[")
    code = rest.rstrip("] \t")
    try:
        x, y, *more = (float(number) for number in numbers.split(","))
        (radius,) = more or [DEFAULT_RADIUS * grid.spacing]
    except ValueError:
        x = y = radius = math.nan
    if not (all(map(math.isfinite, (x, y, radius))) and radius > 0.0):
        raise InvalidParameterError(
            f"REFERENCE_AREA is {text!r}, but it has to read auto, x,y [EPSG:code] or "
            "x,y,radius [EPSG:code] with a radius in meters."
        )
    if code:
        source = given_crs(code, "REFERENCE_AREA")
        to_grid = Transformer.from_crs(source, grid.crs, always_xy=True)
        x, y = to_grid.transform(x, y)
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InvalidParameterError(
                f"REFERENCE_AREA is {text!r}, which has no place in {grid.crs}; give x or "
                "longitude first, then y or latitude."
            )
    return ReferenceArea(x, y, radius, "given")


_Score = tuple[float, float, float, int, int]
"""Of a place: what counts first; row and column are negative, so that the first one is the best."""

Reader = Callable[[slice, slice], tuple[NDArray[np.floating], NDArray[np.floating] | None]]
"""Returns phase and coherence of all pairs in a block, each of shape (M, rows, columns)."""


def choose_area(grid: Grid, blocks: Iterable[tuple[slice, slice]], read: Reader) -> ReferenceArea:
    """Choose the area of highest mean coherence among those with most phase.

    Where the coherence is not known, it is the one nearest to the middle of the grid.

    Parameters
    ----------
    blocks
        Rows and columns to search.
    read
        Reads a block.

    Raises
    ------
    InvalidParameterError
        If no pair has phase anywhere.
    """
    best: _Score = (0.0, 0.0, -np.inf, 0, 0)
    for block in blocks:
        best = max(best, _best_of(grid, *block, read))
    if not best[1]:
        raise InvalidParameterError(
            "No pixel has phase in any pair, so that REFERENCE_AREA cannot be auto; give another "
            "INPUT, EXTENT or period."
        )
    radius = DEFAULT_RADIUS * grid.spacing
    return ReferenceArea(float(grid.x[-best[4]]), float(grid.y[-best[3]]), radius, AUTO)


def _best_of(grid: Grid, rows: slice, columns: slice, read: Reader) -> _Score:
    """Return the best place of a block, whose pixels are forgotten before another one is read."""
    phase, coherence = read(rows, columns)
    valid = np.isfinite(phase)
    # Pixels with phase in all pairs reference all of them to the same ground.
    complete = _around(np.where(valid.all(axis=0), 1.0, 0.0))
    share = _around(valid.sum(axis=0) / valid.shape[0])
    if coherence is None:
        down = np.arange(rows.start, rows.stop)[:, np.newaxis] - grid.height / 2
        across = np.arange(columns.start, columns.stop) - grid.width / 2
        quality = -np.hypot(down, across)
    else:
        total = np.zeros(share.shape)
        # One by one, as a copy of all of them would take as much memory again.
        for pair in coherence:
            total += np.nan_to_num(pair)
        quality = _around(total / len(coherence))
    row, column = np.unravel_index(
        np.lexsort([item.ravel() for item in (quality, share, complete)])[-1], share.shape
    )
    known, part, coherent = (float(item[row, column]) for item in (complete, share, quality))
    return known, part, coherent, -(rows.start + int(row)), -(columns.start + int(column))


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the window around each pixel."""
    side = 2 * _WINDOW + 1
    padded = np.pad(values, _WINDOW, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return windows.mean(axis=(-2, -1)).round(9)
