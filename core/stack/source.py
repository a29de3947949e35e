"""Blocks of the stack, read from the products whenever they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.lattice import Grid
from ..grid.plan import Placement, Plan, Transfer
from ..grid.reading import BlockReader, resampling_of
from ..products.layers import Layer, LayerKind
from ..products.reference_point import reference_pixel

_TILE_ROWS, _TILE_COLUMNS = 128, 512
"""Size of the blocks of GDAL's warped rasters."""

_SAMPLED_TILES = 8


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
        if not (self.has(layer, step) and self.touches(step, rows, columns)):
            shape = (rows.stop - rows.start, columns.stop - columns.start)
            return np.full(shape, layer.fill, layer.dtype)
        with self.reader(layer, step) as reader:
            return reader.read(rows, columns)

    def reader(self, layer: Layer, step: int) -> BlockReader:
        """Open a layer of a step for reading many blocks; the product has to have the layer."""
        placement = self.placements[step]
        return BlockReader(
            placement,
            layer,
            self.grid,
            resampling_of(layer, self.resampling),
            self.references.get(placement.product.name.text),
        )

    def has(self, layer: Layer, step: int) -> bool:
        """Tell whether a step's product has a layer."""
        return layer.name in self.placements[step].product.layers

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
        ones. Copied products are compared everywhere. Warped products are read, and so compared,
        where pixels are still missing and in one tile of eight, another one for each product: their
        difference is mostly that of resampling, and warping all of them would take longer than
        anything else.

        Returns
        -------
        values : ndarray
            Shape (rows, columns).
        difference : float or None
            Largest absolute difference between ``values`` and the products read; around the circle
            for angles with a seam; None where products nowhere overlap.
        """
        mosaic = _Mosaic(layer, rows, columns)
        having = [
            step
            for step in range(len(self.placements))
            if self.has(layer, step) and self.touches(step, rows, columns)
        ]
        copied = [step for step in having if self.placements[step].transfer is Transfer.COPY]
        for step in copied:
            mosaic.add(self.read(layer, step, rows, columns), rows, columns)
        for step in having:
            if step in copied:
                continue
            wanted = [
                tile
                for number, tile in enumerate(_tiles(rows, columns))
                if self.touches(step, *tile)
                and ((number + step) % _SAMPLED_TILES == 0 or mosaic.has_gaps(*tile))
            ]
            if wanted:
                with self.reader(layer, step) as reader:
                    for tile in wanted:
                        mosaic.add(reader.read(*tile), *tile)
        return mosaic.values, mosaic.difference


class _Mosaic:
    """A block that is put together from several products, and how far they differ."""

    def __init__(self, layer: Layer, rows: slice, columns: slice) -> None:
        self._layer = layer
        self._rows = rows
        self._columns = columns
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        self.values: NDArray[Any] = np.full(shape, layer.fill, layer.dtype)
        self.difference: float | None = None

    def _part(self, rows: slice, columns: slice) -> NDArray[Any]:
        return self.values[
            rows.start - self._rows.start : rows.stop - self._rows.start,
            columns.start - self._columns.start : columns.stop - self._columns.start,
        ]

    def has_gaps(self, rows: slice, columns: slice) -> bool:
        return bool(is_missing(self._part(rows, columns), self._layer).any())

    def add(self, block: NDArray[Any], rows: slice, columns: slice) -> None:
        part = self._part(rows, columns)
        difference = _largest_difference(part, block, self._layer)
        if difference is not None:
            self.difference = max(difference, self.difference or 0.0)
        np.copyto(part, block, where=is_missing(part, self._layer))


def _tiles(rows: slice, columns: slice) -> Iterator[tuple[slice, slice]]:
    """Cut a block along the lines of the blocks in which GDAL warps."""
    for row in range(rows.start - rows.start % _TILE_ROWS, rows.stop, _TILE_ROWS):
        for column in range(
            columns.start - columns.start % _TILE_COLUMNS, columns.stop, _TILE_COLUMNS
        ):
            yield (
                slice(max(row, rows.start), min(row + _TILE_ROWS, rows.stop)),
                slice(max(column, columns.start), min(column + _TILE_COLUMNS, columns.stop)),
            )


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
