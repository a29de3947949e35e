"""Blocks of the stack, read from the products whenever they are asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..grid.plan import Placement, Plan, Transfer
from ..grid.reading import read_block, resampling_of
from ..products.layers import Layer, LayerKind
from ..products.reference_point import reference_pixel


@dataclass(frozen=True)
class StackSource:
    """Reads any block of any layer of a plan; can be pickled and used from many threads.

    Parameters
    ----------
    grid
        Common grid.
    placements
        Products in the order of the stack's steps.
    resampling
        The user's choice, see :func:`core.grid.reading.resampling_of`.
    references
        Row and column of the phase reference pixel by product name, in the product's raster.
    """

    grid: Grid
    placements: tuple[Placement, ...]
    resampling: str = "auto"
    references: Mapping[str, tuple[int, int] | None] = field(default_factory=dict)

    @classmethod
    def of(cls, plan: Plan, resampling: str = "auto") -> StackSource:
        """Return the source of a plan whose placements are in the order of the steps."""
        references = {
            placement.product.name.text: reference_pixel(placement.product, placement.raster)
            for placement in plan.placements
        }
        return cls(plan.grid, plan.placements, resampling, references)

    def read(self, layer: Layer, step: int, rows: slice, columns: slice) -> NDArray[Any]:
        """Read a block of one layer of one step.

        Parameters
        ----------
        layer
            The layer.
        step
            Number of the pair or date, from 0.
        rows, columns
            Block of the grid; both ends given.

        Returns
        -------
        ndarray
            Shape (rows, columns); all missing where the product lacks the layer or the block.

        Raises
        ------
        ProductError
            If a file cannot be read.
        """
        placement = self.placements[step]
        if layer.name not in placement.product.layers or not self.touches(step, rows, columns):
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            return np.full(shape, layer.fill, layer.dtype)
        return read_block(
            placement,
            layer,
            self.grid,
            rows,
            columns,
            resampling_of(layer, self.resampling),
            self.references.get(placement.product.name.text),
        )

    def touches(self, step: int, rows: slice, columns: slice) -> bool:
        """Tell whether a step's product reaches into a block of the grid."""
        grid = self.grid
        left, bottom, right, top = self.placements[step].bounds
        return (
            left < grid.left + columns.stop * grid.spacing
            and right > grid.left + columns.start * grid.spacing
            and bottom < grid.top - rows.start * grid.spacing
            and top > grid.top - rows.stop * grid.spacing
        )

    def read_static(
        self, layer: Layer, rows: slice, columns: slice
    ) -> tuple[NDArray[Any], float | None]:
        """Read a block of a static layer, put together from all products.

        Each pixel comes from the first product that has one there, copied products before warped
        ones.

        Returns
        -------
        values : ndarray
            Shape (rows, columns).
        difference : float or None
            Largest absolute difference between any product and ``values``; around the circle for
            angles with a seam; None where products nowhere overlap.
        """
        order = sorted(
            range(len(self.placements)),
            key=lambda step: self.placements[step].transfer is not Transfer.COPY,
        )
        values = np.full(
            (rows.stop - rows.start, columns.stop - columns.start), layer.fill, layer.dtype
        )
        largest: float | None = None
        for step in order:
            if layer.name not in self.placements[step].product.layers:
                continue
            if not self.touches(step, rows, columns):
                continue
            block = self.read(layer, step, rows, columns)
            absent = is_missing(values, layer)
            if absent.all():
                values = block
                continue
            difference = _largest_difference(values, block, layer)
            if difference is not None:
                largest = difference if largest is None else max(largest, difference)
            if absent.any():
                np.copyto(values, block, where=absent)
        return values, largest


def is_missing(values: NDArray[Any], layer: Layer) -> NDArray[np.bool_]:
    """Return where a block of the stack has no data."""
    return values == layer.fill if layer.is_mask else np.isnan(values)


def _largest_difference(one: NDArray[Any], other: NDArray[Any], layer: Layer) -> float | None:
    if layer.is_mask:
        both = (one != layer.fill) & (other != layer.fill)
        if not both.any():
            return None
        return float(np.abs(one[both].astype("int16") - other[both].astype("int16")).max())
    difference = np.abs(one - other)
    if layer.kind is LayerKind.CYCLIC:
        np.minimum(difference, np.float32(2.0 * math.pi) - difference, out=difference)
    largest = np.fmax.reduce(difference, axis=None)
    return None if np.isnan(largest) else float(largest)
