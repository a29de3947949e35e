"""What has to be known of the whole map before blocks of it are inverted.

Islands of valid phase need the maps of pairs one by one; corrections of dates need displacement at
points all over the grid. Both are read only if they are asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..machine.blocks import run_blocks
from ..products.layers import HEIGHTS
from ..run.reporter import Reporter, step
from .islands import Islands, find_islands
from .pair_selection import PairSelection
from .repair import RepairPlan, sample_step
from .series_analysis import SeriesAnalysis

Numbers = NDArray[np.float64]

_BYTES_OF_A_MAP = 32
"""For each pixel of a map in which islands are sought: phase, components, regions and copies."""

_FIXED_BYTES = 330e6
"""What Python with its packages takes."""

_POINTS = 30_000
_TILE = 128
_TILES = 150


def survey_islands(
    selection: PairSelection,
    phases: Numbers,
    reference: tuple[int, int],
    megabytes: float,
    threads: int,
    reporter: Reporter,
) -> list[Islands]:
    """Find the islands of all pairs.

    A stack whose chunks hold many pairs is read as often as it takes to hold their maps in memory,
    a few at a time.

    Parameters
    ----------
    selection
        The pairs.
    phases
        What is subtracted from each pair; shape (M,).
    reference
        Row and column of the middle of the reference area.
    megabytes
        What the process may take, 10^6 bytes.
    threads
        Maps that are searched at once.
    reporter
        Takes progress; asked whether to stop.
    """
    grid, count = selection.grid, selection.pairs.size
    pixels = grid.height * grid.width
    free = megabytes * 1e6 - _FIXED_BYTES - threads * _BYTES_OF_A_MAP * pixels
    together = max(1, int(free // (4 * (1 + selection.has_components) * pixels)))
    if selection.chunks[0] == 1:
        together = min(together, threads)
    found: dict[int, Islands] = {}
    for first in range(0, count, together):
        last = min(first + together, count)
        with step(reporter, 100.0 * first / count, 100.0 * last / count) as part:
            found |= _search(selection, phases, range(first, last), reference, threads, part)
    return [found[number] for number in range(count)]


def _search(
    selection: PairSelection,
    phases: Numbers,
    pairs: range,
    reference: tuple[int, int],
    threads: int,
    reporter: Reporter,
) -> dict[int, Islands]:
    """Read the maps of some pairs and find their islands."""
    grid = selection.grid
    whole = slice(0, grid.height), slice(0, grid.width)
    chosen = np.zeros(selection.pairs.size, bool)
    chosen[pairs.start : pairs.stop] = True
    some = selection.only(chosen)
    components = None
    with step(reporter, 0.0, 50.0) as reading:
        maps = some.phase(*whole, threads, reading)
    if selection.has_components:
        with step(reporter, 50.0, 70.0) as reading:
            components = some.components(*whole, threads, reading)
    distance = sample_step((grid.height, grid.width))
    found: dict[int, Islands] = {}

    def search(pair: int) -> None:
        number = pair - pairs.start
        found[pair] = find_islands(
            maps[number] - np.float32(phases[pair]),
            grid.spacing,
            reference,
            distance,
            None if components is None else components[number],
        )

    with step(reporter, 70.0, 100.0) as searching:
        run_blocks(search, pairs, len(pairs), searching, threads)
    return found


@dataclass(frozen=True)
class Points:
    """Displacement at points that are spread over the grid.

    Parameters
    ----------
    row, column
        Shape (points,).
    displacement
        Meters, shape (N, points).
    height
        Meters, 0 where heights are not asked for; shape (points,).
    """

    row: Numbers
    column: Numbers
    displacement: Numbers
    height: Numbers


def survey_points(
    selection: PairSelection,
    analysis: SeriesAnalysis,
    repair: RepairPlan | None,
    with_heights: bool,
    threads: int,
    reporter: Reporter,
) -> Points:
    """Invert points in tiles that are spread over the grid; those with gaps are left out.

    Parameters
    ----------
    selection
        The pairs.
    analysis
        Makes displacement of them, without corrections.
    repair
        What is taken off the phase first.
    with_heights
        Whether heights are needed.
    threads
        Threads that read a tile.
    reporter
        Takes progress; asked whether to stop.
    """
    tiles = _tiles(selection)
    least_gaps = analysis.network.component_count - 1
    pixels = sum((down.stop - down.start) * (across.stop - across.start) for down, across in tiles)
    distance = max(1, math.ceil(math.sqrt(pixels / _POINTS)))
    parts: list[tuple[NDArray[Any], ...]] = []
    for number, place in enumerate(tiles):
        with step(reporter, 100 * number / len(tiles), 100 * (number + 1) / len(tiles)) as reading:
            phase = selection.phase(*place, threads, reading)
        if repair is not None:
            repair.apply(phase, *place)
        coherence = None
        if analysis.needs_coherence:
            coherence = selection.coherence(*place, threads)[:, ::distance, ::distance]
            coherence = coherence.reshape(len(coherence), -1)
        phase = phase[:, ::distance, ::distance]
        rows, columns = (np.arange(side.start, side.stop, distance) for side in place)
        row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
        values, _ = analysis.run(phase.reshape(len(phase), -1), coherence)
        height = np.zeros(row.size)
        if with_heights:
            height = selection.geometry(HEIGHTS, *place)[::distance, ::distance].ravel()
        # Across a gap displacement is assumed, and a slope of the assumption is no slope.
        kept = (values["mask"] == 0) & (values["gap_count"] == least_gaps) & ~np.isnan(height)
        parts.append((row[kept], column[kept], values["displacement"][:, kept], height[kept]))
    row, column, displacement, height = (
        np.concatenate(pieces, axis=-1).astype(float) for pieces in zip(*parts, strict=True)
    )
    return Points(row, column, displacement, height)


def _tiles(selection: PairSelection) -> list[tuple[slice, slice]]:
    """Return rows and columns of tiles, which are whole chunks where these are small."""
    grid = selection.grid
    _, high, wide = selection.chunks
    high, wide = min(high, _TILE), min(wide, _TILE)
    counts = math.ceil(grid.height / high), math.ceil(grid.width / wide)
    every = max(1, math.ceil(math.sqrt(math.prod(counts) / _TILES)))
    down, across = (range(min(every // 2, count - 1), count, every) for count in counts)
    return [
        (
            slice(row * high, min((row + 1) * high, grid.height)),
            slice(column * wide, min((column + 1) * wide, grid.width)),
        )
        for row in down
        for column in across
    ]
