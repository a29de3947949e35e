"""A common reference point for all pairs: each pair of HyP3 has one of its own."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from pyproj import Transformer

from ..errors import GridError, InvalidParameterError, ProductError
from ..grid.lattice import Grid
from ..inputs.crs import given_crs
from ..machine.blocks import run_blocks
from ..machine.memory import MemoryBudget
from ..products.layers import (
    COHERENCE,
    LOOK_ELEVATION,
    LOS_DISPLACEMENT,
    UNWRAPPED_PHASE,
    VERTICAL_DISPLACEMENT,
    Layer,
    LayerKind,
)
from ..products.sentinel1 import PHASE_TO_DISPLACEMENT
from ..run.reporter import Reporter, stop_if_canceled
from .source import StackSource

AUTO = "auto"


@dataclass(frozen=True)
class ReferencePoint:
    """A pixel to which all pairs are referenced."""

    # Position on the grid.
    row: int
    column: int
    # Its center, in meters.
    x: float
    y: float
    phases: tuple[float, ...]  # unwrapped phase of each pair there before subtraction, in radians


def parse_point(text: str) -> tuple[float, float, str | None]:
    """Read ``x,y`` or ``x,y [EPSG:code]``.

    Raises
    ------
    InvalidParameterError
        If the text is something else.
    """
    numbers, _, rest = text.partition("[")
    try:
        x, y = (float(number) for number in numbers.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InvalidParameterError(
            f"REFERENCE_POINT is {text!r}, but it has to read auto or x,y [EPSG:code]."
        )
    return x, y, rest.rstrip("] \t") or None


def layers_to_reference(layers: Iterable[str], wanted: str = "") -> list[str]:
    """Return the layers of products by which a stack of other layers is referenced to a point.

    Parameters
    ----------
    wanted
        As for :func:`reference_to_point`; empty where the pixel is known.
    """
    needed = [UNWRAPPED_PHASE]
    if VERTICAL_DISPLACEMENT in layers:
        needed.append(LOOK_ELEVATION)
    if wanted == AUTO:
        needed.append(COHERENCE)
    return needed


def reference_to_point(
    source: StackSource,
    wanted: str,
    layers: Sequence[Layer],
    reporter: Reporter,
    budget: MemoryBudget,
) -> tuple[StackSource, ReferencePoint]:
    """Make phase and displacement of all pairs relative to one pixel.

    Parameters
    ----------
    source
        The stack as HyP3 references it.
    wanted
        ``auto`` (the pixel of highest mean coherence among those valid in all pairs) or
        coordinates, see :func:`parse_point`; without a CRS they are in that of the grid.

    Returns
    -------
    source : StackSource
        Subtracts each pair's value at the point.
    point : ReferencePoint
        Where it is and what was subtracted.

    Raises
    ------
    GridError
        If the point lies outside the grid, or no pixel is valid in all pairs.
    InvalidParameterError
        If the point cannot be read, or no layer of the stack can be referenced.
    ProductError
        If a pair has no data at the point, or lacks a layer that is needed.
    """
    table = source.placements[0].product.type.layers
    if not any(layer.kind is LayerKind.UNWRAPPED for layer in layers):
        referenced = [layer.name for layer in table.values() if layer.kind is LayerKind.UNWRAPPED]
        raise InvalidParameterError(
            f"REFERENCE_POINT references {', '.join(referenced)} to a pixel, but the stack would "
            "have none of them; add one to LAYERS or leave REFERENCE_POINT out."
        )
    for name in layers_to_reference([layer.name for layer in layers], wanted):
        _require(source, table[name])
    if wanted == AUTO:
        exact = replace(source, options=source.options.exact)
        row, column = _most_coherent(
            exact, table[UNWRAPPED_PHASE], table[COHERENCE], reporter, budget
        )
    else:
        row, column = _pixel(source.grid, *parse_point(wanted))
    where = f"REFERENCE_POINT {wanted}; choose another point, or auto"
    return reference_to_pixel(source, row, column, layers, where)


def reference_to_pixel(
    source: StackSource, row: int, column: int, layers: Sequence[Layer], where: str
) -> tuple[StackSource, ReferencePoint]:
    """Make phase and displacement of all pairs relative to a pixel.

    Parameters
    ----------
    source
        The stack as HyP3 references it.
    row, column
        Position on the grid.
    where
        What the user calls the pixel and, after a semicolon, what to do where a pair has no data.

    Returns
    -------
    source : StackSource
        Subtracts each pair's value at the pixel.
    point : ReferencePoint
        Where it is and what was subtracted.

    Raises
    ------
    ProductError
        If a pair has no data there, or lacks a layer that is needed.
    """
    table = source.placements[0].product.type.layers
    for name in layers_to_reference([layer.name for layer in layers]):
        _require(source, table[name])
    # What is subtracted is exact, so that 0 remains at the point.
    exact = replace(source, options=source.options.exact)
    here = (slice(row, row + 1), slice(column, column + 1))
    steps = range(len(source.steps))
    phases = tuple(float(exact.read(table[UNWRAPPED_PHASE], step, *here)[0, 0]) for step in steps)
    for step, value in enumerate(phases):
        if math.isnan(value):
            product = source.steps[step][0].product
            raise ProductError(f"{product} has no unwrapped phase at {where}.")
    # Their own value where they were ordered, so that rounding leaves no rest at the point.
    towards = (float(exact.read(table[LOS_DISPLACEMENT], step, *here)[0, 0]) for step in steps)
    displacements = tuple(
        phase_there * PHASE_TO_DISPLACEMENT if math.isnan(value) else value
        for phase_there, value in zip(phases, towards, strict=True)
    )
    offsets = {
        layer.name: phases if layer.name == UNWRAPPED_PHASE else displacements
        for layer in table.values()
        if layer.kind is LayerKind.UNWRAPPED
    }
    grid = source.grid
    point = ReferencePoint(row, column, float(grid.x[column]), float(grid.y[row]), phases)
    return replace(source, offsets=offsets), point


def _require(source: StackSource, layer: Layer) -> None:
    for placement in source.placements:
        if placement.product.stored_layer(layer.name) is None:
            raise ProductError(
                f"{placement.product} has no layer {layer.name}, which REFERENCE_POINT needs; "
                f"order or retrieve it with that layer, or leave REFERENCE_POINT"
                f"{f' or {VERTICAL_DISPLACEMENT}' if layer.name == LOOK_ELEVATION else ''} out."
            )


def _pixel(grid: Grid, x: float, y: float, crs: str | None) -> tuple[int, int]:
    if crs is not None:
        source = given_crs(crs, "REFERENCE_POINT")
        to_grid = Transformer.from_crs(source, grid.crs, always_xy=True)
        x, y = to_grid.transform(x, y)
    left, bottom, right, top = grid.bounds
    if not (left <= x < right and bottom < y <= top):
        raise GridError(
            f"REFERENCE_POINT lies outside the stack, which covers {left:.0f}, {right:.0f}, "
            f"{bottom:.0f}, {top:.0f} (xmin, xmax, ymin, ymax) in {grid.crs}; choose a point "
            "within."
        )
    return int((top - y) // grid.spacing), int((x - left) // grid.spacing)


def _most_coherent(
    source: StackSource, phase: Layer, coherence: Layer, reporter: Reporter, budget: MemoryBudget
) -> tuple[int, int]:
    grid, steps = source.grid, len(source.steps)
    best = (-math.inf, 0, 0)
    lock = threading.Lock()

    def search(rows: slice) -> None:
        nonlocal best
        columns = slice(0, grid.width)
        total = np.zeros((rows.stop - rows.start, grid.width), "float32")
        for step in range(steps):
            stop_if_canceled(reporter)
            # Missing data make the sum NaN, so only pixels valid in all pairs remain.
            total += source.read(coherence, step, rows, columns)
            total[np.isnan(source.read(phase, step, rows, columns))] = np.nan
            if np.isnan(total).all():
                return
        row, column = np.unravel_index(np.nanargmax(total), total.shape)
        found = (float(total[row, column]), rows.start + int(row), int(column))
        with lock:
            # Of equal pixels the uppermost left one, whichever thread ends first.
            best = max(best, found, key=lambda item: (item[0], -item[1], -item[2]))

    tasks = list(budget.row_bands(grid.height, grid.width))
    run_blocks(search, tasks, len(tasks), reporter, budget.threads)
    if best[0] == -math.inf:
        raise GridError(
            "No pixel has data in all pairs, so REFERENCE_POINT cannot be auto; give coordinates, "
            "or leave out the pairs that do not overlap."
        )
    return best[1], best[2]
