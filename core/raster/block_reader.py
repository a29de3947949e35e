"""Reads a block of a layer with missing data as the stack marks them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling

from ..errors import ProductError
from ..grid.lattice import Grid
from ..grid.placement import Placement, Transfer
from ..products.layers import Layer, LayerKind
from .layer_reader import LayerReader
from .reach import Reach
from .warping import Warps


class BlockReader:
    """Reads blocks of one layer of one product with missing data as the stack marks them.

    To be used as a context manager; it keeps the file open.

    Parameters
    ----------
    placement, layer, grid, resampling
        As for :class:`core.raster.layer_reader.LayerReader`.
    reference
        Row and column of the phase reference pixel in the product's raster, where 0 is a value.
    warps
        As for :class:`core.raster.layer_reader.LayerReader`.

    Raises
    ------
    ProductError
        If the file cannot be opened or read, or a class number does not fit.
    """

    def __init__(
        self,
        placement: Placement,
        layer: Layer,
        grid: Grid,
        resampling: Resampling,
        reference: tuple[int, int] | None = None,
        warps: Warps | None = None,
    ) -> None:
        self._placement = placement
        self._layer = layer
        has_reference = reference is not None and layer.kind is LayerKind.UNWRAPPED
        self._zeros = (
            _reference_on_grid(placement, grid, reference) if has_reference and reference else []
        )
        self._stored = LayerReader(
            placement,
            layer,
            grid,
            resampling,
            outside=float(layer.fill),
            warps=warps,
        )

    def __enter__(self) -> BlockReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stored.__exit__(*exception)

    def reach(self, rows: slice, columns: slice) -> Reach:
        """See :meth:`core.raster.layer_reader.LayerReader.reach`."""
        return self._stored.reach(rows, columns)

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns).

        float32 with NaN, or uint8 with 255, where data are missing.
        """
        stored = self._stored.read(rows, columns)
        if self._layer.is_mask:
            return _class_numbers(stored, self._placement, self._layer)
        block = stored.astype("float32", copy=False)
        for row, column in self._zeros:
            # Masking took the zero of the reference pixel for missing data.
            if rows.start <= row < rows.stop and columns.start <= column < columns.stop:
                inside = (row - rows.start, column - columns.start)
                if np.isnan(block[inside]):
                    block[inside] = 0.0
        return block


def _class_numbers(stored: NDArray[Any], placement: Placement, layer: Layer) -> NDArray[np.uint8]:
    if stored.dtype == np.uint8:
        return stored
    if stored.dtype.kind == "f":
        np.copyto(stored, layer.fill, where=np.isnan(stored))
    if stored.size and not (stored.min() >= 0 and stored.max() <= layer.fill):
        flaw = f"class numbers that are not within 0 and {layer.fill:.0f}"
    elif stored.dtype.kind == "f" and (stored != np.rint(stored)).any():
        flaw = "fractions in the place of class numbers"
    else:
        return stored.astype("uint8")
    raise ProductError(
        f"The layer {layer.name} of {placement.product} holds {flaw}; use the product as HyP3 "
        "delivered it, or leave the layer out of LAYERS.",
        product=placement.product.name.text,
    )


def _reference_on_grid(
    placement: Placement, grid: Grid, reference: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the grid pixels whose centers fall into the reference pixel."""
    row, column = reference
    if placement.transfer is Transfer.COPY:
        return [(row + placement.row, column + placement.column)]
    raster = placement.raster
    to_grid = Transformer.from_crs(raster.crs, grid.crs, always_xy=True)
    x, y = to_grid.transform(
        raster.left + (column + 0.5) * raster.spacing, raster.top - (row + 0.5) * raster.spacing
    )
    center_row = int((grid.top - y) // grid.spacing)
    center_column = int((x - grid.left) // grid.spacing)
    near = [
        (center_row + down, center_column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)
    ]
    back_x, back_y = to_grid.transform(
        [grid.left + (right + 0.5) * grid.spacing for _, right in near],
        [grid.top - (down + 0.5) * grid.spacing for down, _ in near],
        direction="INVERSE",
    )
    return [
        position
        for position, source_x, source_y in zip(near, back_x, back_y, strict=True)
        if (source_y < raster.top - row * raster.spacing)
        and (source_y >= raster.top - (row + 1) * raster.spacing)
        and (source_x >= raster.left + column * raster.spacing)
        and (source_x < raster.left + (column + 1) * raster.spacing)
    ]
