"""The pixel of an interferogram whose phase is zero by definition, not for want of data."""

from __future__ import annotations

import math
from contextlib import closing

import numpy as np
from pyproj import Transformer
from rasterio.errors import RasterioError

from ..grid.lattice import Grid
from ..grid.placement import Placement, Treatment
from ..inputs.raster_grid import Raster, to_geographic
from ..inputs.read_errors import machine_error
from ..products.layers import UNWRAPPED_PHASE
from ..products.nodata import nodata_of
from ..products.product import Product
from .raster_file import RasterFile


def reference_pixel(product: Product, raster: Raster) -> tuple[int, int] | None:
    """Find the phase reference pixel of a GAMMA interferogram.

    HyP3 subtracts the phase at the reference point, so the unwrapped phase is exactly 0 there,
    which is also its value for missing data. The parameter file holds the point's position; its
    geographic form holds also where the product was harmonized to another zone. Some versions of
    hyp3-gamma wrote it wrong, so the pixel counts only where the phase is in fact 0 and data
    surround it.

    Returns
    -------
    (row, column) or None
        Position in the product's raster, counted from 0; None where the product has no such point
        or its phase cannot be read (reading the layer itself says why).

    Raises
    ------
    ProductError
        If the phase is damaged in its zip.
    MachineError
        If a limit of the machine or a disk keeps the phase from being read.
    """
    if UNWRAPPED_PHASE not in product.layers:
        return None
    longitude = product.number("hyp3_reference_longitude")
    latitude = product.number("hyp3_reference_latitude")
    if longitude is None or latitude is None:
        return None
    x, y = to_geographic(raster.crs).transform(longitude, latitude, direction="INVERSE")
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    column = int((x - raster.left) // raster.spacing)
    row = int((raster.top - y) // raster.spacing)
    if not (0 <= row < raster.height and 0 <= column < raster.width):
        return None
    rows = slice(max(row - 1, 0), min(row + 2, raster.height))
    columns = slice(max(column - 1, 0), min(column + 2, raster.width))
    layer = product.layers[UNWRAPPED_PHASE]
    try:
        file = RasterFile(product.layer_path(layer.name), product.packed(layer.name))
        with closing(file):
            phase = np.empty((rows.stop - rows.start, columns.stop - columns.start), file.dtype)
            file.read(rows, columns, phase)
            file.check()
            note = product.notes.get(layer.name)
            missing = nodata_of(layer, file.dtype, file.nodata, note=note)
    except (RasterioError, OSError) as error:
        found = machine_error(f"The layer {layer.name} of {product}", error)
        if found is not None:
            raise found from error
        return None
    is_zero = phase[row - rows.start, column - columns.start] == 0
    is_data = ~(missing.where(phase) | np.isnan(phase))
    return (row, column) if is_zero and is_data.any() else None


def pixels_on_grid(
    placement: Placement, grid: Grid, reference: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the pixels of the grid (row, column) whose centers fall into a pixel of a product."""
    row, column = reference
    if placement.treatment is Treatment.COPY:
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
