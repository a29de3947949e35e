"""The tiles in which products are warped: the same ones for every block and on every grid."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from ..grid.lattice import Grid

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


class WarpedRaster:
    """An open raster as GDAL warps it onto a grid; to be used by one thread.

    Parameters
    ----------
    missing
        Value of all bands that means no data; None where every value is data.
    outside
        Value of tiles where there is none; None for 0.
    """

    def __init__(
        self,
        source: rasterio.DatasetReader,
        grid: Grid,
        resampling: Resampling,
        missing: float | None,
        outside: float | None,
        dtype: str,
    ) -> None:
        self._above, self._before = _distance_to_tiles(grid)
        height, width = grid.height + self._above, grid.width + self._before
        self._warped = WarpedVRT(
            source,
            crs=grid.crs,
            transform=grid.transform * Affine.translation(-self._before, -self._above),
            width=width + -width % TILE_COLUMNS,
            height=height + -height % TILE_ROWS,
            resampling=resampling,
            src_nodata=missing,
            nodata=outside,
            dtype=dtype,
            tolerance=WARP_TOLERANCE,
            warp_mem_limit=_WARP_MEGABYTES,
            # GDAL would derive them from each block's shape and blur those of which the rotated
            # source window is larger.
            XSCALE="1",
            YSCALE="1",
        )
        # Of each column of tiles the last one that was read in part, with its row.
        self._cut: dict[int, tuple[int, NDArray[Any]]] = {}

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a tile, or a part of one, of all bands; shape (bands, rows, columns)."""
        above = (rows.start + self._above) % TILE_ROWS
        before = (columns.start + self._before) % TILE_COLUMNS
        tile = self._tile(
            rows.start + self._above - above,
            columns.start + self._before - before,
            is_cut=above + rows.stop - rows.start < TILE_ROWS,
        )
        return tile[
            :,
            above : above + rows.stop - rows.start,
            before : before + columns.stop - columns.start,
        ]

    def _tile(self, row: int, column: int, is_cut: bool) -> NDArray[Any]:
        """Return a tile of all bands.

        It is whole, because GDAL interpolates positions from edge to edge of what it is asked for:
        so values are the same for every block and on every grid.
        """
        last, tile = self._cut.pop(column, (None, None))
        if tile is None or last != row:
            tile = self._warped.read(window=Window(column, row, TILE_COLUMNS, TILE_ROWS))
        if is_cut:
            # The next block may begin within it.
            self._cut[column] = row, tile
        return tile

    def close(self) -> None:
        """Close it; the source stays open."""
        self._warped.close()


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
