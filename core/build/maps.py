"""The pieces that read products map by map and fill everything that is chunked by maps."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..grid.placement import Treatment
from ..machine.blocks import bands, whole_blocks
from ..pixels.kept_stack import KeptReader
from ..pixels.look_vectors import LOOK_VECTOR_NAMES
from ..pixels.masks import MASK_NAMES, Classifier, outside
from ..pixels.source import StepReader
from ..pixels.static_layers import StaticReader
from ..products.layers import Layer
from ..raster.layer_reader import resampling_of
from ..raster.warping import Warps
from ..run.reporter import Reporter, stop_if_canceled
from ..work.pieces import Piece, PieceResult, Receipts, block_key
from .targets import Targets

_MAPS = "maps"
"""First word of the keys of pieces of one step."""

_COPIES = 5
"""Copies of a block that a thread holds while it reads, warps, masks and compresses it."""


def map_pieces(targets: Targets) -> list[Piece[Targets]]:
    """Return the pieces that read all products once and write their maps.

    The longest pieces come first, so that no thread is left with one at the end: those of several
    layers, and where products are zips those that unpack all of them.
    """
    steps = range(len(targets.source.steps)) if targets.sinks.maps else range(0)
    pieces = [piece for number in steps for piece in _step_pieces(targets, number)]
    pieces.sort(key=lambda piece: len(piece.items), reverse=True)
    static = [
        _StaticPiece(item, rows, columns)
        for item in targets.layers
        if not item.per_step
        for rows, columns in _static_blocks(targets, item.layer)
    ]
    return [*static, *pieces] if _is_zipped(targets) else [*pieces, *static]


def step_of(key: str) -> int | None:
    """Return the number of the step that a piece reads and writes, None if it is not of one."""
    kind, number, *_ = key.split(" ")
    return int(number) if kind == _MAPS else None


def with_number(key: str, number: int) -> str:
    """Return the key of the same piece of another step."""
    kind, _, names = key.split(" ", 2)
    return f"{kind} {number} {names}"


def _step_pieces(targets: Targets, number: int) -> list[_StepPiece]:
    """Divide the layers of a step by what has to be read together.

    Masks are made from several layers, and layers of a warped product are warped at once.
    """
    source = targets.source
    present = [item for item in targets.layers if item.per_step and source.has(item.layer, number)]
    if source.is_kept(number):
        return [_StepPiece(number, (item,)) for item in present]
    masks = tuple(item for item in targets.layers if item.layer.name in MASK_NAMES)
    inputs = {layer.name for layer in source.mask_inputs} if masks else set()
    together: list[StackLayer] = []
    alone: list[StackLayer] = []
    for item in present:
        if item in masks:
            continue
        is_together = item.layer.name in inputs or source.is_warped(number)
        (together if is_together else alone).append(item)
    pieces = [_StepPiece(number, (item,)) for item in alone]
    if together or masks:
        pieces.append(_StepPiece(number, tuple(together), masks))
    return pieces


@dataclass(frozen=True)
class _StepPiece:
    """Layers of one step that are read together, and the masks that are made from them."""

    number: int
    items: tuple[StackLayer, ...]
    masks: tuple[StackLayer, ...] = ()

    @property
    def key(self) -> str:
        names = ",".join(item.name for item in (*self.items, *self.masks))
        return f"{_MAPS} {self.number} {names}"

    def run(self, targets: Targets, reporter: Reporter) -> PieceResult:
        source, survey, number = targets.source, targets.survey.fresh(), self.number
        items = {item.layer.name: item for item in self.items}
        # Some masks are made from layers that the stack holds only once.
        inputs = {layer.name: layer for layer in source.mask_inputs if self.masks}
        layers = inputs | {name: item.layer for name, item in items.items()}
        there = [layer for layer in layers.values() if source.has(layer, number)]
        # Those that are warped at once follow each other: less is held meanwhile.
        there.sort(key=lambda layer: resampling_of(layer, source.options.resampling))
        receipts: Receipts = {}
        # Each product of the step is warped by itself.
        held = len(there) * len(source.steps[number]) if source.is_warped(number) else 1
        blocks, fits = _blocks(targets, held)
        with ExitStack() as files:
            warps = files.enter_context(Warps()) if fits else None
            readers: list[tuple[Layer, StepReader | KeptReader]] = []
            for layer in there:
                opened = source.reader(layer, number, warps)
                files.enter_context(opened)
                readers.append((layer, opened))
            for rows, columns in blocks:
                shape = (rows.stop - rows.start, columns.stop - columns.start)
                classifier = Classifier(shape)
                is_outside = not source.touches(number, rows, columns)
                for layer, reader in readers:
                    stop_if_canceled(reporter)
                    item = items.get(layer.name)
                    if is_outside and not (item and layer.name in MASK_NAMES):
                        continue
                    block = reader.read(rows, columns)
                    if layer.name in inputs:
                        classifier.add(layer, block)
                    if item is not None:
                        survey.add(layer, number, rows, columns, block)
                        receipts |= _write(targets, item, number, rows, columns, block)
                if self.masks:
                    made = outside(shape) if is_outside else classifier.masks()
                    for mask in self.masks:
                        written = made[mask.layer.name]
                        receipts |= _write(targets, mask, number, rows, columns, written)
        return PieceResult(receipts, survey.state())


@dataclass(frozen=True)
class _StaticPiece:
    """A block of a layer without a time dimension."""

    item: StackLayer
    rows: slice
    columns: slice

    @property
    def key(self) -> str:
        return block_key(f"static {self.item.name}", self.rows, self.columns)

    def run(self, targets: Targets, reporter: Reporter) -> PieceResult:
        learned = PieceResult()
        rows, columns = self.rows, self.columns
        height, width = rows.stop - rows.start, columns.stop - columns.start
        part_rows = max(1, targets.budget.band_pixels // width)
        static = StaticReader(targets.source, part_rows=part_rows, reporter=reporter)
        block, difference = static.read(self.item.layer, rows, columns)
        if difference is not None:
            learned.maxima[self.item.name] = difference
        for band in bands(height, targets.maps[1], part_rows):
            stop_if_canceled(reporter)
            part = slice(rows.start + band.start, rows.start + band.stop)
            for sink in targets.static_sinks:
                written = sink.write(self.item, slice(0, 1), part, columns, block[band])
                learned.receipts |= written
        return learned


def _write(
    targets: Targets,
    item: StackLayer,
    number: int,
    rows: slice,
    columns: slice,
    block: NDArray[Any],
) -> Receipts:
    receipts: Receipts = {}
    for sink in targets.sinks.maps:
        receipts |= sink.write(item, slice(number, number + 1), rows, columns, block[np.newaxis])
    return receipts


def _blocks(targets: Targets, together: int = 1) -> tuple[Sequence[tuple[slice, slice]], bool]:
    """Cut the grid into blocks of whole chunks, each small enough for one thread.

    Parameters
    ----------
    targets
        Gives the budget, by which a thread holds about five copies of a block.
    together
        Number of layers of which a thread holds the block at the same time, if that fits.

    Returns
    -------
    blocks : list of (slice, slice)
        Rows and columns.
    fits : bool
        Whether a thread can hold that many; where chunks or shards are large, it cannot.
    """
    grid, unit = targets.source.grid, targets.maps[1:]
    most = targets.budget.band_pixels
    less = most * _COPIES // (together + _COPIES - 1)
    fits = together == 1 or unit[0] * unit[1] <= less
    return whole_blocks((grid.height, grid.width), unit, less if fits else most), fits


def _static_blocks(targets: Targets, layer: Layer) -> Sequence[tuple[slice, slice]]:
    """Cut the grid into blocks of whole chunks for a layer without a time dimension.

    Each block of the layer needs all products once more, and those in zips are unpacked from the
    beginning again. There a block is as large as the copies of other blocks together: it is the
    only one that a thread holds, but for a part of one product. Warping takes more.
    """
    is_warped = any(item.treatment is Treatment.WARP for item in targets.source.placements)
    if is_warped or layer.name in LOOK_VECTOR_NAMES or not _is_zipped(targets):
        return _blocks(targets)[0]
    grid = targets.source.grid
    most = targets.budget.band_pixels * (_COPIES - 2)
    return whole_blocks((grid.height, grid.width), targets.maps[1:], most)


def _is_zipped(targets: Targets) -> bool:
    return any(placement.product.is_zipped for placement in targets.source.placements)
