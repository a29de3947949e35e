"""The pass that reads products map by map and fills everything that is chunked by maps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..blocks import BAND_BYTES, bands, run_blocks
from ..reporter import Reporter, stop_if_canceled
from .dataset import StackLayer
from .masks import MASK_NAMES, Classifier, outside
from .source import StackSource
from .survey import Survey

Blocks = list[tuple[slice, slice]]


class Sink(Protocol):
    """A file or group that takes blocks."""

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Write a block of whole chunks."""

    def finish(
        self,
        attributes: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, NDArray[Any]],
        stack_attributes: Mapping[str, Any],
    ) -> None:
        """Add attributes, values of small variables and stack attributes known only at the end."""


def write_maps(
    source: StackSource,
    layers: Sequence[StackLayer],
    chunks: tuple[int, int, int],
    sinks: Sequence[Sink],
    static_sinks: Sequence[Sink],
    survey: Survey,
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
    survey
        Learns from the layers that change with the steps.
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
                    block = reader.read(rows, columns)
                    survey.add(item.layer, number, rows, columns, block)
                    write_block(item, number, rows, columns, block)

    def write_block(
        item: StackLayer, number: int, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        for sink in sinks:
            sink.write(item, slice(number, number + 1), rows, columns, block[np.newaxis])

    def write_masked(masks: Sequence[StackLayer], number: int) -> None:
        """Write the masks of one step, and those layers that they are made from."""
        with ExitStack() as files:
            readers = [
                (layer, files.enter_context(source.reader(layer, number)))
                for layer in source.mask_inputs
                if source.has(layer, number)
            ]
            for rows, columns in blocks:
                stop_if_canceled(reporter)
                shape = (rows.stop - rows.start, columns.stop - columns.start)
                made = outside(shape)
                if source.touches(number, rows, columns):
                    classifier = Classifier(shape)
                    for layer, opened in readers:
                        block = opened.read(rows, columns)
                        classifier.add(layer, block)
                        item = per_step.get(layer.name)
                        if item is not None:
                            survey.add(layer, number, rows, columns, block)
                            write_block(item, number, rows, columns, block)
                    made = classifier.masks()
                for mask in masks:
                    write_block(mask, number, rows, columns, made[mask.layer.name])

    def write_static(item: StackLayer, rows: slice, columns: slice) -> None:
        block, difference = source.read_static(item.layer, rows, columns)
        if difference is not None:
            with lock:
                largest[item.name] = max(difference, largest.get(item.name, 0.0))
        for sink in static_sinks:
            sink.write(item, slice(0, 1), rows, columns, block)

    per_step = {item.layer.name: item for item in layers if item.per_step}
    masks = [item for name, item in per_step.items() if name in MASK_NAMES]
    with_masks = {layer.name for layer in source.mask_inputs} if masks else set()
    steps = range(len(source.steps)) if sinks else range(0)
    tasks: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
    # The longest tasks first, so that no thread is left with one at the end.
    tasks += [(write_masked, (masks, number)) for number in steps if masks]
    tasks += [
        (write_map, (item, number))
        for name, item in per_step.items()
        if name not in with_masks and name not in MASK_NAMES
        for number in steps
        if source.has(item.layer, number)
    ]
    tasks += [
        (write_static, (item, *block)) for item in layers if not item.per_step for block in blocks
    ]
    run_blocks(lambda task: task[0](*task[1]), tasks, len(tasks), reporter)
    return {name: {"largest_difference_between_products": value} for name, value in largest.items()}


def _blocks(shape: tuple[int, int], chunks: tuple[int, int, int]) -> Blocks:
    """Cut the grid into blocks of whole chunks, each small enough for one thread."""
    _, chunk_rows, chunk_columns = chunks
    height, width = shape
    columns = list(bands(width, chunk_columns, BAND_BYTES // 4 // chunk_rows))
    rows = bands(height, chunk_rows, BAND_BYTES // 4 // columns[0].stop)
    return [(row, column) for row in rows for column in columns]
