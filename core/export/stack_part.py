"""The part of a stack that is exported: some layers, steps and pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ..contract import RECORD
from ..errors import InvalidParameterError
from ..files.map_file import map_file
from ..files.stack_blocks import cut_at_chunks, steps_by_chunk
from ..files.written_stack import StackKind, WrittenStack, within_period
from ..grid.extent import cut_to_extent
from ..grid.lattice import Grid
from ..machine.blocks import BAND_BYTES, run_blocks
from ..metadata.variables import GRID_MAPPING
from ..products.layers import GAMMA_LAYERS, LayerKind
from ..run.parameters import Extent
from ..run.reporter import Reporter

Block = tuple[slice, slice, slice]
"""Steps, rows and columns."""

Unit = Literal["D", "s"]

_CYCLIC = {layer.variable for layer in GAMMA_LAYERS.values() if layer.kind is LayerKind.CYCLIC}
"""Angles with a seam: the mean of two pixels may be the opposite direction."""


class ReadMap(Protocol):
    """Reads a block of the map of a step."""

    def __call__(self, step: int, rows: slice, columns: slice = ...) -> NDArray[Any]:
        """Return some rows, of all columns or some; shape (rows, columns)."""


_LARGEST_BLOCK = 64_000_000
"""Bytes; chunks of other programs that are larger, or a layer without chunks, are cut."""


@dataclass(frozen=True)
class StackPart:
    """Layers, steps and a window of a stack; can be read from many threads."""

    stack: WrittenStack
    layers: tuple[str, ...]  # names of the layers
    steps: NDArray[np.intp]  # positions of the steps in the stack, ascending; shape (N,)
    grid: Grid  # grid of the window
    # Upper left pixel of the window in the stack.
    row: int
    column: int

    @property
    def kind(self) -> StackKind:
        """What the stack holds."""
        return self.stack.kind

    def has_steps(self, name: str) -> bool:
        """Return whether a layer changes with the steps of the stack."""
        return self.stack.raw.variables[name].dims[0] == self.stack.dimension

    def dtype(self, name: str) -> np.dtype[Any]:
        """Return the type in which a layer is exported: that of masks, else float32."""
        dtype = self.stack.raw.variables[name].dtype
        is_plain = dtype.kind in "iu" and not self.stack.is_packed(name)
        return dtype if is_plain else np.dtype("float32")

    def nodata(self, name: str) -> float | None:
        """Return the exported value that means no data."""
        if self.dtype(name).kind == "f":
            return np.nan
        return self.stack.number("_FillValue", name)

    def is_smooth(self, name: str) -> bool:
        """Return whether the mean of neighboring pixels stands for them."""
        return self.dtype(name).kind == "f" and name not in _CYCLIC

    def read(
        self, name: str, steps: slice | Sequence[int], rows: slice, columns: slice
    ) -> NDArray[Any]:
        """Read a block of a layer; positions count within the part.

        Returns
        -------
        ndarray
            Of :meth:`dtype`, shape (steps, rows, columns), or (rows, columns) for a layer without
            steps.
        """
        values = self.stack.read(name, self.steps[steps].tolist(), *self._place(rows, columns))
        return self._exported(name, values)

    def read_once(self, name: str, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a block of a layer without steps, or what the first step with data has there."""
        if not self.has_steps(name):
            return self.read(name, slice(0, 1), rows, columns)
        place = self._place(rows, columns)
        values = self.stack.blocks.read_once(name, self.steps.tolist(), *place)
        return self._exported(name, values)

    def _exported(self, name: str, values: NDArray[Any]) -> NDArray[Any]:
        dtype, nodata = self.dtype(name), self.nodata(name)
        if values.dtype.kind == "f" and dtype.kind != "f" and nodata is not None:
            values = np.where(np.isnan(values), nodata, values)
        return values.astype(dtype, copy=False)

    def _place(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        return (
            slice(self.row + rows.start, self.row + rows.stop),
            slice(self.column + columns.start, self.column + columns.stop),
        )

    # --- how it is read with few reads ------------------------------------------------------------

    def blocks(self, name: str) -> list[Block]:
        """Cut a layer into blocks of whole chunks, as far as they are not too large.

        A layer without steps is taken for one of a single step.
        """
        *depth, high, wide = self.stack.blocks.array(name).chunks
        size = self.dtype(name).itemsize
        runs = self._runs(depth[0] if depth else 1, name)
        deepest = max(run.stop - run.start for run in runs)
        width = _most(BAND_BYTES // (size * deepest * high), wide)
        columns = cut_at_chunks(self.column, self.grid.width, width)
        line = size * deepest * min(width, self.grid.width)
        height = min(_most(BAND_BYTES // line, high), max(1, _LARGEST_BLOCK // line))
        rows = cut_at_chunks(self.row, self.grid.height, height)
        return [(run, down, across) for run in runs for down in rows for across in columns]

    def _runs(self, depth: int, name: str) -> list[slice]:
        """Divide the steps into those that share a chunk."""
        if not self.has_steps(name):
            return [slice(0, 1)]
        return steps_by_chunk(self.steps, depth)

    @contextmanager
    def maps(self, name: str, folder: Path, reporter: Reporter) -> Iterator[ReadMap]:
        """Read a layer map by map.

        Where a chunk holds many steps, each would be decompressed for each map; the layer is copied
        to a temporary file first. What is given returns some rows of a map.

        Parameters
        ----------
        name
            A layer; one without steps has a single map.
        folder
            For the temporary file.
        """
        every = slice(0, self.grid.width)
        chunks = self.stack.blocks.array(name).chunks
        if not self.has_steps(name):
            yield lambda step, rows, columns=every: self.read(name, [0], rows, columns)
        elif chunks[0] == 1:
            yield lambda step, rows, columns=every: self.read(name, [step], rows, columns)[0]
        else:
            shape = (self.steps.size, self.grid.height, self.grid.width)
            with map_file(folder, shape, self.dtype(name)) as copy:

                def work(block: Block) -> None:
                    copy.write(block, self.read(name, *block))

                blocks = self.blocks(name)
                run_blocks(work, blocks, len(blocks), reporter)
                yield lambda step, rows, columns=every: copy.read((step, rows, columns))

    def bands(self, name: str) -> list[slice]:
        """Cut the rows of a map where chunks begin, into bands that are not too large."""
        high = self.stack.blocks.array(name).chunks[-2]
        line = self.dtype(name).itemsize * self.grid.width
        height = min(_most(BAND_BYTES // line, high), max(1, _LARGEST_BLOCK // line))
        return cut_at_chunks(self.row, self.grid.height, height)

    def tiles(self, name: str, most: int) -> list[tuple[slice, slice]]:
        """Cut the grid where chunks begin, so that all steps of a tile have not too many values."""
        *_, high, wide = self.stack.blocks.array(name).chunks
        columns = cut_at_chunks(self.column, self.grid.width, wide)
        height = min(high, max(1, most // (self.steps.size * wide)))
        rows = cut_at_chunks(self.row, self.grid.height, height)
        return [(down, across) for across in columns for down in rows]

    # --- what it says about itself ----------------------------------------------------------------

    def numbers(self, name: str) -> NDArray[np.float64] | None:
        """Return numbers of the steps, shape (N,); None where the stack has none."""
        values = self.stack.values(name)
        return None if values is None or values.shape == () else values[self.steps]

    @property
    def times(self) -> tuple[NDArray[np.datetime64], ...]:
        """Times of each step: reference and secondary of pairs, else one."""
        return tuple(times[self.steps] for times in self.all_times)

    @property
    def all_times(self) -> tuple[NDArray[np.datetime64], ...]:
        """Those of all steps of the stack, also of those that are not exported."""
        return tuple(_instants(self.stack, name) for name in self.time_names)

    @property
    def time_names(self) -> tuple[str, ...]:
        """Names of these times in the stack."""
        return _times_of(self.stack)

    @property
    def labels(self) -> list[str]:
        """Names of the steps for files: days, with the time of day where days are not unique.

        The second of two pairs of the same acquisitions gets ``_2`` behind it.
        """
        labels = self._labels("D") if self.is_daily else self._labels("s")
        counts = [labels[:number].count(label) for number, label in enumerate(labels)]
        return [
            f"{label}_{count + 1}" if count else label
            for label, count in zip(labels, counts, strict=True)
        ]

    @property
    def is_daily(self) -> bool:
        """Whether no two steps are of the same days."""
        labels = self._labels("D")
        return len(set(labels)) == len(labels)

    def _labels(self, unit: Unit) -> list[str]:
        sides = [compact(times, unit) for times in self.times]
        return ["_".join(days) for days in zip(*sides, strict=True)]

    def grid_mapping(self, grid: Grid) -> dict[str, Any]:
        """Return the attributes of the variable that describes the CRS, for another grid in it."""
        attributes = dict(self.stack.raw.variables[GRID_MAPPING].attrs)
        left, top, spacing = grid.left, grid.top, grid.spacing
        return attributes | {"GeoTransform": f"{left} {spacing} 0.0 {top} 0.0 {-spacing}"}


def compact(times: NDArray[np.datetime64], unit: Unit = "D") -> list[str]:
    """Return times as ``20230106`` or, by the second, as ``20230106T015136``."""
    texts = np.datetime_as_string(times, unit).tolist()
    return [text.replace("-", "").replace(":", "") for text in texts]


def select_part(
    stack: WrittenStack,
    layers: Sequence[str],
    start: date | None,
    end: date | None,
    extent: Extent | None,
) -> StackPart:
    """Choose what is exported.

    Parameters
    ----------
    stack
        A stack of any kind.
    layers
        Names, in their order; none for all layers of the stack.
    start, end
        UTC days, inclusive, in which dates lie, of pairs both; None for no limit.
    extent
        The window is the smallest one that holds it; None for the whole stack.

    Raises
    ------
    InvalidParameterError
        If the stack lacks a layer or no date is left.
    GridError
        If the extent lies outside the stack.
    """
    missing = [name for name in layers if name not in stack.layers]
    if missing:
        raise InvalidParameterError(
            f"LAYERS names {missing[0]}, which {stack.label} does not have; its layers are "
            f"{', '.join(stack.layers)}."
        )
    days = [_instants(stack, name).astype("datetime64[D]") for name in _times_of(stack)]
    kept = within_period(days, start, end)
    if not kept.any():
        what = "pair" if stack.is_insar else "date"
        raise InvalidParameterError(
            f"START and END ({start or 'open'} to {end or 'open'}) leave no {what} of "
            f"{stack.label}, whose dates are {days[0].min()} to {days[-1].max()}; choose a longer "
            "period."
        )
    row, column, grid = cut_to_extent(stack.grid, extent)
    chosen = tuple(layers) or _in_order(stack)
    return StackPart(stack, chosen, np.flatnonzero(kept), grid, row, column)


def _in_order(stack: WrittenStack) -> tuple[str, ...]:
    """Return the layers as the stack's record lists them: Zarr keeps no order."""
    try:
        listed = list(json.loads(stack.text(RECORD))["maps"])
    except (ValueError, LookupError, TypeError):
        listed = []
    order = {name: number for number, name in enumerate(listed)}
    return tuple(sorted(stack.layers, key=lambda name: order.get(name, len(order))))


def _times_of(stack: WrittenStack) -> tuple[str, ...]:
    return ("reference_time", "secondary_time") if stack.is_insar else ("time",)


def _instants(stack: WrittenStack, name: str) -> NDArray[np.datetime64]:
    times = stack.instants(name)
    if times is None or times.ndim != 1 or np.isnat(times).any():
        raise InvalidParameterError(
            f"{stack.parameter} is {stack.place}, which lacks the times of its "
            f"{'pairs' if stack.is_insar else 'dates'}, or has them in a unit or calendar that "
            "stacks do not use; give a stack that hyp3:buildstack or hyp3:invertstack wrote."
        )
    return times


def _most(most: int, chunk: int) -> int:
    """Return how many rows or columns of whole chunks fit, one chunk at least."""
    return max(1, most // chunk) * chunk
