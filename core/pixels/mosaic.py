"""Puts one map together from the maps of several products."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..machine.blocks import bands, cached_bands
from ..products.layers import Layer, LayerKind
from .values import missing_block


class Mosaic:
    """A block that is put together from several products, and how far they differ.

    Parameters
    ----------
    rows, columns
        Block of the grid.
    rounding
        Largest relative error of values that are rounded; so much of a difference does not count.
    """

    def __init__(self, layer: Layer, rows: slice, columns: slice, rounding: float = 0.0) -> None:
        self.layer = layer
        self._rounding = np.float32(rounding)
        self._rows = rows
        self._columns = columns
        self.values = missing_block(layer, rows, columns)
        self.difference: float | None = None

    def _part(self, rows: slice, columns: slice) -> NDArray[Any]:
        return self.values[
            rows.start - self._rows.start : rows.stop - self._rows.start,
            columns.start - self._columns.start : columns.stop - self._columns.start,
        ]

    def gaps(self, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return where pixels are missing in a part of the block."""
        return is_missing(self._part(rows, columns), self.layer)

    def add_from(
        self, read: Callable[[slice, slice], NDArray[Any]], part_rows: int | None = None
    ) -> None:
        """Add the whole block, of which so many rows are read at once."""
        for rows in bands(len(self.values), 1, part_rows or len(self.values)):
            part = slice(self._rows.start + rows.start, self._rows.start + rows.stop)
            self.add(read(part, self._columns), part, self._columns)

    def add(self, block: NDArray[Any], rows: slice, columns: slice) -> None:
        """Compare a part with what is there, and fill its gaps."""
        whole = self._part(rows, columns)
        for band in cached_bands(block.shape):
            part, added = whole[band], block[band]
            difference = _largest_difference(part, added, self.layer, self._rounding)
            if difference is not None:
                self.difference = max(difference, self.difference or 0.0)
            gaps = is_missing(part, self.layer)
            if gaps.any():
                np.copyto(part, added, where=gaps)


def is_missing(values: NDArray[Any], layer: Layer) -> NDArray[np.bool_]:
    """Return where a block of the stack has no data."""
    return values == layer.fill if layer.is_mask else np.isnan(values)


def _largest_difference(
    one: NDArray[Any], other: NDArray[Any], layer: Layer, rounding: np.float32
) -> float | None:
    if layer.is_mask:
        return _largest_of_classes(one, other, layer)
    difference = one - other
    np.abs(difference, out=difference)
    largest = np.fmax.reduce(difference, axis=None)
    if layer.kind is LayerKind.CYCLIC and largest > math.pi:
        np.minimum(difference, np.float32(2.0 * math.pi) - difference, out=difference)
        largest = np.fmax.reduce(difference, axis=None)
    if rounding:
        difference -= np.abs(one) * rounding
        largest = np.fmax.reduce(np.maximum(difference, 0.0, out=difference), axis=None)
    return None if np.isnan(largest) else float(largest)


def _largest_of_classes(one: NDArray[Any], other: NDArray[Any], layer: Layer) -> float | None:
    # Most often they are the same everywhere.
    if np.array_equal(one, other):
        return 0.0 if (one != layer.fill).any() else None
    both = (one != layer.fill) & (other != layer.fill)
    if not both.any():
        return None
    return float((np.abs(one.astype("int16") - other) * both).max())
