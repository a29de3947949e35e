"""The pass that puts whole series of pixels together and fills the temporal group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import bands, run_blocks
from ..reporter import Reporter, step
from .dataset import StackLayer
from .source import StackSource
from .survey import Survey
from .zarr_store import ZarrGroup

_TILE_BYTES = 128_000_000
"""Largest block of whole series that is put together in memory."""

_GATHERING = 60.0
"""Share of a tile's time that reading takes, in percent."""


def write_series(
    source: StackSource,
    layers: Sequence[StackLayer],
    chunks: tuple[int, int, int],
    temporal: ZarrGroup,
    spatial: ZarrGroup | None,
    survey: Survey,
    reporter: Reporter,
) -> None:
    """Write the layers that change with the steps, chunked by whole series.

    Parameters
    ----------
    source
        Where blocks come from when there is no spatial group.
    layers
        Layers of the stack.
    chunks
        Steps (all), rows and columns of a chunk.
    temporal
        Group to fill.
    spatial
        Group that holds the same maps, already warped and masked, so that the products need not be
        read and warped again.
    survey
        Learns from the layers where there is no such group.
    reporter
        Told of progress and asked whether to stop.
    """
    steps = len(source.steps)
    shape = (source.grid.height, source.grid.width)
    tiles = [
        (item, rows, columns)
        for item in layers
        if item.per_step
        for rows, columns in _tiles(item, steps, shape, chunks)
    ]
    for number, (item, rows, columns) in enumerate(tiles):
        begin, end = (100.0 * part / len(tiles) for part in (number, number + 1))
        with step(reporter, begin, end) as current:
            tile = _gather(source, spatial, item, rows, columns, survey, current)
            _scatter(temporal, item, rows, columns, chunks, tile, current)


def _gather(
    source: StackSource,
    spatial: ZarrGroup | None,
    item: StackLayer,
    rows: slice,
    columns: slice,
    survey: Survey,
    reporter: Reporter,
) -> NDArray[Any]:
    """Read a tile of all steps, each step in a thread."""
    steps = len(source.steps)
    shape = (steps, rows.stop - rows.start, columns.stop - columns.start)
    tile: NDArray[Any] = np.empty(shape, item.layer.dtype)

    def read(number: int) -> None:
        if spatial is not None:
            tile[number] = spatial.read(item, slice(number, number + 1), rows, columns)[0]
        else:
            tile[number] = source.read(item.layer, number, rows, columns)
            survey.add(item.layer, number, rows, columns, tile[number])

    with step(reporter, 0.0, _GATHERING) as reading:
        run_blocks(read, range(steps), steps, reading)
    return tile


def _scatter(
    temporal: ZarrGroup,
    item: StackLayer,
    rows: slice,
    columns: slice,
    chunks: tuple[int, int, int],
    tile: NDArray[Any],
    reporter: Reporter,
) -> None:
    """Write a tile, each chunk in a thread."""
    steps, height, width = tile.shape
    parts = [
        (row, column)
        for row in bands(height, chunks[1], chunks[1])
        for column in bands(width, chunks[2], chunks[2])
    ]

    def write(part: tuple[slice, slice]) -> None:
        row, column = part
        temporal.write(
            item,
            slice(0, steps),
            slice(rows.start + row.start, rows.start + row.stop),
            slice(columns.start + column.start, columns.start + column.stop),
            tile[:, row, column],
        )

    with step(reporter, _GATHERING, 100.0) as writing:
        run_blocks(write, parts, len(parts), writing)


def _tiles(
    item: StackLayer, steps: int, shape: tuple[int, int], chunks: tuple[int, int, int]
) -> Iterator[tuple[slice, slice]]:
    """Cut the grid into blocks of whole chunks whose series fit into memory."""
    height, width = shape
    _, chunk_rows, chunk_columns = chunks
    pixels = _TILE_BYTES // (np.dtype(item.layer.dtype).itemsize * steps)
    columns = list(bands(width, chunk_columns, max(chunk_columns, pixels // chunk_rows)))
    for rows in bands(height, chunk_rows, max(chunk_rows, pixels // columns[0].stop)):
        for column in columns:
            yield rows, column
