"""Reads a block of a layer on the grid of the stack, copied or warped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.windows import Window

from ..errors import ProductError
from ..products.layers import Layer, LayerKind
from .bands import Band
from .lattice import Grid
from .plan import Placement, Transfer
from .reach import Reach
from .scales import MISSING_DECIBEL, convert_scale
from .warping import Warp, Warps

BLOCK_CACHE_MEGABYTES = 64
"""GDAL's own cache; its default is a twentieth of the machine's memory."""


def gdal_environment() -> rasterio.Env:
    """Return the GDAL settings of a run, to be entered in the main thread."""
    return rasterio.Env(
        GDAL_CACHEMAX=BLOCK_CACHE_MEGABYTES,
        # Products lie in folders of dozens of files, which GDAL would list for every file it opens.
        GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR",
        GDAL_NUM_THREADS="1",
        # GTIFF_DIRECT_IO would be quicker, but reads zeros where a file is cut.
    )


def resampling_of(layer: Layer, choice: str) -> Resampling:
    """Return the method for a layer that is warped.

    Parameters
    ----------
    layer
        The layer.
    choice
        ``auto``: bilinear for continuous layers, nearest for all others (an unwrapped phase is
        continuous only inside one unwrapped area). Any other method is used for continuous layers
        and for unwrapped phase; classes and angles with a seam keep nearest.
    """
    if layer.kind in (LayerKind.CATEGORICAL, LayerKind.CYCLIC):
        return Resampling.nearest
    if choice == "auto":
        continuous = layer.kind is LayerKind.CONTINUOUS
        return Resampling.bilinear if continuous else Resampling.nearest
    return Resampling[choice]


class LayerReader:
    """Reads blocks of one layer of one product on the grid of the stack, as HyP3 stores values.

    To be used as a context manager; it keeps the file open.

    Parameters
    ----------
    placement
        Product and place.
    layer
        Layer to read.
    grid
        Grid of the stack.
    resampling
        Method where the product is warped.
    outside
        Value where the product has none; None stands for the file's own value for missing data, or
        where every value is data (heights in whole meters) for the lowest of its data type.
    warps
        Those of layers that are open together and read block by block; None for a layer alone.

    Attributes
    ----------
    dtype
        Data type of the blocks.
    missing
        Value that means no data in the file; None where every value is data.
    nodata
        What a file of the blocks has to declare as missing, None for nothing.

    Raises
    ------
    ProductError
        If the file cannot be opened or, later, read.
    """

    def __init__(
        self,
        placement: Placement,
        layer: Layer,
        grid: Grid,
        resampling: Resampling,
        outside: float | None,
        warps: Warps | None = None,
    ) -> None:
        self._placement = placement
        self._layer = layer
        self._outputs = ExitStack()
        scale = placement.product.name.scale if layer.is_backscatter else None
        with self._sentence():
            path = placement.product.layer_path(layer.name)
            self.file = self._outputs.enter_context(rasterio.open(path))
            self.missing = _missing(layer, self.file, scale)
            self.nodata = self.file.nodata
            if outside is None and self.missing is None and not layer.is_mask:
                outside = self.nodata = _lowest(self.file)
            elif outside is None:
                outside = 0.0 if self.missing is None else self.missing
            self.outside = outside
            self.dtype = _dtype(self.file, outside)
            self._from_power = None if scale in (None, "power") else scale
        self._warp: Warp | None = None
        if placement.transfer is Transfer.WARP:
            self._join(grid, resampling, warps or self._outputs.enter_context(Warps()))

    def _join(self, grid: Grid, resampling: Resampling, warps: Warps) -> None:
        """Let the layer be warped with others of the same settings."""
        # Backscatter is warped as power, in which 0 means no data.
        is_power = self._from_power is not None
        missing, outside = (0.0, 0.0) if is_power else (self.missing, self.outside)
        name = self._placement.product.name.text
        raster = self._placement.raster
        self._warp = warps.shared(
            name, Warp(raster, grid, resampling, missing, outside, self.dtype)
        )
        self._band = self._warp.join(Band(self.file, self.missing, self._from_power))

    def __enter__(self) -> LayerReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._outputs.close()

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns), in the data type :attr:`dtype`."""
        with self._sentence():
            if self._warp is None:
                return self._copy(rows, columns)
            block = self._warp.read(self._band, rows, columns)
        if self._from_power is None:
            return block
        absent = block <= 0
        scaled = convert_scale(block, "power", self._from_power)
        scaled[absent] = self.outside
        return scaled

    def reach(self, rows: slice, columns: slice) -> Reach:
        """Tell where in a block there may be data, for less than what warping takes."""
        if self._warp is None:
            raise TypeError("Only layers that are warped tell their reach.")
        with self._sentence():
            return self._warp.reach(rows, columns)

    def _copy(self, rows: slice, columns: slice) -> NDArray[Any]:
        place = self._placement
        first_row, first_column = rows.start - place.row, columns.start - place.column
        inner_rows = slice(max(first_row, 0), min(rows.stop - place.row, self.file.height))
        inner_columns = slice(
            max(first_column, 0), min(columns.stop - place.column, self.file.width)
        )
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        if inner_rows.start >= inner_rows.stop or inner_columns.start >= inner_columns.stop:
            return np.full(shape, self.outside, self.dtype)
        block = np.empty(shape, self.dtype)
        down = slice(inner_rows.start - first_row, inner_rows.stop - first_row)
        across = slice(inner_columns.start - first_column, inner_columns.stop - first_column)
        self.file.read(1, window=_window(inner_rows, inner_columns), out=block[down, across])
        above, below = block[: down.start], block[down.stop :]
        left, right = block[down, : across.start], block[down, across.stop :]
        for edge in (above, below, left, right):
            edge[:] = self.outside
        return block

    @contextmanager
    def _sentence(self) -> Iterator[None]:
        product = self._placement.product
        try:
            yield
        except (RasterioError, OSError) as error:
            self._outputs.close()
            raise ProductError(
                f"The layer {self._layer.name} of {product} is damaged and cannot be read; "
                "retrieve the product again, or leave it out with the rule skip for bad products.",
                product=product.name.text,
            ) from error


def _missing(layer: Layer, dataset: rasterio.DatasetReader, scale: str | None) -> float | None:
    """Return the stored value that means no data."""
    if layer.missing is not None or layer.is_mask:
        return layer.missing
    if dataset.nodata is None and scale is not None:
        return MISSING_DECIBEL if scale == "decibel" else 0.0
    # Other layers that should have no such value had one in some versions of HyP3.
    return None if dataset.nodata is None else float(dataset.nodata)


def _lowest(dataset: rasterio.DatasetReader) -> float:
    dtype = np.dtype(dataset.dtypes[0])
    return float(np.iinfo(dtype).min if dtype.kind in "iu" else np.finfo(dtype).min)


def _dtype(dataset: rasterio.DatasetReader, outside: float) -> str:
    """Return the file's data type, or float32 where integers have to make room for NaN."""
    stored = str(dataset.dtypes[0])
    return "float32" if np.isnan(outside) and not stored.startswith("float") else stored


class BlockReader:
    """Reads blocks of one layer of one product with missing data as the stack marks them.

    To be used as a context manager; it keeps the file open.

    Parameters
    ----------
    placement, layer, grid, resampling
        As for :class:`LayerReader`.
    reference
        Row and column of the phase reference pixel in the product's raster, where 0 is a value.
    warps
        As for :class:`LayerReader`.

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
        self._clip = "valid_range" in layer.attributes and resampling is Resampling.cubic
        has_reference = reference is not None and layer.kind is LayerKind.UNWRAPPED
        self._zeros = (
            _reference_on_grid(placement, grid, reference) if has_reference and reference else []
        )
        self._stored = LayerReader(placement, layer, grid, resampling, float(layer.fill), warps)

    def __enter__(self) -> BlockReader:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stored.__exit__(*exception)

    def reach(self, rows: slice, columns: slice) -> Reach:
        """See :meth:`LayerReader.reach`."""
        return self._stored.reach(rows, columns)

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns).

        float32 with NaN, or uint8 with 255, where data are missing.
        """
        stored = self._stored.read(rows, columns)
        if self._layer.is_mask:
            return _class_numbers(stored, self._placement, self._layer)
        block = stored.astype("float32", copy=False)
        missing = self._stored.missing
        if missing is not None and self._placement.transfer is Transfer.COPY:
            np.copyto(block, np.nan, where=block == np.float32(missing))
        if self._clip:
            np.clip(block, *self._layer.attributes["valid_range"], out=block)
        for row, column in self._zeros:
            # Masking took the zero of the reference pixel for missing data.
            if rows.start <= row < rows.stop and columns.start <= column < columns.stop:
                inside = (row - rows.start, column - columns.start)
                if np.isnan(block[inside]):
                    block[inside] = 0.0
        return block


def _class_numbers(stored: NDArray[Any], placement: Placement, layer: Layer) -> NDArray[np.uint8]:
    missing = layer.missing
    if missing is not None and missing != layer.fill and placement.transfer is Transfer.COPY:
        stored = np.where(stored == missing, np.asarray(layer.fill, stored.dtype), stored)
    if stored.dtype == np.uint8:
        return stored
    if stored.size and not (stored.min() >= 0 and stored.max() <= layer.fill):
        raise ProductError(
            f"The layer {layer.name} of {placement.product} holds class numbers above "
            f"{layer.fill:.0f}; leave the layer out of LAYERS.",
            product=placement.product.name.text,
        )
    return stored.astype("uint8")


def _reference_on_grid(
    placement: Placement, grid: Grid, reference: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the grid pixels whose centers fall into the reference pixel."""
    row, column = reference
    if placement.transfer is Transfer.COPY:
        return [(row + placement.row, column + placement.column)]
    raster = placement.raster
    to_grid = Transformer.from_crs(f"EPSG:{raster.epsg}", grid.crs, always_xy=True)
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


def _window(rows: slice, columns: slice) -> Window:
    return Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
