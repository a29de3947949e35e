"""Reads the raster of a layer: through GDAL, or past it where the pixels simply follow each other.

HyP3's interferograms are such files. GDAL reads them in strips of one row, each of which goes
through its block cache; that takes several times longer than to read the bytes.
"""

from __future__ import annotations

import bisect
from contextlib import ExitStack
from io import BytesIO, FileIO, RawIOBase
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.io import MemoryFile
from rasterio.windows import Window

from ..inputs.packed import CONTENTS, PackedFile
from ..inputs.tiff_header import PlainRows, read_beginning, read_header

_PART_BYTES = 1 << 21
"""So much stays in the processor's cache on its way from the file to the block."""


class RasterFile:
    """An open raster of one band; for one thread at a time.

    Parameters
    ----------
    path
        The file as GDAL knows it.
    packed
        The same file, if it is in a zip; closed with this one.

    Attributes
    ----------
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
    ProductError
        If it is damaged in its zip; also while it is read.
    """

    def __init__(self, path: str, packed: PackedFile | None = None) -> None:
        self._path = path
        self._packed = packed
        self._files = ExitStack()
        self._is_closed = False
        self._dataset: rasterio.DatasetReader | None = None
        self._plain: _PlainPixels | None = None
        if packed is not None:
            self._files.enter_context(packed)
            header = read_beginning(packed.head, packed.size, with_pixels=True)
        else:
            header = read_header(path, with_pixels=True)
        if header is not None and header.is_whole and header.pixels is not None:
            pixels = header.pixels
            file = packed or self._files.enter_context(FileIO(path))
            self._plain = _PlainPixels(file, pixels)
            self.dtype, self.nodata = pixels.dtype, pixels.missing
            self.height, self.width = pixels.height, pixels.width
        else:
            dataset = self.dataset
            self.dtype, self.nodata = str(dataset.dtypes[0]), dataset.nodata
            self.height, self.width = dataset.height, dataset.width

    @property
    def path(self) -> str:
        """The file as GDAL is to read it: of a zip, checked, and from memory where there is room.

        Raises
        ------
        ProductError
            If the file is damaged in its zip.
        """
        self._hold()
        return self._path

    def unpack(self) -> None:
        """Prepare for reading in any order.

        Raises
        ------
        ProductError
            If the file is damaged in its zip.
        """
        self._hold()
        if self._plain is not None and isinstance(self._plain.file, PackedFile):
            # It would begin anew each time it goes back; GDAL does not.
            self._plain = None

    def _hold(self) -> None:
        packed = self._packed
        if packed is not None and CONTENTS.take(packed.size):
            self._files.callback(CONTENTS.give_back, packed.size)
            content = packed.content()
            self._path = self._files.enter_context(MemoryFile(content, ext=".tif")).name
            if self._plain is not None:
                self._plain.file = BytesIO(content)
        elif packed is not None:
            packed.check()
        self._packed = None

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

    def check(self) -> None:
        """Check what was read: of a file in a zip, whether it is whole.

        Raises
        ------
        ProductError
            If it is damaged.
        """
        if self._packed is not None:
            self._packed.check()

    def close(self) -> None:
        """Close the file."""
        self._is_closed = True
        self._files.close()

    def _check_open(self) -> None:
        if self._is_closed:
            raise OSError("the file is closed")


class _PlainPixels:
    """Pixels that are read as the bytes that they are."""

    def __init__(self, file: RawIOBase | BytesIO, pixels: PlainRows) -> None:
        self.file = file
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
            self.file.seek(self._begins[run] + (first - self._rows[run]) * line)
            self._fill(part)
            here = first - rows.start
            out[here : here + len(part)] = part[:, columns]
            first += len(part)

    def _fill(self, lines: NDArray[Any]) -> None:
        target = lines.data.cast("B")
        while target:
            count = self.file.readinto(target)
            if not count:
                raise OSError("the file has lost its end")
            target = target[count:]
