"""Blocks of pixels: how large they are, and the pieces of work that invert one each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..errors import InvalidParameterError
from ..files.chunking import Layouts
from ..files.stack_blocks import LARGE_CHUNK
from ..machine.blocks import run_blocks, thread_count
from ..machine.memory import MemoryBudget
from ..outputs.output import Sink, Sinks
from ..run.reporter import Reporter, step
from ..work.pieces import Piece, PieceResult, Receipts, block_key
from .corrections import Places
from .pair_selection import PairSelection
from .series_analysis import NO_VALID_PAIR, SeriesAnalysis
from .solver.inversion import BATCH
from .unwrapping.repair import RepairPlan

FIXED_BYTES = 330e6
"""What Python with its packages takes."""

_LARGEST_SIDE = 512
"""Pixels: a map is written in chunks of a block, at most 1 MB each."""

_SERIES_BYTES = 4e6
"""Largest chunk of series before compression."""


@dataclass(frozen=True)
class BlockPlan:
    """How pixels are cut into blocks, which are whole chunks of all outputs."""

    # Of a block.
    rows: int
    columns: int
    series: tuple[int, int]  # rows and columns of a chunk of series; a block holds whole ones
    threads: int  # threads that work on one block

    @classmethod
    def of(
        cls,
        selection: PairSelection,
        megabytes: float,
        threads: int | None = None,
        corrections: int = 0,
    ) -> BlockPlan:
        """Choose the blocks, so that one of them is in memory at a time.

        Parameters
        ----------
        selection
            What is inverted; blocks are about whole chunks of it, or equal parts of one.
        megabytes
            What the process may take, 10^6 bytes.
        threads
            Number of threads, by default one for each processor.
        corrections
            Number of layers by date beside the displacement.

        Raises
        ------
        InvalidParameterError
            If the series of a few pixels, or a chunk of the stack, do not fit.
        """
        threads = threads or thread_count()
        pairs, dates = selection.pairs.size, selection.network.date_count
        # Two layers of pairs, displacement, and the same once more where batches are analyzed.
        per_pixel = 8.0 * pairs + 4.0 * dates * (1 + corrections) + 96.0
        per_batch = BATCH * 8.0 * (7 * pairs + 6 * dates)
        free = megabytes * 1e6 - FIXED_BYTES
        least = per_batch + BATCH * per_pixel
        if selection.chunk_bytes > LARGE_CHUNK:
            # As it is stored, decompressed, and before a filter is undone.
            free -= 3.0 * selection.chunk_bytes
            if free < least:
                need = (megabytes * 1e6 - free + least) / 1e6
                raise InvalidParameterError(
                    f"MEMORY is {megabytes:,.0f} MB, but the stack is stored in chunks of "
                    f"{selection.chunk_bytes / 1e6:,.0f} MB, each of which has to be in memory as "
                    f"a whole; raise MEMORY to {math.ceil(need):,}, or write the stack anew with "
                    "smaller chunks (in xarray: Dataset.chunk before Dataset.to_zarr)."
                )
        while threads > 1 and free < 2 * threads * per_batch:
            threads -= 1
        pixels = (free - threads * per_batch) / per_pixel
        if pixels < BATCH:
            need = (FIXED_BYTES + least) / 1e6
            raise InvalidParameterError(
                f"MEMORY is {megabytes:,.0f} MB, but {pairs:,} pairs take at least "
                f"{math.ceil(need):,} MB; raise MEMORY, or choose fewer pairs by START and END."
            )
        side = min(math.sqrt(pixels), _LARGEST_SIDE)
        grid = selection.grid
        _, high, wide = selection.chunks
        rows = _side(grid.height, high, side)
        columns = _side(grid.width, wide, min(pixels / rows, _LARGEST_SIDE))
        parts = 1
        while 4.0 * dates * math.ceil(rows / parts) * math.ceil(columns / parts) > _SERIES_BYTES:
            parts += 1
        series = (
            _share(rows, parts, rows < grid.height),
            _share(columns, parts, columns < grid.width),
        )
        return cls(rows, columns, series, threads)

    def layouts(self, shape: tuple[int, int, int]) -> Layouts:
        """Return the chunks of the outputs, of a stack of some dates, rows and columns."""
        maps, series = (1, self.rows, self.columns), (shape[0], *self.series)
        budget = MemoryBudget(threads=self.threads)
        return Layouts(shape, maps, series, maps, series, False, budget)

    def blocks(self, height: int, width: int) -> Iterator[tuple[slice, slice]]:
        """Yield rows and columns of all blocks of a grid."""
        for top in range(0, height, self.rows):
            for left in range(0, width, self.columns):
                yield (
                    slice(top, min(top + self.rows, height)),
                    slice(left, min(left + self.columns, width)),
                )


def _side(length: int, chunk: int, most: float) -> int:
    """Return the side of a block: whole chunks, or an equal part of one; even unless all."""
    if length <= most:
        return length
    if chunk <= most:
        number = int(most // chunk)
        side = chunk * number
        # Chunks of a NetCDF file are half as long as those of maps.
        if side % 2 and number > 1:
            side = chunk * (number - 1)
    else:
        side = math.ceil(chunk / math.ceil(chunk / most))
    return min(max(2, side + side % 2), length)


def _share(side: int, parts: int, must_divide: bool) -> int:
    """Return about one of some parts of a side, one that divides it where blocks follow."""
    share = math.ceil(side / parts)
    if must_divide:
        while side % share:
            share -= 1
    return share


@dataclass(frozen=True)
class InversionTargets:
    """What all pieces of an inversion share; can be pickled."""

    selection: PairSelection  # where the phases come from
    analysis: SeriesAnalysis  # what is made of them
    # Layers that the analysis makes, and those that are copied from the stack.
    made: tuple[StackLayer, ...]
    carried: tuple[StackLayer, ...]
    plan: BlockPlan  # blocks and threads
    repair: RepairPlan | None  # what is taken off the phases first; None for nothing
    source: Path | None  # the stack, if it lies on a disk
    sinks: Sinks = Sinks()  # what takes the blocks

    @property
    def threads(self) -> int:
        """Number of threads that pieces may use in this process."""
        return self.plan.threads

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The stack."""
        return () if self.source is None else (self.source,)

    @property
    def raster(self) -> str | None:
        """No raster is read through GDAL."""
        return None

    def with_threads(self, threads: int) -> InversionTargets:
        """Return the same for a process with another number of threads."""
        return replace(self, plan=replace(self.plan, threads=threads))


def inversion_pieces(targets: InversionTargets) -> list[Piece[InversionTargets]]:
    """Return the pieces that invert all blocks."""
    grid = targets.selection.grid
    return [InversionPiece(*block) for block in targets.plan.blocks(grid.height, grid.width)]


@dataclass(frozen=True)
class InversionPiece:
    """Reads the series of a block, inverts them and writes all that comes of them."""

    # Position of the block.
    rows: slice
    columns: slice

    @property
    def key(self) -> str:
        """A name that no other piece has."""
        return block_key("block", self.rows, self.columns)

    def run(self, targets: InversionTargets, reporter: Reporter) -> PieceResult:
        """Invert the block."""
        selection, analysis = targets.selection, targets.analysis
        place, threads = (self.rows, self.columns), targets.threads
        coherence = None
        with step(reporter, 0.0, 30.0) as reading:
            phase = selection.phase(*place, threads, reading)
        if targets.repair is not None:
            targets.repair.apply(phase, *place)
        if analysis.needs_coherence:
            with step(reporter, 30.0, 50.0) as reading:
                coherence = selection.coherence(*place, threads, reading)
        places = analysis.corrections.places(selection, *place)
        with step(reporter, 50.0, 90.0) as analyzing:
            values, sums = analyze_block(
                analysis, phase, coherence, places, targets.made, threads, analyzing
            )
        del phase, coherence
        for item in targets.carried:
            values[item.name] = selection.geometry(item.name, *place).astype(item.layer.dtype)
        with step(reporter, 90.0, 100.0) as writing:
            receipts = self._write(targets, values, writing)
        return PieceResult(receipts, sums)

    def _write(
        self, targets: InversionTargets, values: dict[str, NDArray[Any]], reporter: Reporter
    ) -> Receipts:
        receipts: Receipts = {}
        place = (self.rows, self.columns)
        maps, series = targets.sinks.maps, targets.sinks.series
        jobs: list[tuple[Sink, StackLayer, slice]] = []
        for item in (*targets.made, *targets.carried):
            if not item.per_step:
                jobs += [(sink, item, slice(0, 1)) for sink in (*maps, *series)]
                continue
            count = values[item.name].shape[0]
            jobs += [(sink, item, slice(n, n + 1)) for sink in maps for n in range(count)]
            jobs += [(sink, item, slice(0, count)) for sink in series]

        def write(job: tuple[Sink, StackLayer, slice]) -> None:
            sink, item, steps = job
            block = values[item.name]
            written = sink.write(item, steps, *place, block[steps] if item.per_step else block)
            receipts.update(written)

        run_blocks(write, jobs, len(jobs), reporter, targets.threads)
        return receipts


def analyze_block(
    analysis: SeriesAnalysis,
    phase: NDArray[np.float32],
    coherence: NDArray[np.float32] | None,
    places: Places | None,
    layers: Sequence[StackLayer],
    threads: int,
    reporter: Reporter,
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Analyze a block in batches of pixels.

    Parameters
    ----------
    analysis
        What is made of each pixel.
    phase, coherence
        Shape (M, rows, columns).
    places
        Of the pixels, in rows; None where nothing is corrected.
    layers
        What the analysis makes.

    Returns
    -------
    values : dict
        By name of the layer, shape (N, rows, columns) or (rows, columns).
    sums : dict
        What adds up over all pixels.
    """
    pairs, *shape = phase.shape
    pixels = math.prod(shape)
    dates = analysis.network.date_count
    flat = {
        item.name: np.empty((dates, pixels) if item.per_step else (pixels,), item.layer.dtype)
        for item in layers
    }
    series = phase.reshape(pairs, pixels)
    quality = None if coherence is None else coherence.reshape(pairs, pixels)
    empty = np.flatnonzero(_without_phase(series))
    batches = _batches(pixels, empty)
    learned: dict[int, dict[str, NDArray[Any]]] = {}

    def analyze(number: int) -> None:
        batch = batches[number]
        found, sums = analysis.run(
            series[:, batch],
            None if quality is None else quality[:, batch],
            None if places is None else places.part(batch),
        )
        for name, values in found.items():
            flat[name][..., batch] = values
        learned[number] = sums

    run_blocks(analyze, range(len(batches)), len(batches), reporter, threads)
    total = PieceResult()
    # In the order of the pixels, so that rounding does not depend on the threads.
    for number in sorted(learned):
        total.learn(PieceResult(sums=learned[number]))
    if empty.size:
        # Only the first of them was analyzed, as all come to the same.
        for result in flat.values():
            result[..., empty] = result[..., empty[:1]]
        total.sums["mask_pixels"][NO_VALID_PAIR] += empty.size - 1
    values = {
        item.name: flat[item.name].reshape((dates, *shape) if item.per_step else tuple(shape))
        for item in layers
    }
    return values, total.sums


def _without_phase(series: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which pixels have no phase in any pair."""
    empty = np.ones(series.shape[1], bool)
    for phase in series:
        empty &= ~np.isfinite(phase)
    return empty


def _batches(pixels: int, empty: NDArray[np.intp]) -> Sequence[slice | NDArray[np.intp]]:
    """Divide pixels into batches; of the empty ones there is only the first."""
    if not empty.size:
        return [slice(begin, min(begin + BATCH, pixels)) for begin in range(0, pixels, BATCH)]
    chosen = np.delete(np.arange(pixels), empty[1:])
    return np.split(chosen, range(BATCH, chosen.size, BATCH))
