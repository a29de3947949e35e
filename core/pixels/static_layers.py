"""Layers without a time dimension, each put together from all products."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid.placement import Placement, Treatment
from ..products.layers import Layer
from ..raster.reach import Reach
from ..raster.tiles import tile_position, warp_tiles
from ..run.reporter import Reporter, SilentReporter, stop_if_canceled
from .look_vectors import ANGLES, LOOK_VECTOR_NAMES, look_vectors
from .mosaic import Mosaic, is_missing
from .precision import largest_relative_error, round_mantissa
from .source import StackSource
from .values import ValueReader, is_available, missing_block

_SAMPLED_TILES = 16


@dataclass(frozen=True)
class StaticReader:
    """Reads blocks of static layers.

    Each pixel comes from the first product that has one there, copied products before warped
    ones; before all of them comes the stack that is appended to. Copied products are compared
    everywhere. Warped products are read, and so compared, where pixels are still missing and in
    one tile of sixteen, another one for each product: their difference is mostly that of
    resampling, and warping all of them would take longer than anything else. Look vectors that
    are not stored are computed from the angles of the same products.
    """

    source: StackSource  # its products and what is made of their values
    # Whether the difference is wanted; without it, products are read to fill gaps only.
    compares: bool = True
    # Rows of a product that are read at once; by default those of the block.
    part_rows: int | None = None
    # Asked before each product whether to stop.
    reporter: Reporter = field(default_factory=SilentReporter)

    def read(self, layer: Layer, rows: slice, columns: slice) -> tuple[NDArray[Any], float | None]:
        """Read a block of a layer.

        Returns
        -------
        values : ndarray
            Shape (rows, columns).
        difference : float or None
            Largest absolute difference between ``values`` and the products read; around the circle
            for angles with a seam; None where products nowhere overlap, and for look vectors.

        Raises
        ------
        ProductError
            If a file cannot be read.
        Canceled
            If the user asked to stop.
        """
        if layer.name in LOOK_VECTOR_NAMES:
            values, difference = self._look_vector(layer, rows, columns), None
        else:
            mosaic = self._mosaic(layer, rows, columns)
            values, difference = mosaic.values, mosaic.difference
        # Products are compared before anything is rounded.
        bits = self.source.options.precision.bits(layer)
        if bits is not None:
            round_mantissa(values, bits)
        return values, difference

    def _mosaic(self, layer: Layer, rows: slice, columns: slice) -> Mosaic:
        source = self.source
        # New products are exact, but what is kept of earlier ones may be rounded.
        bits = None if source.kept is None else source.options.precision.bits(layer)
        rounding = 0.0 if bits is None else largest_relative_error(bits)
        mosaic = Mosaic(layer, rows, columns, rounding)
        if source.kept is not None:
            with source.kept.open(layer, None) as kept:
                mosaic.add_from(kept.read, self.part_rows)
        for placement in self._products(Treatment.COPY):
            if not self._reaches(placement, layer, rows, columns):
                continue
            if not (self.compares or mosaic.gaps(rows, columns).any()):
                break
            stop_if_canceled(self.reporter)
            with self._open(placement, layer) as reader:
                mosaic.add_from(reader.read, self.part_rows)
        for number, placement in enumerate(self._products(Treatment.WARP)):
            if self._reaches(placement, layer, rows, columns):
                stop_if_canceled(self.reporter)
                self._add_warped(mosaic, placement, (rows, columns), number)
        return mosaic

    def _products(self, treatment: Treatment) -> list[Placement]:
        return [
            placement
            for placement in self.source.placements
            if placement.kept_step is None and placement.treatment is treatment
        ]

    def _reaches(self, placement: Placement, layer: Layer, rows: slice, columns: slice) -> bool:
        return is_available(placement, layer) and placement.touches(self.source.grid, rows, columns)

    def _add_warped(
        self, mosaic: Mosaic, placement: Placement, block: tuple[slice, slice], number: int
    ) -> None:
        """Warp the tiles of a block in which a product may fill gaps or is to be compared."""
        grid = self.source.grid
        wanted: list[tuple[tuple[slice, slice], NDArray[np.bool_] | None]] = []
        for tile in warp_tiles(grid, *block):
            if not placement.touches(grid, *tile):
                continue
            if self.compares and _is_sampled(number, *tile_position(grid, *tile)):
                wanted.append((tile, None))
            elif (gaps := mosaic.gaps(*tile)).any():
                wanted.append((tile, gaps))
        if not wanted:
            return
        reach: Reach | None = None
        with self._open(placement, mosaic.layer) as reader:
            for tile, missing in wanted:
                if missing is not None:
                    reach = reach or reader.reach(*block)
                    if not reach.meets(missing, *tile):
                        continue
                mosaic.add(reader.read(*tile), *tile)

    def _open(self, placement: Placement, layer: Layer) -> ValueReader:
        return ValueReader(placement, layer, self.source.grid, self.source.options.exact)

    def _look_vector(self, layer: Layer, rows: slice, columns: slice) -> NDArray[Any]:
        source = self.source
        values = missing_block(layer, rows, columns)
        if source.kept is not None:
            # Its angles may be rounded, or kept with every step.
            with source.kept.open(layer, None) as kept:
                values = kept.read(rows, columns)
        gaps = is_missing(values, layer)
        if gaps.any():
            table = source.placements[0].product.type.layers
            angles = replace(self, compares=False)
            elevation, azimuth = (
                angles._mosaic(table[name], rows, columns).values for name in ANGLES
            )
            computed = look_vectors(layer, source.grid, rows, columns, elevation, azimuth)
            np.copyto(values, computed, where=gaps)
        return values


def _is_sampled(number: int, down: int, right: int) -> bool:
    """Return whether a product is compared in a tile: in the same ones, however blocks are cut."""
    # An odd number of tiles per row spreads them over all columns.
    return (number + 7 * down + right) % _SAMPLED_TILES == 0
