"""Blocks of a stack that was built before, read back while more products are appended to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from numpy.typing import NDArray

from ..errors import UNREADABLE, OutputError
from ..products.layers import SOURCE_FRAME, Layer
from .masks import MASK_NAMES, outside
from .mosaic import is_missing
from .values import missing_block


@dataclass(frozen=True)
class StoredStack:
    """A stack on disk; can be pickled and read from many threads.

    Parameters
    ----------
    path
        NetCDF file or Zarr store.
    group
        Group of the store; None for a NetCDF file.
    row, column
        Position of its upper left pixel on the grid of the stack that is built.
    height, width
        Size of its grid.
    maps
        Names of its variables on y and x.
    """

    path: Path
    group: str | None
    row: int
    column: int
    height: int
    width: int
    maps: frozenset[str]

    def open(self, layer: Layer, step: int | None) -> StoredReader:
        """Open a layer of one of its steps, or one without steps (None)."""
        return StoredReader(self, layer, step)

    def open_frame(self, backscatter: Layer, step: int) -> StoredReader:
        """Open the map of the frames of a step; without a map, it has one frame."""
        if SOURCE_FRAME.variable in self.maps:
            return self.open(SOURCE_FRAME, step)
        return _SingleFrame(self, backscatter, step)


class StoredReader:
    """Reads blocks of one layer; to be used as a context manager.

    Values come back as they were written: nothing is converted, referred or rounded again.
    """

    def __init__(self, stack: StoredStack, layer: Layer, step: int | None) -> None:
        self._stack = stack
        self._layer = layer
        self._step = step
        self._files = ExitStack()
        self._array: Any
        with _in_words(stack.path):
            if stack.group is None:
                file = self._files.enter_context(h5py.File(stack.path, "r", locking=False))
                self._array = file[layer.variable]
            else:
                path = f"{stack.group}/{layer.variable}"
                self._array = zarr.open_array(stack.path, path=path, mode="r")

    def __enter__(self) -> StoredReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._files.close()

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the new grid, shape (rows, columns)."""
        stack, name = self._stack, self._layer.name
        if name in MASK_NAMES:
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            block = np.array(outside(shape)[name])
        else:
            block = missing_block(self._layer, rows, columns)
        if self._step is None and self._array.ndim > 2:
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
            step = () if self._step is None else (self._step,)
            with _in_words(stack.path):
                block[
                    top - rows.start : bottom - rows.start,
                    left - columns.start : right - columns.start,
                ] = self._array[(*step, *there)]
        return block


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Name the stack where a part of it cannot be read."""
    try:
        yield
    except UNREADABLE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise OutputError(
            f"{path} is damaged: a part of it cannot be read ({reason}); append to a copy that is "
            "whole, or build the stack anew."
        ) from error


class _SingleFrame(StoredReader):
    """Reads the map of frames where there is one frame: it is where a layer has data."""

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the new grid, shape (rows, columns)."""
        block = missing_block(SOURCE_FRAME, rows, columns)
        block[~is_missing(super().read(rows, columns), self._layer)] = 0
        return block
