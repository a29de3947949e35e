"""Which pixels of the grid a raster of another zone has data for, found without warping it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from ..grid.lattice import Grid
from ..inputs.raster_grid import Raster
from ..products.nodata import NoData
from .raster_file import RasterFile

_CELL = 32
"""Pixels of the grid between two projected positions; those between are interpolated, which is off
by less than 0.002 pixels."""

_DOUBT = 0.005
"""Pixels of the raster by which a position may be off; data so near count as met."""

_SAMPLE = 16


class Reach:
    """Says whether pixels of a block of the grid may get data from rasters.

    A warped pixel has data where the pixel of the raster has that holds its position. The answer is
    never no where warping gives data. Most products of a path show the same ground, so that after
    the first few no other one has anything for the pixels that are still missing: to know that
    takes a tenth of the time of warping.

    Parameters
    ----------
    held
        Rasters, north up, with the values that mean no data. What any of them holds counts.
    raster
        Their position.
    rows, columns
        The block; both ends given.

    Attributes
    ----------
    alike
        Numbers of the rasters, those together that have data in the same pixels.
    """

    def __init__(
        self,
        held: Sequence[tuple[RasterFile, NoData]],
        raster: Raster,
        grid: Grid,
        rows: slice,
        columns: slice,
    ) -> None:
        self._origin = (rows.start, columns.start)
        self._positions = _positions(
            raster, grid, (rows.start, rows.stop), (columns.start, columns.stop)
        )
        # Between positions on a map of degrees it is not a straight way.
        self._is_known = raster.is_metric and bool(np.isfinite(self._positions).all())
        self.alike: list[list[int]] = []
        if not self._is_known:
            # As beyond the domain of a projection: any pixel may be met, by each raster in its own
            # way.
            self.alike = [[number] for number in range(len(held))]
            return
        size = np.array([raster.height, raster.width])
        begin = np.floor(self._positions.min(axis=(1, 2))) - _CELL
        end = np.ceil(self._positions.max(axis=(1, 2))) + _CELL
        begin = np.clip(begin, 0, size).astype(int)
        end = np.clip(end, begin, size).astype(int)
        self._begin = begin - 1
        window = (slice(int(begin[0]), int(end[0])), slice(int(begin[1]), int(end[1])))
        different: list[NDArray[np.bool_]] = []
        for number, (file, missing) in enumerate(held):
            present = _presence(file, missing, window)
            for group, other in zip(self.alike, different, strict=True):
                if np.array_equal(present, other):
                    group.append(number)
                    break
            else:
                self.alike.append([number])
                different.append(present)
        # With a margin of one pixel that stands for all others.
        self._present = np.pad(np.logical_or.reduce(different), 1)
        self._cells = self._cells_in_reach()

    def _cells_in_reach(self) -> NDArray[np.bool_]:
        """Return which cells of the block have data anywhere in their box in the raster."""
        corners = self._positions
        four = np.stack(
            [corners[:, :-1, :-1], corners[:, :-1, 1:], corners[:, 1:, :-1], corners[:, 1:, 1:]]
        )
        sums = _coarse_sums(self._present)
        limits = (np.array(sums.shape) - 1)[:, None, None]
        begin = self._begin[:, None, None]
        low = np.floor((four.min(axis=0) - 2 - begin) / _CELL)
        high = np.floor((four.max(axis=0) + 2 - begin) / _CELL) + 1
        low, high = (np.clip(bound, 0, limits).astype(int) for bound in (low, high))
        held: NDArray[np.int64] = (
            sums[high[0], high[1]]
            - sums[low[0], high[1]]
            - sums[high[0], low[1]]
            + sums[low[0], low[1]]
        )
        return held > 0

    def touches(self, rows: slice, columns: slice) -> bool:
        """Return whether a pixel of a part of the block may get data; sooner than :meth:`meets`."""
        if not self._is_known:
            return True
        return bool(self._cells[self._among_cells(0, rows), self._among_cells(1, columns)].any())

    def _among_cells(self, axis: int, part: slice) -> slice:
        origin = self._origin[axis]
        return slice((part.start - origin) // _CELL, -((origin - part.stop) // _CELL))

    def meets(self, gaps: NDArray[np.bool_], rows: slice, columns: slice) -> bool:
        """Return whether any of the pixels ``gaps`` of a part of the block may get data."""
        if not self._is_known:
            return True
        cells = self._cells[self._among_cells(0, rows), self._among_cells(1, columns)]
        if not cells.any():
            return False
        above = (rows.start - self._origin[0]) % _CELL
        before = (columns.start - self._origin[1]) % _CELL
        reached = cells.repeat(_CELL, axis=0).repeat(_CELL, axis=1)
        reached = reached[above : above + gaps.shape[0], before : before + gaps.shape[1]]
        row, column = np.nonzero(gaps & reached)
        row += rows.start - self._origin[0]
        column += columns.start - self._origin[1]
        # Most often a few decide; all are asked only where these say no.
        return self._any(row[::_SAMPLE], column[::_SAMPLE]) or self._any(row, column)

    def _any(self, row: NDArray[np.int64], column: NDArray[np.int64]) -> bool:
        down, across = row // _CELL, column // _CELL
        below = ((row % _CELL) + 0.5) / _CELL
        right = ((column % _CELL) + 0.5) / _CELL
        places = []
        for axis in (0, 1):
            lines = self._positions[axis]
            upper = lines[down, across] * (1 - right) + lines[down, across + 1] * right
            lower = lines[down + 1, across] * (1 - right) + lines[down + 1, across + 1] * right
            places.append(upper * (1 - below) + lower * below)
        exact = np.stack(places) - self._begin[:, np.newaxis]
        if self._looks(exact):
            return True
        doubtful = exact[:, (np.abs(exact - np.rint(exact)) < _DOUBT).any(axis=0)]
        return any(
            self._looks(doubtful + np.array([[down], [right]]))
            for down in (-_DOUBT, _DOUBT)
            for right in (-_DOUBT, _DOUBT)
        )

    def _looks(self, places: NDArray[np.float64]) -> bool:
        limits = np.array(self._present.shape)[:, np.newaxis] - 1
        row, column = np.clip(np.floor(places).astype(int), 0, limits)
        return bool(self._present[row, column].any())


# The layers of a product that are warped apart ask for the same ones.
@functools.lru_cache(maxsize=32)
def _positions(
    raster: Raster, grid: Grid, rows: tuple[int, int], columns: tuple[int, int]
) -> NDArray[np.float64]:
    """Return row and column in a raster of every ``_CELL``-th pixel corner of a block.

    Shape (2, cells down + 1, cells across + 1).
    """
    row = np.arange(rows[0], rows[1] + _CELL, _CELL)
    column = np.arange(columns[0], columns[1] + _CELL, _CELL)
    x, y = np.meshgrid(grid.left + column * grid.spacing, grid.top - row * grid.spacing)
    # By the same library as warping, which may know other grids of datum shifts than pyproj's.
    x, y = (
        np.reshape(values, x.shape)
        for values in transform(grid.crs, raster.crs, x.ravel(), y.ravel())
    )
    return np.stack([(raster.top - y) / raster.spacing, (x - raster.left) / raster.spacing])


def _presence(
    file: RasterFile,
    missing: NoData,
    window: tuple[slice, slice],
) -> NDArray[np.bool_]:
    """Return where a part of a raster has data."""
    shape = tuple(part.stop - part.start for part in window)
    if missing.value is None or 0 in shape:
        return np.ones(shape, bool)
    values = np.empty(shape, file.dtype)
    file.read(*window, values)
    absent = missing.where(values)
    return np.logical_not(absent, out=absent)


def _coarse_sums(present: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return sums from the corner over all cells that hold data, with a first row and column of 0.

    Shape (cells down + 1, cells across + 1).
    """
    down, across = (-(-length // _CELL) for length in present.shape)
    padded = np.zeros((down * _CELL, across * _CELL), bool)
    padded[: present.shape[0], : present.shape[1]] = present
    held = padded.reshape(down, _CELL, -1).any(axis=1).reshape(down, across, _CELL).any(axis=2)
    return np.pad(held.astype(int).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
