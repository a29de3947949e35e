"""What the stack makes of stored values: other scales, displacement, another reference point."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ProductError
from ..grid.lattice import Grid
from ..grid.placement import Placement
from ..products.layers import (
    ELLIPSOIDAL_INCIDENCE,
    LOOK_ELEVATION,
    LOS_DISPLACEMENT,
    UNWRAPPED_PHASE,
    VERTICAL_DISPLACEMENT,
    Layer,
    LayerKind,
)
from ..products.sentinel1 import PHASE_TO_DISPLACEMENT
from ..raster.layer_reader import LayerReader, resampling_of
from ..raster.reach import Reach
from ..raster.reference_pixel import pixels_on_grid
from ..raster.scales import convert_scale
from ..raster.warping import Warps
from .precision import Precision, round_mantissa


def _displacement(phase: NDArray[Any]) -> NDArray[Any]:
    return phase * np.float32(PHASE_TO_DISPLACEMENT)


def _incidence(elevation: NDArray[Any]) -> NDArray[Any]:
    return np.float32(math.pi / 2.0) - elevation


COMPUTED: dict[str, tuple[Callable[[NDArray[Any]], NDArray[Any]], str]] = {
    LOS_DISPLACEMENT: (_displacement, f"-wavelength * {UNWRAPPED_PHASE} / (4 pi)"),
    ELLIPSOIDAL_INCIDENCE: (_incidence, f"pi / 2 - {LOOK_ELEVATION}"),
}
"""How layers are computed where a product lacks them: function, and formula for people."""


@dataclass(frozen=True)
class ValueOptions:
    """What the user asks for."""

    resampling: str = "auto"  # see :func:`core.raster.layer_reader.resampling_of`
    scale: str | None = None  # scale of backscatter in the stack; None keeps that of the products
    precision: Precision = Precision()  # mantissa bits that are kept

    @property
    def exact(self) -> ValueOptions:
        """The same without rounding."""
        return replace(self, precision=Precision())


def missing_block(layer: Layer, rows: slice, columns: slice) -> NDArray[Any]:
    """Return a block without data, shape (rows, columns)."""
    return np.full((rows.stop - rows.start, columns.stop - columns.start), layer.fill, layer.dtype)


def is_available(placement: Placement, layer: Layer) -> bool:
    """Return whether a product has a layer or what the layer is computed from."""
    return placement.product.stored_layer(layer.name) is not None


class ValueReader:
    """Reads blocks of one layer of one product as they stand in the stack.

    To be used as a context manager.

    Parameters
    ----------
    placement, layer, grid
        As for :class:`core.raster.layer_reader.LayerReader`; the layer has to be available.
    reference
        Row and column of the phase reference pixel in the product's raster, where 0 is a value.
    offset
        Subtracted from all values: the value at the stack's reference point; for ``vert_disp`` the
        line-of-sight displacement there, whose vertical share needs the layer ``lv_theta``.
    warps
        Those of readers that are open together, see :class:`core.raster.layer_reader.LayerReader`.

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
        options: ValueOptions,
        reference: tuple[int, int] | None = None,
        offset: float = 0.0,
        warps: Warps | None = None,
    ) -> None:
        self.layer = layer
        product = placement.product
        table = product.type.layers
        stored = table[product.stored_layer(layer.name) or layer.name]
        # By name, because layers that come from another process are copies.
        self._compute = COMPUTED[layer.name][0] if stored.name != layer.name else None
        self._offset = np.float32(offset)
        self._bits = options.precision.bits(layer)
        self._scales = (product.name.scale, options.scale) if layer.is_backscatter else (None, None)
        self._placement, self._stored = placement, stored
        self._zeros: list[tuple[int, int]] = []
        if reference is not None and stored.kind is LayerKind.UNWRAPPED:
            self._zeros = pixels_on_grid(placement, grid, reference)

        def open_layer(layer: Layer, warps: Warps | None) -> LayerReader:
            method = resampling_of(layer, options.resampling)
            return LayerReader(placement, layer, grid, method, float(layer.fill), warps)

        with ExitStack() as files:
            self._raster = files.enter_context(open_layer(stored, warps))
            self._elevation: LayerReader | None = None
            if layer.name == VERTICAL_DISPLACEMENT and offset:
                self._elevation = files.enter_context(open_layer(table[LOOK_ELEVATION], None))
            self._files = files.pop_all()

    def __enter__(self) -> ValueReader:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._files.__exit__(*exception)

    def reach(self, rows: slice, columns: slice) -> Reach:
        """See :meth:`core.raster.layer_reader.LayerReader.reach`."""
        return self._raster.reach(rows, columns)

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns).

        float32 with NaN, or uint8 with 255, where data are missing.
        """
        block = self._raster.read(rows, columns)
        if self._stored.is_mask:
            return _class_numbers(block, self._placement, self._stored)
        block = block.astype("float32", copy=False)
        self._set_reference(block, rows, columns)
        stored, wanted = self._scales
        if stored is not None and wanted is not None:
            convert_scale(block, stored, wanted)
        if self._compute is not None:
            block = self._compute(block)
        if self._elevation is not None:
            # The vertical displacement is that along the line of sight over sin(lv_theta).
            elevation = self._elevation.read(rows, columns).astype("float32", copy=False)
            block -= self._offset / np.sin(elevation)
        elif self._offset:
            block -= self._offset
        if self._bits is not None:
            round_mantissa(block, self._bits)
        return block

    def _set_reference(self, block: NDArray[Any], rows: slice, columns: slice) -> None:
        """Set the zero of the reference pixel, which masking took for missing data."""
        for row, column in self._zeros:
            if rows.start <= row < rows.stop and columns.start <= column < columns.stop:
                inside = (row - rows.start, column - columns.start)
                if np.isnan(block[inside]):
                    block[inside] = 0.0


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
