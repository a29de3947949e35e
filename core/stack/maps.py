"""The pieces that read products map by map and fill everything that is chunked by maps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..blocks import whole_blocks
from ..products.layers import Layer
from ..reporter import Reporter, stop_if_canceled
from .dataset import StackLayer
from .masks import MASK_NAMES, Classifier, outside
from .pieces import Learned, Piece, Targets
from .source import StepReader
from .stored import StoredReader


def map_pieces(targets: Targets) -> list[Piece]:
    """Return the pieces that read all products once and write their maps.

    The longest pieces come first, so that no thread is left with one at the end.
    """
    source = targets.source
    per_step = [item for item in targets.layers if item.per_step]
    masks = tuple(item for item in per_step if item.layer.name in MASK_NAMES)
    with_masks = {layer.name for layer in source.mask_inputs} if masks else set()
    steps = range(len(source.steps)) if targets.map_sinks else range(0)
    pieces: list[Piece] = [
        _MaskPiece(masks, number) for number in steps if masks and not source.is_stored(number)
    ]
    pieces += [
        _MapPiece(item, number)
        for item in per_step
        for number in steps
        # A stored step has its masks; else those layers are read where masks are made from them.
        if source.is_stored(number) or (item.layer.name not in with_masks and item not in masks)
        if source.has(item.layer, number)
    ]
    pieces += [
        _StaticPiece(item, rows, columns)
        for item in targets.layers
        if not item.per_step
        for rows, columns in _blocks(targets)
    ]
    return pieces


@dataclass(frozen=True)
class _MapPiece:
    """One layer of one step, read through one open file."""

    item: StackLayer
    number: int

    @property
    def key(self) -> str:
        return f"map {self.item.name} {self.number}"

    def run(self, targets: Targets, reporter: Reporter) -> Learned:
        source, survey = targets.source, targets.survey.fresh()
        with source.reader(self.item.layer, self.number) as reader:
            for rows, columns in _blocks(targets):
                stop_if_canceled(reporter)
                is_mask = self.item.layer.name in MASK_NAMES
                if is_mask or source.touches(self.number, rows, columns):
                    block = reader.read(rows, columns)
                    survey.add(self.item.layer, self.number, rows, columns, block)
                    _write(targets, self.item, self.number, rows, columns, block)
        return Learned(survey)


@dataclass(frozen=True)
class _MaskPiece:
    """The masks of one step, and those layers that they are made from."""

    masks: tuple[StackLayer, ...]
    number: int

    @property
    def key(self) -> str:
        return f"masks {self.number}"

    def run(self, targets: Targets, reporter: Reporter) -> Learned:
        source, survey, number = targets.source, targets.survey.fresh(), self.number
        per_step = {item.layer.name: item for item in targets.layers if item.per_step}
        with ExitStack() as files:
            readers: list[tuple[Layer, StepReader | StoredReader]] = []
            for layer in source.mask_inputs:
                if source.has(layer, number):
                    opened = source.reader(layer, number)
                    files.enter_context(opened)
                    readers.append((layer, opened))
            for rows, columns in _blocks(targets):
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
                            _write(targets, item, number, rows, columns, block)
                    made = classifier.masks()
                for mask in self.masks:
                    _write(targets, mask, number, rows, columns, made[mask.layer.name])
        return Learned(survey)


@dataclass(frozen=True)
class _StaticPiece:
    """A block of a layer without a time dimension."""

    item: StackLayer
    rows: slice
    columns: slice

    @property
    def key(self) -> str:
        return f"static {self.item.name} {self.rows.start} {self.columns.start}"

    def run(self, targets: Targets, reporter: Reporter) -> Learned:
        learned = Learned(targets.survey.fresh())
        rows, columns = self.rows, self.columns
        block, difference = targets.source.read_static(self.item.layer, rows, columns)
        if difference is not None:
            learned.differences[self.item.name] = difference
        for sink in targets.static_sinks:
            sink.write(self.item, slice(0, 1), rows, columns, block)
        return learned


def _write(
    targets: Targets,
    item: StackLayer,
    number: int,
    rows: slice,
    columns: slice,
    block: NDArray[Any],
) -> None:
    for sink in targets.map_sinks:
        sink.write(item, slice(number, number + 1), rows, columns, block[np.newaxis])


def _blocks(targets: Targets) -> Sequence[tuple[slice, slice]]:
    """Cut the grid into blocks of whole chunks, each small enough for one thread."""
    grid = targets.source.grid
    most = targets.budget.band_bytes // 4
    return whole_blocks((grid.height, grid.width), targets.maps[1:], most)
