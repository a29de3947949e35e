"""The pieces that put whole series of pixels together and fill what is chunked by series."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..files.chunking import series_blocks
from ..machine.blocks import run_blocks, whole_blocks
from ..raster.layer_reader import gdal_environment
from ..run.reporter import Reporter, step
from ..work.pieces import Piece, PieceResult, Receipts, block_key
from .targets import SERIES, Targets

_GATHERING = 60.0
"""Share of a tile's time that reading takes, in percent."""


def series_pieces(targets: Targets) -> list[Piece[Targets]]:
    """Return the pieces that write the layers that change with the steps, by whole series.

    They take the maps from a spatial group on a disk, where these are already warped and masked,
    and have to run after the pieces that fill it; without one they read the products again.
    """
    return [
        _SeriesPiece(item, rows, columns)
        for item in targets.layers
        if item.per_step
        for rows, columns in _tiles(targets, item)
    ]


@dataclass(frozen=True)
class _SeriesPiece:
    """The series of a block of pixels of one layer."""

    item: StackLayer
    rows: slice
    columns: slice

    @property
    def key(self) -> str:
        return block_key(f"{SERIES} {self.item.name}", self.rows, self.columns)

    def run(self, targets: Targets, reporter: Reporter) -> PieceResult:
        learned = PieceResult()
        rows, columns = self.rows, self.columns
        steps = len(targets.source.steps)
        shape = (steps, rows.stop - rows.start, columns.stop - columns.start)
        tile = np.empty(shape, self.item.layer.dtype)
        with step(reporter, 0.0, _GATHERING) as reading:
            self._gather(targets, tile, learned, reading)
        with step(reporter, _GATHERING, 100.0) as writing:
            learned.receipts |= self._scatter(targets, tile, writing)
        return learned

    def _gather(
        self, targets: Targets, tile: NDArray[Any], learned: PieceResult, reporter: Reporter
    ) -> None:
        """Read all steps, each in a thread."""
        item, rows, columns, source = self.item, self.rows, self.columns, targets.source
        lock = threading.Lock()
        near = targets.sinks.near

        def read(number: int) -> None:
            if near is not None:
                near.read(item, number, rows, columns, tile[number])
                return
            # Threads of a cluster's worker have no settings of GDAL.
            with gdal_environment():
                # Reading takes several copies of what is read at once, in each thread.
                for part in targets.budget.row_bands(*tile.shape[1:]):
                    band = slice(rows.start + part.start, rows.start + part.stop)
                    tile[number, part] = source.read(item.layer, number, band, columns)
            if targets.sinks.maps:
                return  # the pieces of the maps have counted these pixels
            survey = targets.survey.fresh()
            survey.add(item.layer, number, rows, columns, tile[number])
            with lock:
                learned.learn(PieceResult(sums=survey.state()))

        run_blocks(read, range(len(tile)), len(tile), reporter, targets.budget.threads)

    def _scatter(self, targets: Targets, tile: NDArray[Any], reporter: Reporter) -> Receipts:
        """Write all chunks or shards, each in a thread."""
        steps, height, width = tile.shape
        parts = whole_blocks((height, width), targets.series[1:], 1)
        receipts: Receipts = {}

        def write(part: tuple[slice, slice]) -> None:
            row, column = part
            for group in targets.sinks.series:
                written = group.write(
                    self.item,
                    slice(0, steps),
                    slice(self.rows.start + row.start, self.rows.start + row.stop),
                    slice(self.columns.start + column.start, self.columns.start + column.stop),
                    tile[:, row, column],
                )
                receipts.update(written)  # at once, whatever other threads do

        run_blocks(write, parts, len(parts), reporter, targets.budget.threads)
        return receipts


def _tiles(targets: Targets, item: StackLayer) -> list[tuple[slice, slice]]:
    """Cut the grid into blocks of whole chunks whose series fit into memory."""
    grid = targets.source.grid
    pixels = targets.budget.tile_bytes // (np.dtype(item.layer.dtype).itemsize * targets.series[0])
    read_from = None if targets.sinks.near is None else targets.maps[1:]
    return series_blocks((grid.height, grid.width), targets.series[1:], pixels, read_from)
