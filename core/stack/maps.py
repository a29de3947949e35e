"""The pass that reads products map by map and fills everything that is chunked by maps."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..blocks import BAND_BYTES, bands, run_blocks
from ..reporter import Reporter, stop_if_canceled
from .dataset import StackLayer
from .source import StackSource

Blocks = list[tuple[slice, slice]]


class Sink(Protocol):
    """A file or group that takes blocks."""

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Write a block of whole chunks."""

    def finish(self, attributes: Mapping[str, Mapping[str, Any]]) -> None:
        """Add attributes known only at the end."""


def write_maps(
    source: StackSource,
    layers: Sequence[StackLayer],
    chunks: tuple[int, int, int],
    sinks: Sequence[Sink],
    static_sinks: Sequence[Sink],
    reporter: Reporter,
) -> dict[str, dict[str, Any]]:
    """Read all products once and write their maps.

    Parameters
    ----------
    source
        Where blocks come from.
    layers
        Layers of the stack.
    chunks
        Steps (1), rows and columns of the sinks' chunks.
    sinks
        Take the layers that change with the steps; may be none.
    static_sinks
        Take the other layers.
    reporter
        Told of progress and asked whether to stop.

    Returns
    -------
    dict
        Attributes of static layers: the largest difference between products.
    """
    blocks = _blocks((source.grid.height, source.grid.width), chunks)
    largest: dict[str, float] = {}
    lock = threading.Lock()

    def write_map(item: StackLayer, number: int) -> None:
        """Write one layer of one step, through one open file."""
        with source.reader(item.layer, number) as reader:
            for rows, columns in blocks:
                stop_if_canceled(reporter)
                if source.touches(number, rows, columns):
                    block = reader.read(rows, columns)[np.newaxis]
                    for sink in sinks:
                        sink.write(item, slice(number, number + 1), rows, columns, block)

    def write_static(item: StackLayer, rows: slice, columns: slice) -> None:
        block, difference = source.read_static(item.layer, rows, columns)
        if difference is not None:
            with lock:
                largest[item.name] = max(difference, largest.get(item.name, 0.0))
        for sink in static_sinks:
            sink.write(item, slice(0, 1), rows, columns, block)

    maps = [
        (item, number)
        for item in layers
        if item.per_step and sinks
        for number in range(len(source.steps))
        if source.has(item.layer, number)
    ]
    static = [(item, *block) for item in layers if not item.per_step for block in blocks]
    tasks = [(write_map, task) for task in maps] + [(write_static, task) for task in static]
    run_blocks(lambda task: task[0](*task[1]), tasks, len(tasks), reporter)
    return {name: {"largest_difference_between_products": value} for name, value in largest.items()}


def _blocks(shape: tuple[int, int], chunks: tuple[int, int, int]) -> Blocks:
    """Cut the grid into blocks of whole chunks, each small enough for one thread."""
    _, chunk_rows, chunk_columns = chunks
    height, width = shape
    columns = list(bands(width, chunk_columns, BAND_BYTES // 4 // chunk_rows))
    rows = bands(height, chunk_rows, BAND_BYTES // 4 // columns[0].stop)
    return [(row, column) for row in rows for column in columns]
