"""Islands of valid phase in the map of one pair, and the whole cycles between them.

Inside an island unwrapping hangs together; from one to the next it may be wrong by whole cycles. An
island is a 4-connected region with phase or, where the product holds them, a connected component.
Bridges lead from the island of the reference to the nearest one, from both to the next, and so on
(as Yunjun et al. 2019, section 3.1); the jump across each is rounded to whole cycles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .closure import CYCLE

SMALLEST_AREA = 1e6
"""Square meters; smaller islands are left alone, because too little is known of their phase."""

BRIDGE_RADIUS = 1000.0
"""Meters around both ends of a bridge in which phase is compared."""

MOST_ISLANDS = 200
"""So many of the largest islands of a pair are considered."""

LARGEST_REST = 0.3
"""A jump further (cycles) from a whole number is not rounded."""

_END_POINTS = 200
"""Points on the shore of an island between which the shortest bridge is sought."""

_FEWEST_PIXELS = 8
"""On each side of a bridge."""


def label_regions(values: NDArray[Any]) -> NDArray[np.int32]:
    """Return the number of the 4-connected region of each pixel.

    Regions count from 1 in the order of their first pixels; 0 is where ``values`` is 0. Neighbors
    of one value other than 0 are of one region.
    """
    rows, columns = values.shape
    # Runs of one value along rows, and which of them touch a run in the next row.
    begins = np.ones((rows, columns), bool)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    run = np.cumsum(begins.ravel()).reshape(rows, columns) - 1
    count = int(run[-1, -1]) + 1
    touch = (values[1:] == values[:-1]) & (values[1:] != 0) & (begins[1:] | begins[:-1])
    upper, lower = run[:-1][touch], run[1:][touch]
    root = np.arange(count)
    while upper.size:
        one, other = root[upper], root[lower]
        apart = one != other
        upper, lower, one, other = upper[apart], lower[apart], one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while True:
            higher = root[root]
            if np.array_equal(higher, root):
                break
            root = higher
    filled = values.ravel()[np.flatnonzero(begins)] != 0
    numbers = np.zeros(count, np.int32)
    _, inverse = np.unique(root[filled], return_inverse=True)
    numbers[filled] = inverse + 1
    return numbers[run]


@dataclass(frozen=True)
class Islands:
    """The islands of one pair; number 0 stands for pixels on none."""

    # Whole cycles that bridges found too many on each island; shape (islands + 1,).
    cycles: NDArray[np.int64]
    # Islands whose jump was not near a whole number, or that no bridge reached; likewise.
    refused: NDArray[np.bool_]
    reference: int  # number of the island that holds the reference, 0 if it lies on none
    # Row, first column, column behind the last, and island of the runs of pixels on the islands
    # other than ``reference``; shape (runs, 4).
    runs: NDArray[np.int32]
    # Phase and island at the sample points; shape (points,).
    sampled_phase: NDArray[np.float32]
    sampled_island: NDArray[np.int16]


def find_islands(
    phase: NDArray[np.floating],
    pixel: float,
    reference: tuple[int, int],
    sample_step: int,
    components: NDArray[Any] | None = None,
) -> Islands:
    """Find the islands of a pair and the cycles between them.

    Parameters
    ----------
    phase
        Unwrapped phase in radians, referenced, NaN without data; shape (rows, columns).
    pixel
        Spacing of the grid in meters.
    reference
        Row and column of the center of the reference area.
    sample_step
        Every so many rows and columns a pixel is a sample point.
    components
        Connected components as unwrapping gave them, 0 or NaN outside of any; None where the
        product has none.
    """
    valid = ~np.isnan(phase)
    kinds: NDArray[Any] = valid.astype(np.int8)
    if components is not None:
        kinds = np.where(valid, np.nan_to_num(components, nan=0.0), 0)
    labels = _largest(label_regions(kinds), pixel)
    count = int(labels.max())
    own = int(labels[reference])
    base = own or min(1, count)
    cycles, refused = np.zeros(count + 1, np.int64), np.zeros(count + 1, bool)
    if count > 1:
        cycles, refused = _bridge(phase, labels, count, base, pixel)
    points = (slice(sample_step // 2, None, sample_step),) * 2
    return Islands(
        cycles,
        refused,
        own,
        _runs(np.where(labels == own, 0, labels) if own else labels),
        phase[points].astype(np.float32).ravel(),
        labels[points].astype(np.int16).ravel(),
    )


def _largest(labels: NDArray[np.int32], pixel: float) -> NDArray[np.int32]:
    """Give new numbers to the islands that are large enough, the largest first; drop the others."""
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")[:MOST_ISLANDS]
    kept = order[sizes[order] * pixel**2 >= SMALLEST_AREA]
    numbers = np.zeros(sizes.size, np.int32)
    numbers[kept] = np.arange(1, kept.size + 1)
    return numbers[labels]


def _runs(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return row, first column, column behind the last and label of runs that are not 0."""
    edged = np.pad(labels, ((0, 0), (1, 1)))
    row, column = np.nonzero(np.diff(edged, axis=1))
    value = edged[row, column + 1]
    # Each change begins a run; the next change in the row ends it.
    kept = np.flatnonzero(value)
    return (
        np.stack([row[kept], column[kept], column[kept + 1], value[kept]], axis=1)
        .astype(np.int32)
        .reshape(-1, 4)
    )


def _bridge(
    phase: NDArray[np.floating], labels: NDArray[np.int32], count: int, base: int, pixel: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the cycles of each island against that of the base, and which bridges are refused."""
    shores = _shores(labels, count)
    cycles = np.zeros(count + 1, np.int64)
    refused = np.ones(count + 1, bool)
    refused[[0, base]] = False
    left = [number for number in range(1, count + 1) if number != base]
    distance = np.full(count + 1, np.inf)
    ends: dict[int, tuple[int, NDArray[np.intp], NDArray[np.intp]]] = {}
    newest = base
    while left:
        for number in left if newest else ():
            squares, here, there = _nearest(shores[newest], shores[number])
            if squares < distance[number]:
                distance[number] = squares
                ends[number] = newest, here, there
        nearest = min(left, key=lambda number: distance[number])
        left.remove(nearest)
        start, here, there = ends[nearest]
        jump = _jump(phase, labels, (start, nearest), (here, there), pixel)
        newest = 0
        if abs(jump - np.rint(jump)) <= LARGEST_REST:
            cycles[nearest] = cycles[start] + int(np.rint(jump))
            refused[nearest] = False
            newest = nearest
    return cycles, refused


def _shores(labels: NDArray[np.int32], count: int) -> list[NDArray[np.intp]]:
    """Return row and column of some pixels at the edge of each island; shape (points, 2) each."""
    edged = np.pad(labels, 1)
    inner = np.ones(labels.shape, bool)
    for shifted in (edged[:-2, 1:-1], edged[2:, 1:-1], edged[1:-1, :-2], edged[1:-1, 2:]):
        inner &= shifted == labels
    rows, columns = np.nonzero((labels > 0) & ~inner)
    numbers = labels[rows, columns]
    order = np.argsort(numbers, kind="stable")
    parts = np.split(order, np.searchsorted(numbers[order], np.arange(1, count + 2)))[:-1]
    return [
        np.stack([rows, columns], axis=1)[part[:: -(-part.size // _END_POINTS) or 1]]
        for part in parts
    ]


def _nearest(
    one: NDArray[np.intp], other: NDArray[np.intp]
) -> tuple[int, NDArray[np.intp], NDArray[np.intp]]:
    """Return squared distance (pixels) and ends of the shortest way between two sets of points."""
    squares = ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)
    here, there = np.unravel_index(squares.argmin(), squares.shape)
    return int(squares[here, there]), one[here], other[there]


def _jump(
    phase: NDArray[np.floating],
    labels: NDArray[np.int32],
    islands: tuple[int, int],
    ends: tuple[NDArray[np.intp], NDArray[np.intp]],
    pixel: float,
) -> float:
    """Return the jump (cycles) of phase across a bridge, NaN where too little is there.

    A plane with a step is fitted to the pixels around both ends, so that a slope of the phase is no
    jump.
    """
    radius = max(BRIDGE_RADIUS / pixel, 3.0)
    parts = []
    for number, (row, column) in zip(islands, ends, strict=True):
        top, left = max(0, int(row - radius)), max(0, int(column - radius))
        window = (slice(top, int(row + radius) + 1), slice(left, int(column + radius) + 1))
        rows, columns = np.nonzero(labels[window] == number)
        near = (rows + top - row) ** 2 + (columns + left - column) ** 2 <= radius**2
        rows, columns = rows[near] + top, columns[near] + left
        parts.append((rows, columns, phase[rows, columns]))
    if min(rows.size for rows, _, _ in parts) < _FEWEST_PIXELS:
        return float("nan")
    rows, columns, values = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    step = np.repeat([0.0, 1.0], [part[0].size for part in parts])
    # Rows and columns in units of the radius, so that all columns are of one size.
    design = np.stack(
        [np.ones(step.size), step, (rows - rows[0]) / radius, (columns - columns[0]) / radius], 1
    )
    return float(np.linalg.lstsq(design, values.astype(float), rcond=None)[0][1] / CYCLE)
