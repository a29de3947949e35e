"""Warps layers of one product, those of one method at once."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError

from ..grid.lattice import Grid
from ..inputs.raster_grid import Raster
from .bands import Band, joined_bands, opened_positions
from .reach import Reach
from .tiles import WarpedRaster, warp_tiles

_FEW_TILES = 4
"""So many tiles are warped in less time than it takes to know which of them have data."""


class Warp(ABC):
    """Bands of one product that are warped at once; to be used by one thread.

    Parameters
    ----------
    raster
        Position of the bands.
    """

    def __init__(self, raster: Raster, grid: Grid) -> None:
        self._raster = raster
        self._grid = grid
        self._bands: list[Band] = []
        self._files = ExitStack()

    def join(self, band: Band) -> int:
        """Add a band, before anything is read; returns its number."""
        self._bands.append(band)
        return len(self._bands) - 1

    @abstractmethod
    def read(self, number: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of a band on the grid, shape (rows, columns)."""

    def reach(self, rows: slice, columns: slice) -> Reach:
        """Return where in a block any of the bands may have data."""
        return self._reach(self._bands, rows, columns)

    def close(self) -> None:
        """Close what was opened for warping; the files of the bands stay open."""
        self._files.close()

    def _reach(self, bands: Sequence[Band], rows: slice, columns: slice) -> Reach:
        held = [(band.file, band.missing) for band in bands]
        return Reach(held, self._raster, self._grid, rows, columns)


class Nearest(Warp):
    """Bands of which each pixel of the grid takes the nearest one, as it is stored.

    GDAL says once for all bands which one that is: it warps the numbers of rows and columns.
    """

    def __init__(self, raster: Raster, grid: Grid) -> None:
        super().__init__(raster, grid)
        self._positions: WarpedRaster | None = None
        self._block: tuple[slice, slice] | None = None
        self._strips: list[_Strip] = []
        self._unread: set[int] = set()

    def read(self, number: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of a band on the grid, shape (rows, columns)."""
        if self._block != (rows, columns) or number not in self._unread:
            self._strips = self._look_up(rows, columns)
            self._block, self._unread = (rows, columns), set(range(len(self._bands)))
        band = self._bands[number]
        band.file.unpack()
        block = np.empty((rows.stop - rows.start, columns.stop - columns.start), band.dtype)
        for strip in self._strips:
            strip.read(band, block[_within(rows, strip.lines)])
        self._unread.remove(number)
        if not self._unread:
            self._strips = []
        return block

    def _look_up(self, rows: slice, columns: slice) -> list[_Strip]:
        """Find the nearest pixels for a block, which takes most of the time."""
        if self._positions is None:
            source = self._files.enter_context(opened_positions(self._raster))
            positions = WarpedRaster(
                source, self._grid, Resampling.nearest, None, None, source.dtypes[0]
            )
            self._positions = self._files.enter_context(closing(positions))
        tiles = warp_tiles(self._grid, rows, columns)
        return [
            _strip(lines, [self._positions.read(*tile) for tile in row])
            for lines, row in itertools.groupby(tiles, key=lambda tile: tile[0])
        ]


@dataclass(frozen=True)
class _Strip:
    """The nearest pixels of a row of tiles."""

    lines: slice  # rows of the grid
    # The part of the raster that the pixels are in.
    rows: slice
    columns: slice
    # Where they are in that part, counted row by row; -1 outside the raster.
    places: NDArray[np.int32]

    def read(self, band: Band, out: NDArray[Any]) -> None:
        """Read the pixels of a band."""
        height, width = self.rows.stop - self.rows.start, self.columns.stop - self.columns.start
        # One more than there are, which -1 leads to.
        values = np.empty(height * width + 1, band.dtype)
        values[-1] = band.outside
        part = values[:-1].reshape(height, width)
        if part.size:
            band.file.read(self.rows, self.columns, part)
            band.missing.replace(part, band.outside)
        np.take(values, self.places, out=out, mode="wrap")


def _strip(lines: slice, tiles: Iterable[NDArray[Any]]) -> _Strip:
    """Return the strip of tiles of positions, which are counted from 1, with 0 outside."""
    row, column = np.concatenate(list(tiles), axis=2)
    rows, columns = _span(row), _span(column)
    width = columns.stop - columns.start
    places = np.multiply(row - (rows.start + 1), width, dtype="int32")
    places += column
    places -= columns.start + 1
    np.copyto(places, -1, where=row == 0)
    return _Strip(lines, rows, columns, places)


def _span(numbers: NDArray[Any]) -> slice:
    last = int(numbers.max())
    first = int(numbers.min(initial=last, where=numbers > 0))
    return slice(max(first, 1) - 1, last)


class Interpolated(Warp):
    """Bands that GDAL interpolates. Those that are warped at once share all settings.

    A block is warped when its first band is read; the others are kept until they are read, too.
    """

    def __init__(self, raster: Raster, grid: Grid, resampling: Resampling) -> None:
        super().__init__(raster, grid)
        self._resampling = resampling
        self._opened: dict[tuple[int, ...], WarpedRaster] = {}
        self._block: tuple[slice, slice] | None = None
        self._kept: dict[int, NDArray[Any]] = {}

    def read(self, number: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of a band on the grid, shape (rows, columns)."""
        if self._block != (rows, columns) or number not in self._kept:
            self._block = (rows, columns)
            try:
                self._kept = self._warp(range(len(self._bands)), rows, columns)
            except (RasterioError, OSError):
                # Another band may be the damaged one, which is reported when that is read.
                self._kept = self._warp([number], rows, columns)
        return self._kept.pop(number)

    def _warp(self, numbers: Sequence[int], rows: slice, columns: slice) -> dict[int, NDArray[Any]]:
        """Return a block of each of some bands."""
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        _, outside, dtype = self._bands[0].settings
        blocks: dict[int, NDArray[Any]] = {number: np.empty(shape, dtype) for number in numbers}
        tiles = list(warp_tiles(self._grid, rows, columns))
        if len(tiles) <= _FEW_TILES and len(numbers) == 1:
            self._fill(blocks, numbers, tiles, rows, columns)
            return blocks
        reach = self._reach([self._bands[number] for number in numbers], rows, columns)
        reached = []
        for tile in tiles:
            if reach.touches(*tile):
                reached.append(tile)
                continue
            for block in blocks.values():
                block[_within(rows, tile[0]), _within(columns, tile[1])] = outside
        # Where only one of several bands lacks a pixel, GDAL fills it from the neighbors.
        for places in reach.alike:
            self._fill(blocks, [numbers[place] for place in places], reached, rows, columns)
        return blocks

    def _fill(
        self,
        blocks: dict[int, NDArray[Any]],
        numbers: Sequence[int],
        tiles: list[tuple[slice, slice]],
        rows: slice,
        columns: slice,
    ) -> None:
        """Warp tiles of some bands into their blocks, which begin at ``rows`` and ``columns``."""
        warped = self._open(tuple(numbers))
        for down, across in tiles:
            for number, value in zip(numbers, warped.read(down, across), strict=True):
                blocks[number][_within(rows, down), _within(columns, across)] = value

    def _open(self, numbers: tuple[int, ...]) -> WarpedRaster:
        """Open some of the bands for warping, once for all blocks."""
        if numbers in self._opened:
            return self._opened[numbers]
        bands = [self._bands[number] for number in numbers]
        source = self._files.enter_context(rasterio.open(joined_bands(bands)))
        missing, outside, dtype = bands[0].settings
        warped = WarpedRaster(source, self._grid, self._resampling, missing, outside, dtype)
        self._opened[numbers] = self._files.enter_context(closing(warped))
        return warped


class Warps:
    """The warps of layers that are open together; to be used as a context manager."""

    def __init__(self) -> None:
        self._warps: dict[tuple[object, ...], Warp] = {}

    def of(
        self, product: str, raster: Raster, grid: Grid, resampling: Resampling, band: Band
    ) -> Warp:
        """Return the warp that a band of a product is to join."""
        if resampling is Resampling.nearest:
            return self._warps.setdefault((product,), Nearest(raster, grid))
        # As text, because NaN differs from itself.
        key = (product, resampling, *map(str, band.settings))
        return self._warps.setdefault(key, Interpolated(raster, grid, resampling))

    def __enter__(self) -> Warps:
        return self

    def __exit__(self, *exception: object) -> None:
        for warp in self._warps.values():
            warp.close()


def _within(outer: slice, inner: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)
