"""A layer of a stack as xarray's lazy array: read from the products when it is indexed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from xarray.backends import BackendArray
from xarray.core import indexing

from ..pixels.source import StackSource
from ..pixels.static_layers import StaticReader
from .stack_layer import StackLayer


class LazyLayer(BackendArray):
    """What a stack is going to hold of one layer.

    Attributes
    ----------
    shape
        (steps, rows, columns), or (rows, columns) of a layer without steps.
    dtype
        Type on disk.
    """

    def __init__(self, source: StackSource, item: StackLayer) -> None:
        self._source = source
        self._item = item
        grid = source.grid
        steps = (len(source.steps),) if item.per_step else ()
        self.shape = (*steps, grid.height, grid.width)
        self.dtype = np.dtype(item.layer.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read what xarray asks for."""
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._read
        )

    def _read(self, key: tuple[int | slice, ...]) -> NDArray[Any]:
        """Read a block; xarray gives numbers and slices with positive steps."""
        parts = [slice(part, part + 1) if isinstance(part, int) else part for part in key]
        ranges = [range(size)[part] for part, size in zip(parts, self.shape, strict=True)]
        rows, columns = (slice(part.start, max(part.start, part.stop)) for part in ranges[-2:])
        source, layer = self._source, self._item.layer
        if not all(ranges):
            block = np.empty([len(part) for part in ranges], self.dtype)
        elif self._item.per_step:
            maps = [source.read(layer, step, rows, columns) for step in ranges[0]]
            block = np.stack(maps)[:, :: ranges[1].step, :: ranges[2].step]
        else:
            whole = StaticReader(source, compares=False).read(layer, rows, columns)[0]
            block = whole[:: ranges[0].step, :: ranges[1].step]
        return block[tuple(0 if isinstance(part, int) else slice(None) for part in key)]
