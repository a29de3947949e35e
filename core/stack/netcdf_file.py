"""A NetCDF-4 file: laid out by netCDF4, filled with chunks that threads have compressed.

HDF5 compresses one chunk at a time under a global lock. Here each thread shuffles and deflates its
own chunks (ISA-L writes the same zlib format as HDF5's own filter) and only storing is serial,
through HDF5's direct chunk write.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import h5py
import netCDF4
import numpy as np
import xarray as xr
from isal import isal_zlib
from numpy.typing import NDArray

from ..products.layers import Layer
from .dataset import StackLayer, on_disk

_DEFLATE_LEVEL: Literal[1] = 1
"""Recorded in the file; readers do not need it."""


class NetcdfFile:
    """A NetCDF file open for writing.

    Blocks may be written from many threads as long as no two touch the same chunk.

    Parameters
    ----------
    path
        File to make.
    dataset
        The stack; its coordinates are written at once, its layers only laid out.
    layers
        The layers of the stack.
    chunks
        Steps (1), rows and columns of a chunk.
    """

    def __init__(
        self,
        path: Path,
        dataset: xr.Dataset,
        layers: Sequence[StackLayer],
        chunks: tuple[int, int, int],
    ) -> None:
        self._path = path
        self._chunks = chunks[1:]
        laid_out = on_disk(dataset)
        names = [item.name for item in layers]
        laid_out.drop_vars(names).to_netcdf(path, engine="netcdf4", format="NETCDF4")
        with netCDF4.Dataset(path, "a") as file:
            # Chunks that are never written read as the fill value.
            for item in layers:
                variable = laid_out[item.name].variable
                target = file.createVariable(
                    item.name,
                    np.dtype(item.layer.dtype),
                    tuple(map(str, variable.dims)),
                    compression="zlib",
                    complevel=_DEFLATE_LEVEL,
                    shuffle=True,
                    chunksizes=(1, *self._chunks) if item.per_step else self._chunks,
                    fill_value=variable.encoding["_FillValue"],
                )
                target.setncatts(variable.attrs)
        self._file = h5py.File(path, "r+")

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Compress and store a block of whole chunks; chunks without data are left out.

        Parameters
        ----------
        item
            The layer.
        steps, rows, columns
            Position of the block, one step long; ``steps`` counts only where the layer changes with
            the steps.
        block
            Shape (1, rows, columns) or (rows, columns).
        """
        plane = block[0] if item.per_step else block
        height, width = self._chunks
        target = self._file[item.name].id
        for row in range(rows.start, rows.stop, height):
            for column in range(columns.start, columns.stop, width):
                chunk = plane[
                    row - rows.start : row - rows.start + height,
                    column - columns.start : column - columns.start + width,
                ]
                data = _encode(chunk, (height, width), item.layer)
                if data is not None:
                    offset = (steps.start, row, column) if item.per_step else (row, column)
                    with _plain_errors():
                        target.write_direct_chunk(offset, data)

    def finish(
        self,
        attributes: Mapping[str, Mapping[str, Any]],
        values: Mapping[str, NDArray[Any]],
        stack_attributes: Mapping[str, Any],
    ) -> None:
        """Close the file and add what is known only after all blocks were read."""
        self.close()
        with netCDF4.Dataset(self._path, "a") as file:
            for name, added in attributes.items():
                file[name].setncatts(added)
            for name, array in values.items():
                file[name][:] = array
            file.setncatts(stack_attributes)

    def close(self) -> None:
        """Close the file; may be called twice."""
        with _plain_errors():
            self._file.close()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Reduce HDF5's errors to the words of the operating system, which they hold among others."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        words = re.search("error message = '([^']+)'", str(error))
        reason = words.group(1) if words else str(error).partition("\n")[0]
        raise OSError(getattr(error, "errno", None) or errno.EIO, reason) from error


def _encode(chunk: NDArray[Any], shape: tuple[int, int], layer: Layer) -> bytes | None:
    """Return a chunk as HDF5 stores it (padded, shuffled, deflated), None where it has no data."""
    empty = (chunk == layer.fill).all() if layer.is_mask else np.isnan(chunk).all()
    if empty:
        return None
    if chunk.shape != shape:
        padded = np.full(shape, layer.fill, chunk.dtype)
        padded[: chunk.shape[0], : chunk.shape[1]] = chunk
        chunk = padded
    # HDF5's shuffle filter: first bytes of all values, then second bytes, ...
    shuffled = np.ascontiguousarray(chunk).view("uint8").reshape(-1, chunk.itemsize).T
    return bytes(isal_zlib.compress(np.ascontiguousarray(shuffled), _DEFLATE_LEVEL))


def compressed_bytes(block: NDArray[Any], layer: Layer) -> int:
    """Return how many bytes a block, shape (rows, columns), takes as one chunk of a file."""
    return len(_encode(block, block.shape, layer) or b"")
