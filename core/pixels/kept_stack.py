"""Blocks of a stack that was built before, read back while more products are appended to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import UNREADABLE, OutputError
from ..products.layers import SOURCE_FRAME, Layer
from .masks import MASK_NAMES, outside
from .mosaic import is_missing
from .values import missing_block


class BlockReader(Protocol):
    """Reads blocks of layers as they are stored; can be pickled, and used from many threads."""

    def read(self, name: str, steps: slice, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block, shape (steps, rows, columns), or (rows, columns) without steps."""


@dataclass(frozen=True)
class KeptStack:
    """A stack on disk; can be pickled and read from many threads."""

    path: Path  # NetCDF file or Zarr store, for messages
    blocks: BlockReader  # reads its layers
    # Position of its upper left pixel on the grid of the stack that is built.
    row: int
    column: int
    # Size of its grid.
    height: int
    width: int
    variables: frozenset[str]  # names of its variables on y and x
    per_step: frozenset[str]  # those of them that change with its steps

    def open(self, layer: Layer, step: int | None) -> KeptReader:
        """Open a layer of one of its steps, or one without steps (None)."""
        return KeptReader(self, layer, step)

    def open_frame(self, backscatter: Layer, step: int) -> KeptReader:
        """Open the map of the frames of a step; without a map, it has one frame."""
        if SOURCE_FRAME.variable in self.variables:
            return self.open(SOURCE_FRAME, step)
        return _SingleFrame(self, backscatter, step)


class KeptReader:
    """Reads blocks of one layer; to be used as a context manager.

    Values come back as they were written: nothing is converted, referenced or rounded again.
    """

    def __init__(self, stack: KeptStack, layer: Layer, step: int | None) -> None:
        self._stack = stack
        self._layer = layer
        self._step = step

    def __enter__(self) -> KeptReader:
        return self

    def __exit__(self, *exception: object) -> None:
        """Leave nothing open: files are opened for each block."""

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the new grid, shape (rows, columns)."""
        stack, name = self._stack, self._layer.name
        if name in MASK_NAMES:
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            block = np.array(outside(shape)[name])
        else:
            block = missing_block(self._layer, rows, columns)
        if self._step is None and self._layer.variable in stack.per_step:
            return block  # kept with every step: there is no map for all of them
        top, bottom = max(rows.start, stack.row), min(rows.stop, stack.row + stack.height)
        left, right = (
            max(columns.start, stack.column),
            min(columns.stop, stack.column + stack.width),
        )
        if top < bottom and left < right:
            there = (
                slice(top - stack.row, bottom - stack.row),
                slice(left - stack.column, right - stack.column),
            )
            step = slice(self._step or 0, (self._step or 0) + 1)
            try:
                stored = stack.blocks.read(self._layer.variable, step, *there)
            except UNREADABLE as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise OutputError(
                    f"{stack.path} is damaged: a part of it cannot be read ({reason}); append to a "
                    "copy that is whole, or build the stack anew."
                ) from error
            block[
                top - rows.start : bottom - rows.start,
                left - columns.start : right - columns.start,
            ] = stored[0] if stored.ndim > 2 else stored
        return block


class _SingleFrame(KeptReader):
    """Reads the map of frames where there is one frame: it is where a layer has data."""

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the new grid, shape (rows, columns)."""
        block = missing_block(SOURCE_FRAME, rows, columns)
        block[~is_missing(super().read(rows, columns), self._layer)] = 0
        return block
