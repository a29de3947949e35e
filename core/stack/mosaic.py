"""Puts one map together from the maps of several products."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..grid.reading import TILE_COLUMNS, TILE_ROWS, distance_to_tiles
from ..products.layers import Layer, LayerKind
from .values import missing_block


class Mosaic:
    """A block that is put together from several products, and how far they differ."""

    def __init__(self, layer: Layer, rows: slice, columns: slice) -> None:
        self._layer = layer
        self._rows = rows
        self._columns = columns
        self.values = missing_block(layer, rows, columns)
        self.difference: float | None = None

    def _part(self, rows: slice, columns: slice) -> NDArray[Any]:
        return self.values[
            rows.start - self._rows.start : rows.stop - self._rows.start,
            columns.start - self._columns.start : columns.stop - self._columns.start,
        ]

    def has_gaps(self, rows: slice, columns: slice) -> bool:
        """Tell whether pixels are missing in a part of the block."""
        return bool(is_missing(self._part(rows, columns), self._layer).any())

    def add(self, block: NDArray[Any], rows: slice, columns: slice) -> None:
        """Compare a part with what is there, and fill its gaps."""
        part = self._part(rows, columns)
        difference = _largest_difference(part, block, self._layer)
        if difference is not None:
            self.difference = max(difference, self.difference or 0.0)
        np.copyto(part, block, where=is_missing(part, self._layer))


def warp_tiles(grid: Grid, rows: slice, columns: slice) -> Iterator[tuple[slice, slice]]:
    """Cut a block of a grid along the lines of the tiles in which products are warped."""
    above, before = distance_to_tiles(grid)
    first_row = rows.start - (rows.start + above) % TILE_ROWS
    first_column = columns.start - (columns.start + before) % TILE_COLUMNS
    for row in range(first_row, rows.stop, TILE_ROWS):
        for column in range(first_column, columns.stop, TILE_COLUMNS):
            yield (
                slice(max(row, rows.start), min(row + TILE_ROWS, rows.stop)),
                slice(max(column, columns.start), min(column + TILE_COLUMNS, columns.stop)),
            )


def is_missing(values: NDArray[Any], layer: Layer) -> NDArray[np.bool_]:
    """Return where a block of the stack has no data."""
    return values == layer.fill if layer.is_mask else np.isnan(values)


def _largest_difference(one: NDArray[Any], other: NDArray[Any], layer: Layer) -> float | None:
    if layer.is_mask:
        both = (one != layer.fill) & (other != layer.fill)
        if not both.any():
            return None
        return float(np.abs(one[both].astype("int16") - other[both].astype("int16")).max())
    difference = np.abs(one - other)
    if layer.kind is LayerKind.CYCLIC:
        np.minimum(difference, np.float32(2.0 * math.pi) - difference, out=difference)
    largest = np.fmax.reduce(difference, axis=None)
    return None if np.isnan(largest) else float(largest)
