"""Reads the raster of a layer: through GDAL, or past it where the pixels simply follow each other.

HyP3's interferograms are such files. GDAL reads them in strips of one row, each of which goes
through its block cache; that takes several times longer than to read the bytes.
"""

from __future__ import annotations

import bisect
from contextlib import ExitStack
from io import FileIO
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from ..products.tiff_header import PlainRows, read_header

_PART_BYTES = 1 << 21
"""So much stays in the processor's cache on its way from the file to the block."""


class RasterFile:
    """An open raster of one band; for one thread at a time.

    Parameters
    ----------
    path
        The file as GDAL knows it.

    Attributes
    ----------
    path
        As given.
    dtype
        Data type.
    nodata
        Value that the file declares as missing; None where it declares none.
    height, width
        Rows and columns.

    Raises
    ------
    OSError, rasterio.errors.RasterioError
        If the file is missing or damaged.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._files = ExitStack()
        self._is_closed = False
        self._dataset: rasterio.DatasetReader | None = None
        self._plain: _PlainPixels | None = None
        header = read_header(path, with_pixels=True)
        if header is not None and header.is_whole and header.pixels is not None:
            pixels = header.pixels
            file = self._files.enter_context(FileIO(path))
            self._plain = _PlainPixels(file, pixels)
            self.dtype, self.nodata = pixels.dtype, pixels.missing
            self.height, self.width = pixels.height, pixels.width
        else:
            dataset = self.dataset
            self.dtype, self.nodata = str(dataset.dtypes[0]), dataset.nodata
            self.height, self.width = dataset.height, dataset.width

    @property
    def dataset(self) -> rasterio.DatasetReader:
        """The file as GDAL sees it, opened when it is first asked for."""
        self._check_open()
        if self._dataset is None:
            self._dataset = self._files.enter_context(rasterio.open(self.path))
        return self._dataset

    @property
    def is_plain(self) -> bool:
        """Whether any rows can be read without reading others."""
        return self._plain is not None

    def read(self, rows: slice, columns: slice, out: NDArray[Any]) -> None:
        """Read a block that lies within the raster.

        Parameters
        ----------
        rows, columns
            The block; both ends given.
        out
            Takes it; shape (rows, columns), of a data type that holds the file's values.

        Raises
        ------
        OSError, rasterio.errors.RasterioError
            If the file cannot be read or has lost its end.
        """
        self._check_open()
        if self._plain is not None:
            self._plain.read(rows, columns, out)
            return
        shape = (columns.stop - columns.start, rows.stop - rows.start)
        self.dataset.read(1, window=Window(columns.start, rows.start, *shape), out=out)

    def close(self) -> None:
        """Close the file."""
        self._is_closed = True
        self._files.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise OSError("the file is closed")


class _PlainPixels:
    """Pixels that are read as the bytes that they are."""

    def __init__(self, file: FileIO, pixels: PlainRows) -> None:
        self._file = file
        self._dtype = np.dtype(pixels.dtype)
        self._height, self._width = pixels.height, pixels.width
        self._rows, self._begins = zip(*pixels.runs, strict=True)

    def read(self, rows: slice, columns: slice, out: NDArray[Any]) -> None:
        line = self._width * self._dtype.itemsize
        height = min(max(1, _PART_BYTES // line), rows.stop - rows.start)
        lines = np.empty((height, self._width), self._dtype)
        first = rows.start
        while first < rows.stop:
            run = bisect.bisect_right(self._rows, first) - 1
            end = self._rows[run + 1] if run + 1 < len(self._rows) else self._height
            part = lines[: min(end, rows.stop) - first]
            self._file.seek(self._begins[run] + (first - self._rows[run]) * line)
            self._fill(part)
            here = first - rows.start
            out[here : here + len(part)] = part[:, columns]
            first += len(part)

    def _fill(self, lines: NDArray[Any]) -> None:
        target = lines.data.cast("B")
        while target:
            count = self._file.readinto(target)
            if not count:
                raise OSError("the file has lost its end")
            target = target[count:]
