"""Warps layers of one product with GDAL, tile by tile, those of one method at once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ..grid.lattice import Grid
from ..inputs.raster_grid import Raster
from .bands import Band, joined_bands
from .reach import Reach

WARP_TOLERANCE = 0.001
"""Largest error of GDAL's interpolated transformation, in pixels.

GDAL's default of 0.125 biases positions by 0.025 pixels between neighboring UTM zones; with 0.001
the bias measures 0.0004 pixels. ``WarpedVRT`` refuses 0.
"""

_WARP_MEGABYTES = 64

TILE_ROWS, TILE_COLUMNS = 144, 528
"""Size of the tiles that are warped.

Just more than the blocks of GDAL's warped rasters (128 x 512): windows that exceed these in both
directions are warped directly, all bands at once and nothing else.
"""

_FEW_TILES = 4
"""So many tiles are warped in less time than it takes to know which of them have data."""


class Warp:
    """Bands of one product that GDAL warps at once.

    Their positions are computed once for all. A block is warped when its first band is read; the
    others are kept until they are read, too. To be used by one thread.

    Parameters
    ----------
    raster
        Position of the bands.
    resampling
        Method.
    missing
        Value of the bands that means no data; None where every value is data.
    outside
        Value where there is none.
    """

    def __init__(
        self,
        raster: Raster,
        grid: Grid,
        resampling: Resampling,
        missing: float | None,
        outside: float,
        dtype: str,
    ) -> None:
        self._raster = raster
        self._grid = grid
        self._resampling = resampling
        self._missing = missing
        self._outside = outside
        self._dtype = dtype
        self._bands: list[Band] = []
        self._files = ExitStack()
        self._opened: dict[tuple[int, ...], WarpedVRT] = {}
        self._block: tuple[slice, slice] | None = None
        self._kept: dict[int, NDArray[Any]] = {}
        self._above, self._before = _distance_to_tiles(grid)

    @property
    def settings(self) -> tuple[object, ...]:
        """What bands that are warped at once agree in."""
        # As text, because NaN differs from itself.
        return (self._resampling, str(self._missing), str(self._outside), self._dtype)

    def join(self, band: Band) -> int:
        """Add a band, before anything is read; returns its number."""
        self._bands.append(band)
        return len(self._bands) - 1

    def close(self) -> None:
        """Close what was opened for warping; the files of the bands stay open."""
        self._files.close()

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

    def reach(self, rows: slice, columns: slice) -> Reach:
        """Return where in a block any of the bands may have data."""
        return self._reach(self._bands, rows, columns)

    def _reach(self, bands: Sequence[Band], rows: slice, columns: slice) -> Reach:
        held = [(band.file, band.missing) for band in bands]
        return Reach(held, self._raster, self._grid, rows, columns)

    def _warp(self, numbers: Sequence[int], rows: slice, columns: slice) -> dict[int, NDArray[Any]]:
        """Return a block of each of some bands."""
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        blocks: dict[int, NDArray[Any]] = {
            number: np.empty(shape, self._dtype) for number in numbers
        }
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
                block[_within(rows, tile[0]), _within(columns, tile[1])] = self._outside
        # Where only one of several bands lacks a pixel, GDAL fills it from the neighbors.
        is_nearest = self._resampling is Resampling.nearest
        for places in [range(len(numbers))] if is_nearest else reach.alike:
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
            # The whole tile: GDAL interpolates positions from edge to edge of what it is asked for,
            # so that values are the same for every block and on every grid.
            above = (down.start + self._above) % TILE_ROWS
            before = (across.start + self._before) % TILE_COLUMNS
            window = Window(
                across.start + self._before - before,
                down.start + self._above - above,
                TILE_COLUMNS,
                TILE_ROWS,
            )
            values = warped.read(window=window)
            for number, value in zip(numbers, values, strict=True):
                blocks[number][_within(rows, down), _within(columns, across)] = value[
                    above : above + down.stop - down.start,
                    before : before + across.stop - across.start,
                ]

    def _open(self, numbers: tuple[int, ...]) -> WarpedVRT:
        """Open some of the bands for warping, once for all blocks."""
        if numbers in self._opened:
            return self._opened[numbers]
        source = self._files.enter_context(
            rasterio.open(joined_bands([self._bands[number] for number in numbers]))
        )
        grid = self._grid
        height, width = grid.height + self._above, grid.width + self._before
        warped = WarpedVRT(
            source,
            crs=grid.crs,
            transform=grid.transform * Affine.translation(-self._before, -self._above),
            width=width + -width % TILE_COLUMNS,
            height=height + -height % TILE_ROWS,
            resampling=self._resampling,
            src_nodata=self._missing,
            nodata=self._outside,
            dtype=self._dtype,
            tolerance=WARP_TOLERANCE,
            warp_mem_limit=_WARP_MEGABYTES,
            # GDAL would derive them from each block's shape and blur those of which the rotated
            # source window is larger.
            XSCALE="1",
            YSCALE="1",
            **_nodata_of_each_band(numbers, self._resampling),
        )
        self._opened[numbers] = self._files.enter_context(warped)
        return warped


class Warps:
    """The warps of layers that are open together; to be used as a context manager."""

    def __init__(self) -> None:
        self._warps: dict[tuple[object, ...], Warp] = {}

    def shared(self, product: str, warp: Warp) -> Warp:
        """Return the first warp of a product with the settings of this one."""
        return self._warps.setdefault((product, *warp.settings), warp)

    def __enter__(self) -> Warps:
        return self

    def __exit__(self, *exception: object) -> None:
        for warp in self._warps.values():
            warp.close()


def _nodata_of_each_band(numbers: Sequence[int], resampling: Resampling) -> dict[str, str]:
    """Return GDAL's option that keeps missing pixels of several bands apart.

    For one band it would let data grow by half a pixel at their edges, with methods other than
    nearest.
    """
    several = len(numbers) > 1 and resampling is Resampling.nearest
    return {"UNIFIED_SRC_NODATA": "NO"} if several else {}


def _within(outer: slice, inner: slice) -> slice:
    return slice(inner.start - outer.start, inner.stop - outer.start)


def warp_tiles(grid: Grid, rows: slice, columns: slice) -> Iterator[tuple[slice, slice]]:
    """Cut a block of a grid along the lines of the tiles in which products are warped."""
    above, before = _distance_to_tiles(grid)
    first_row = rows.start - (rows.start + above) % TILE_ROWS
    first_column = columns.start - (columns.start + before) % TILE_COLUMNS
    for row in range(first_row, rows.stop, TILE_ROWS):
        for column in range(first_column, columns.stop, TILE_COLUMNS):
            yield (
                slice(max(row, rows.start), min(row + TILE_ROWS, rows.stop)),
                slice(max(column, columns.start), min(column + TILE_COLUMNS, columns.stop)),
            )


def tile_position(grid: Grid, rows: slice, columns: slice) -> tuple[int, int]:
    """Return how many tiles lie above and left of a tile, or of that of which it is a part."""
    above, before = _distance_to_tiles(grid)
    return (rows.start + above) // TILE_ROWS, (columns.start + before) // TILE_COLUMNS


def _distance_to_tiles(grid: Grid) -> tuple[int, int]:
    """Return how many rows and columns before those of the grid its first tile begins.

    Tiles are counted from the origin of the CRS. A quarter of a pixel keeps clear of rounding, for
    lattices begin at whole or half pixels.
    """
    row = math.floor(-grid.top / grid.spacing + 0.25)
    column = math.floor(grid.left / grid.spacing + 0.25)
    return row % TILE_ROWS, column % TILE_COLUMNS
