"""A NetCDF-4 file: chunks that threads compress wait in a spool, then netCDF4 lays out the file.

HDF5 compresses one chunk at a time under a global lock. Here each thread shuffles and deflates its
own chunks (ISA-L writes the same zlib format as HDF5's own filter) and only storing is serial,
through HDF5's direct chunk write. An HDF5 file whose writer dies is lost as a whole, so it is put
together at the end from chunks in plain files, which survive.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import h5py
import netCDF4
import numpy as np
import xarray as xr
from isal import isal_zlib
from numpy.typing import NDArray
from xarray.backends import NetCDF4DataStore

from ..dataset.dataset import on_disk
from ..dataset.stack_layer import StackLayer
from ..errors import OutputError
from ..machine.atomic import remove
from ..machine.disk import has_room
from ..products.layers import Layer
from ..run.reporter import Reporter, stop_if_canceled
from ..work.pieces import Receipt, Receipts
from .receipts import checksum, failing, in_safe_order, receipt

_DEFLATE_LEVEL: Literal[1] = 1
"""Recorded in the file; readers do not need it."""

_TRIED_BYTES = 1 << 20
"""More than HDF5 writes at once of what describes a file."""


NETCDF = "netcdf"
"""First part of the names of chunks of a file."""


@dataclass(frozen=True)
class NetcdfSpool:
    """A folder of compressed chunks; blocks may be written from many threads and processes."""

    folder: Path  # where the chunks wait, one file for each block
    # Rows and columns of a chunk of the NetCDF file. Blocks begin at multiples of them.
    chunks: tuple[int, int]

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> Receipts:
        """Compress and keep a block of one step; see :class:`core.outputs.output.Sink`."""
        receipts: Receipts = {}
        plane = block[0] if item.per_step else block
        height, width = self.chunks
        places: list[tuple[int, int, int]] = []
        encoded: list[bytes] = []
        for row in range(rows.start, rows.stop, height):
            for column in range(columns.start, columns.stop, width):
                chunk = plane[
                    row - rows.start : row - rows.start + height,
                    column - columns.start : column - columns.start + width,
                ]
                data = encode_chunk(chunk, self.chunks, item.layer)
                if data is not None:
                    places.append((row, column, len(data)))
                    encoded.append(data)
                    name = _chunk_name(item.name, steps.start, row, column)
                    receipts[f"{NETCDF}/{name}"] = receipt(data)
        if not encoded:
            return receipts
        name = f"{item.name}.{steps.start}.{rows.start}.{columns.start}"
        partial = self.folder / f"{name}.{os.getpid()}-{id(block)}.partial"
        with open(partial, "wb") as file:
            file.write(np.array([len(places)], "<i8").tobytes())
            file.write(np.array(places, "<i8").tobytes())
            file.writelines(encoded)
        os.replace(partial, self.folder / name)
        return receipts

    def blocks(self) -> list[tuple[str, int, Path]]:
        """Return variable, step and file of all blocks, in the order in which they are stored."""
        found = []
        for path in self.folder.iterdir():
            if path.suffix != ".partial":
                name, *numbers = path.name.split(".")
                found.append((name, [int(number) for number in numbers], path))
        return [(name, numbers[0], path) for name, numbers, path in sorted(found)]

    def read(
        self, item: StackLayer, step: int, rows: slice, columns: slice, out: NDArray[Any]
    ) -> None:
        """Read a part of a map of a layer that changes with the steps; see `write`."""
        out[...] = item.layer.fill
        height, width = self.chunks
        for path in self.folder.glob(f"{item.name}.{step}.*"):
            for row, column, data in _stored_chunks(path):
                top, left = max(row, rows.start), max(column, columns.start)
                bottom = min(row + height, rows.stop)
                right = min(column + width, columns.stop)
                if top < bottom and left < right:
                    chunk = _decode(data, self.chunks, item.layer)
                    out[
                        top - rows.start : bottom - rows.start,
                        left - columns.start : right - columns.start,
                    ] = chunk[top - row : bottom - row, left - column : right - column]

    def renumber(self, names: Collection[str], numbers: Mapping[int, int]) -> None:
        """Give blocks of layers with steps other numbers, by those before; others are removed."""
        blocks: dict[int, list[Path]] = {}
        for name, step, path in self.blocks():
            if name in names and step in numbers:
                blocks.setdefault(step, []).append(path)
            else:
                path.unlink()
        for step in in_safe_order(numbers):
            for path in blocks.get(step, ()):
                name, _, rest = path.name.split(".", 2)
                path.rename(path.with_name(f"{name}.{numbers[step]}.{rest}"))

    def failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are not what they were when they were written.

        Files that hold anything else than what the receipts say are removed.
        """
        proven: set[str] = set()

        def is_right(text: str) -> bool:
            path = self.folder / text
            try:
                name, step = path.name.split(".")[:2]
                chunks = {
                    _chunk_name(name, int(step), row, column): receipt(data)
                    for row, column, data in _stored_chunks(path)
                }
            except (ValueError, OSError, OutputError):
                return False
            if any(receipts.get(chunk) != made for chunk, made in chunks.items()):
                return False
            proven.update(chunks)
            return True

        files = [path.name for path in self.folder.iterdir()]
        for text in failing(files, is_right, reporter):
            remove(self.folder / text)
        return set(receipts) - proven


def write_netcdf(
    path: Path,
    dataset: xr.Dataset,
    layers: Sequence[StackLayer],
    spool: NetcdfSpool,
    keep_spool: bool,
    reporter: Reporter,
) -> None:
    """Put a NetCDF file together.

    Parameters
    ----------
    path
        File to make; an unfinished one of that name is begun anew.
    dataset
        The stack; its coordinates are written as they are, its layers only laid out.
    spool
        Holds their chunks.
    keep_spool
        Whether the chunks stay in the spool as well, for another attempt; else they leave it one by
        one, so that no disk has to hold them twice.
    """
    with plain_errors(path):
        _lay_out(path, dataset, layers, spool.chunks)
    per_step = {item.name for item in layers if item.per_step}
    blocks = spool.blocks()
    with plain_errors(path), h5py.File(path, "r+") as file:
        for done, (name, step, block) in enumerate(blocks):
            stop_if_canceled(reporter)
            reporter.progress(100.0 * done / len(blocks))
            target = file[name].id
            for row, column, data in _stored_chunks(block):
                offset = (step, row, column) if name in per_step else (row, column)
                target.write_direct_chunk(offset, data)
            if not keep_spool:
                block.unlink()


def failing_chunks(
    path: Path,
    layers: Sequence[StackLayer],
    receipts: Mapping[str, Receipt],
    reporter: Reporter,
) -> set[str]:
    """Return the chunks of a file that are missing, not those of their receipts, or too many.

    Parameters
    ----------
    path
        A file that :func:`write_netcdf` has made.
    receipts
        All that was written to the spool.
    """
    found: dict[str, tuple[int, int]] = {}
    odd: set[str] = set()
    with h5py.File(path, "r") as file:
        for item in layers:

            def note(chunk: Any, layer: str = item.name) -> None:
                step, row, column = (0, *chunk.chunk_offset)[-3:]
                name = _chunk_name(layer, step, row, column)
                found[name] = chunk.byte_offset, chunk.size
                if chunk.filter_mask:
                    odd.add(name)

            file[item.name].id.chunk_iter(note)

    def is_right(name: str) -> bool:
        begin, stored = found[name]
        size, value, _ = receipts[name]
        with open(path, "rb", buffering=0) as file:
            file.seek(begin)
            return stored == size and checksum(file, size) == value

    both = receipts.keys() & found.keys()
    return odd | (receipts.keys() ^ found.keys()) | failing(both, is_right, reporter)


def fits_twice(spool: NetcdfSpool) -> bool:
    """Return whether the disk has room for the chunks of a spool a second time."""
    size = sum(entry.stat().st_size for entry in os.scandir(spool.folder))
    # The index of the chunks and the other variables come on top.
    return has_room(spool.folder, size + size // 20)


def _lay_out(
    path: Path, dataset: xr.Dataset, layers: Sequence[StackLayer], chunks: tuple[int, int]
) -> None:
    laid_out = on_disk(dataset)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        for dimension, size in laid_out.sizes.items():
            file.createDimension(str(dimension), size)
        # They come first, as many programs show the first variable with two dimensions. Chunks that
        # are never written read as the fill value.
        for item in layers:
            variable = laid_out[item.name].variable
            target = file.createVariable(
                item.name,
                np.dtype(item.layer.dtype),
                tuple(map(str, variable.dims)),
                compression="zlib",
                complevel=_DEFLATE_LEVEL,
                shuffle=True,
                chunksizes=(1, *chunks) if item.per_step else chunks,
                fill_value=variable.encoding["_FillValue"],
            )
            target.setncatts(variable.attrs)
        rest = laid_out.drop_vars([item.name for item in layers])
        # Text of variable length makes netCDF4 1.7.4 and 1.7.5 crash when a file is opened again.
        texts = {
            name: {"dtype": "S1"}
            for name, variable in rest.variables.items()
            if variable.dtype.kind == "U"
        }
        # to_netcdf would import all of distributed to ask whether it runs on a cluster.
        rest.load().dump_to_store(NetCDF4DataStore(file), encoding=texts)


def _stored_chunks(block: Path) -> Iterator[tuple[int, int, memoryview]]:
    """Read the chunks of a block of the spool: row, column and compressed bytes."""
    data = memoryview(block.read_bytes())
    count = int.from_bytes(data[:8], "little")
    start = 8 + 24 * count
    places = np.frombuffer(data[8:start], "<i8") if 8 < start <= len(data) else np.empty(0, int)
    if not places.size or len(data) != start + sum(places[2::3].tolist()):
        raise OutputError(f"{block} was damaged while the build used it; run the build again.")
    for row, column, size in places.reshape(-1, 3).tolist():
        yield row, column, data[start : start + size]
        start += size


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Reduce errors of writing to a file to the words of the operating system.

    HDF5 names them among others; netCDF4 says that there is an error, or that access is denied, so
    that the disk is asked.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    try:
        yield
    except (OSError, RuntimeError) as error:
        words = re.search("error message = '([^']+)'", str(error))
        if words is None:
            _try_disk(path.parent)
        said = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        # The numbers of netCDF4's own errors are negative.
        number = max(getattr(error, "errno", None) or 0, 0) or errno.EIO
        raise OSError(number, words.group(1) if words else said) from error


def _try_disk(folder: Path) -> None:
    """Write a little into a folder, so that the operating system says why it cannot be done."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_TRIED_BYTES))


def _chunk_name(variable: str, step: int, row: int, column: int) -> str:
    return f"{variable}/{step}.{row}.{column}"


def encode_chunk(chunk: NDArray[Any], shape: tuple[int, int], layer: Layer) -> bytes | None:
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


def _decode(data: memoryview, shape: tuple[int, int], layer: Layer) -> NDArray[Any]:
    """Return a chunk that `encode_chunk` made."""
    size = np.dtype(layer.dtype).itemsize
    shuffled = np.frombuffer(isal_zlib.decompress(data), "uint8").reshape(size, -1)
    return np.ascontiguousarray(shuffled.T).view(layer.dtype).reshape(shape)
