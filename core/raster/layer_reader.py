"""Reads a block of a layer on the grid of the stack, copied or warped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import CRSError, RasterioError

from ..errors import ProductError
from ..grid.lattice import Grid
from ..grid.placement import Placement, Treatment
from ..inputs.read_errors import reading_error
from ..machine.blocks import cached_bands
from ..products.layers import Layer, LayerKind
from ..products.nodata import NoData, nodata_of
from .bands import Band
from .raster_file import RasterFile
from .reach import Reach
from .scales import convert_scale
from .warping import Warp, Warps

BLOCK_CACHE_MEGABYTES = 64
"""GDAL's own cache; its default is a twentieth of the machine's memory."""


_LEAST = 1e-5
"""Least value of a positive layer that is warped by cubic convolution, which overshoots below 0 and
above 1 beside bright targets. 0 means no data in files of HyP3 and gives none in decibels; this is
next to nothing in all units: as backscatter -50 dB, far below the noise of Sentinel-1."""


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
    """Reads blocks of one layer of one product on the grid of the stack, in its own numbers.

    To be used as a context manager; it keeps the file open.

    Parameters
    ----------
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
    outside
        Value of missing data in the blocks, which a file of them has to declare.

    Raises
    ------
    ProductError
        If the file cannot be opened or, later, read.
    MachineError
        If a limit of the machine or a disk is at fault.
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
        self._warp: Warp | None = None
        scale = placement.product.name.scale if layer.is_backscatter else None
        with self._sentence():
            product = placement.product
            self._file = RasterFile(product.layer_path(layer.name), product.packed(layer.name))
            self._outputs.callback(self._file.close)
            self._missing = nodata_of(
                layer, self._file.dtype, self._file.nodata, scale, product.notes.get(layer.name)
            )
            if outside is None:
                outside = _outside(layer, self._file.dtype, self._missing)
            self.outside = outside
            self.dtype = _dtype(self._file.dtype, outside)
            # Pixels that are averaged are averaged as power.
            is_averaged = resampling is not Resampling.nearest
            self._from_power = scale if is_averaged and scale != "power" else None
            self._limits: tuple[float, float] | None = None
            if layer.is_positive and resampling is Resampling.cubic:
                self._limits = (_LEAST, layer.limits[1])
            if placement.treatment is Treatment.WARP:
                self._join(grid, resampling, warps or self._outputs.enter_context(Warps()))

    def _join(self, grid: Grid, resampling: Resampling, warps: Warps) -> None:
        """Let the layer be warped with others of the same product."""
        place = self._placement
        band = Band(self._file, self._missing, self.outside, self.dtype, self._from_power)
        self._warp = warps.of(place.product.name.text, place.raster, grid, resampling, band)
        self._band = self._warp.join(band)

    def __enter__(self) -> LayerReader:
        return self

    def __exit__(self, *exception: Any) -> None:
        """Close the file, which after all has to be whole.

        Raises
        ------
        ProductError
            If it is not, so that nothing that was read of it counts.
        """
        try:
            if not any(exception):
                with self._sentence():
                    self._file.check()
        finally:
            self._outputs.close()

    def read(self, rows: slice, columns: slice) -> NDArray[Any]:
        """Return a block of the grid, shape (rows, columns), in the data type :attr:`dtype`."""
        with self._sentence():
            if self._warp is None:
                return self._copy(rows, columns)
            block = self._warp.read(self._band, rows, columns)
        if self._limits is not None:
            self._clip(block, *self._limits)
        if self._from_power is None:
            return block
        absent = block <= 0
        convert_scale(block, "power", self._from_power)
        np.copyto(block, self.outside, where=absent)
        return block

    def _clip(self, block: NDArray[Any], low: float, high: float) -> None:
        outside = self.outside if self._from_power is None else 0.0
        for band in cached_bands(block.shape):
            part = block[band]
            np.clip(part, low, high, out=part, where=part != outside)

    def tags(self) -> dict[str, str]:
        """Return the tags of the file."""
        with self._sentence():
            return dict(self._file.dataset.tags())

    def reach(self, rows: slice, columns: slice) -> Reach:
        """Return where in a block there may be data, for less than what warping takes."""
        if self._warp is None:
            raise TypeError("Only layers that are warped have a reach.")
        with self._sentence():
            return self._warp.reach(rows, columns)

    def _copy(self, rows: slice, columns: slice) -> NDArray[Any]:
        place = self._placement
        first_row, first_column = rows.start - place.row, columns.start - place.column
        inner_rows = slice(max(first_row, 0), min(rows.stop - place.row, self._file.height))
        inner_columns = slice(
            max(first_column, 0), min(columns.stop - place.column, self._file.width)
        )
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        if inner_rows.start >= inner_rows.stop or inner_columns.start >= inner_columns.stop:
            return np.full(shape, self.outside, self.dtype)
        block = np.empty(shape, self.dtype)
        down = slice(inner_rows.start - first_row, inner_rows.stop - first_row)
        across = slice(inner_columns.start - first_column, inner_columns.stop - first_column)
        inside = block[down, across]
        # GDAL may have to unpack more rows than these to read any of them.
        for part in cached_bands(inside.shape) if self._file.is_plain else [slice(len(inside))]:
            values = inside[part]
            first = inner_rows.start + (part.start or 0)
            self._file.read(slice(first, first + len(values)), inner_columns, values)
            self._missing.replace(values, self.outside)
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
        except ProductError:
            self._outputs.close()
            raise
        except (RasterioError, CRSError, OSError) as error:
            self._outputs.close()
            what = f"The layer {self._layer.name} of {product}"
            damaged = (
                f"{what} is damaged and cannot be read; retrieve the product again, or leave it "
                "out with the rule skip for bad products."
            )
            file = product.file(self._layer.name)
            raise reading_error(what, file, error, product.name.text, damaged) from error


def _outside(layer: Layer, dtype: str, missing: NoData) -> float:
    """Return the value of missing data in blocks that keep the numbers of a file."""
    if missing.value is not None:
        return missing.value
    if layer.is_mask:
        return 0.0
    is_integer = np.dtype(dtype).kind in "iu"
    return float(np.iinfo(dtype).min if is_integer else np.finfo(dtype).min)


def _dtype(stored: str, outside: float) -> str:
    """Return a file's data type, or float32 where integers have to make room for NaN."""
    return "float32" if np.isnan(outside) and not stored.startswith("float") else stored
