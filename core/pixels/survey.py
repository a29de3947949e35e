"""What the pass over the pixels learns of each step: coherence, coverage, the outline of data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..machine.blocks import cached_bands
from ..products.layers import COHERENCE, UNWRAPPED_PHASE, Layer

_PICTURE_PIXELS = 400


@dataclass(frozen=True)
class Findings:
    """The result of a survey."""

    # By name of the stack variable, one float64 number for each step; only what is known.
    statistics: dict[str, NDArray[np.float64]]
    # Number of steps with data in every ``factor``-th pixel; shape (rows, columns).
    coverage: NDArray[np.int32]
    # Mean coherence of all steps there, NaN without data; None without that layer.
    coherence: NDArray[np.float32] | None
    # Map positions of the pixels there that have data in any step, shape (n, 2).
    outline: NDArray[np.float64]
    factor: int  # pixels of the grid from one pixel of the pictures to the next


class Survey:
    """Takes blocks of layers with steps; keeps sums, and counts on a coarse grid.

    Each piece of work fills a survey of its own, whose sums are added when the piece is done: so a
    piece that is interrupted and done again does not count twice.
    """

    def __init__(self, grid: Grid, layers: Sequence[Layer], count: int) -> None:
        self._grid = grid
        self._layers = tuple(layers)
        self._steps = count
        self._primary = _primary(layers)
        self._has_coherence = any(layer.name == COHERENCE for layer in layers)
        self._factor = max(1, math.ceil(max(grid.height, grid.width) / _PICTURE_PIXELS))
        self.is_empty = True

    def _begin(self) -> None:
        """Make room for the sums, which a survey that learns nothing does not need."""
        self.is_empty = False
        shape = (-(-self._grid.height // self._factor), -(-self._grid.width // self._factor))
        self._coverage = np.zeros(shape, "int32")
        self._pairs = np.zeros(shape, "int32")
        self._sum = np.zeros(shape, "float64")
        self._valid = np.zeros(self._steps, "int64")
        self._moments = np.zeros((self._steps, 3))

    def fresh(self) -> Survey:
        """Return an empty survey of the same stack."""
        return Survey(self._grid, self._layers, self._steps)

    def add(
        self, layer: Layer, step: int, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Take a block of one step, shape (rows, columns)."""
        is_coherence = layer.name == COHERENCE
        if not (is_coherence or layer.name == self._primary):
            return
        moments = np.zeros(3)
        for band in cached_bands(block.shape):
            part = block[band]
            if not is_coherence:
                moments[0] += part.size - np.count_nonzero(np.isnan(part))
                continue
            absent = np.isnan(part)
            values = part.copy()
            np.copyto(values, 0.0, where=absent)
            # The squares of one row add up well enough in float32; rows are added in float64.
            squares = np.einsum("ij,ij->i", values, values)
            moments += (
                part.size - np.count_nonzero(absent),
                values.sum(dtype="float64"),
                squares.sum(dtype="float64"),
            )
        factor = self._factor
        coarse = block[(-rows.start) % factor :: factor, (-columns.start) % factor :: factor]
        present = ~np.isnan(coarse)
        here = (
            slice(-(-rows.start // factor), -(-rows.start // factor) + coarse.shape[0]),
            slice(-(-columns.start // factor), -(-columns.start // factor) + coarse.shape[1]),
        )
        if self.is_empty:
            self._begin()
        if layer.name == self._primary:
            self._valid[step] += int(moments[0])
            self._coverage[here] += present
        if is_coherence:
            self._moments[step] += moments
            self._pairs[here] += present
            self._sum[here] += np.where(present, coarse, 0.0)

    def uses(self, layer: Layer) -> bool:
        """Return whether anything is learned from blocks of a layer."""
        return layer.name in (COHERENCE, self._primary)

    def take_over(
        self, sums: Mapping[str, NDArray[Any]], gone: Survey, numbers: Mapping[int, int]
    ) -> None:
        """Learn what a survey of other steps of the same grid has learned of those that remain.

        Parameters
        ----------
        sums
            The state of that survey.
        gone
            What it has learned of the steps that do not remain.
        numbers
            Numbers of the steps that remain: here, by those there.
        """
        if not sums:
            return
        self._begin()
        there, here = list(numbers), list(numbers.values())
        for name in ("coverage", "pairs", "sum"):
            mine = self.state()[name]
            mine += sums[name]
            if not gone.is_empty:
                mine -= gone.state()[name]
        # Differences of floats may leave something where nothing is left.
        self._sum[self._pairs == 0] = 0.0
        self._valid[here] = sums["valid"][there]
        self._moments[here] = sums["moments"][there]

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the sums by name; empty for an empty survey."""
        if self.is_empty:
            return {}
        return {
            "coverage": self._coverage,
            "pairs": self._pairs,
            "sum": self._sum,
            "valid": self._valid,
            "moments": self._moments,
        }

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Add the sums that :meth:`state` gave."""
        if not state:
            return
        if self.is_empty:
            self._begin()
        for name, sums in self.state().items():
            sums += state[name]

    def findings(self) -> Findings:
        """Return what was found."""
        if self.is_empty:
            self._begin()
        pixels = self._grid.height * self._grid.width
        # Masks say where data could be used, not where they are.
        statistics = {} if self._primary is None else {"valid_fraction": self._valid / pixels}
        coherence = None
        covered = self._coverage > 0
        with np.errstate(invalid="ignore", divide="ignore"):
            if self._has_coherence:
                number, total, squares = self._moments.T
                mean = total / number
                statistics["coherence_mean"] = mean
                statistics["coherence_std"] = np.sqrt(np.maximum(squares / number - mean**2, 0.0))
                coherence = (self._sum / self._pairs).astype("float32")
                covered |= self._pairs > 0
        row, column = np.nonzero(covered)
        outline = np.stack(
            [self._grid.x[column * self._factor], self._grid.y[row * self._factor]], axis=1
        )
        return Findings(statistics, self._coverage, coherence, outline, self._factor)


def _primary(layers: Sequence[Layer]) -> str | None:
    """Return the layer from which the coverage is computed."""
    names = [layer.name for layer in layers if not layer.is_mask]
    return UNWRAPPED_PHASE if UNWRAPPED_PHASE in names else next(iter(names), None)
