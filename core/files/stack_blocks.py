"""Reads blocks of the layers of a written stack, in the thread that wants them.

xarray and h5py take a lock of the whole process for each block of a NetCDF file, and zarr hands
each chunk of a store to threads of its own and back. Chunks as stacks have them are read from where
they lie in the file instead, so that many threads decompress at once; all others, and those of an
object store, are left to h5py and zarr.
"""

from __future__ import annotations

import itertools
import math
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import zarr
from isal import isal_zlib
from numcodecs.blosc import Blosc
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, BytesCodec
from zarr.core.metadata import ArrayV2Metadata
from zarr.storage import FsspecStore

from ..errors import OutputError
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..products.layers import MASK_FILL
from .chunk_files import ChunkFiles, cut_chunks

ReadBlock = Callable[[tuple[int, ...], NDArray[Any]], None]
"""Fills a block, given the position of its first value."""

StackPlace = Path | RemoteLocation | LateMetadataStore
"""Where a stack is; the last of these holds one that is not published yet."""


LARGE_CHUNK = 64_000_000
"""Bytes; larger chunks, which other programs write, are decompressed one at a time."""


@dataclass(frozen=True)
class StoredArray:
    """A layer as it is stored."""

    shape: tuple[int, ...]  # (steps, rows, columns), or (rows, columns)
    dtype: np.dtype[Any]  # type of its values
    # Shape of the part that is decompressed at once; that of the layer where it has no chunks.
    chunks: tuple[int, ...]
    chunk_bytes: int  # size of that part once it is decompressed; 0 where it has no chunks
    read: ReadBlock


@dataclass(frozen=True)
class Packing:
    """How the numbers of a layer are packed by CF: not in stacks, but other programs do so."""

    missing: tuple[float, ...] = ()  # stored values that stand for missing data, beside NaN
    # Numbers are the stored values times the scale, plus the offset.
    scale: float = 1.0
    offset: float = 0.0

    def unpack(self, block: NDArray[Any]) -> NDArray[np.floating]:
        """Return the numbers of a block, which may be changed: floats, NaN where missing."""
        missing = np.isin(block, self.missing)
        numbers = block if block.dtype.kind == "f" else block.astype(np.float32)
        numbers[missing] = np.nan
        if (self.scale, self.offset) != (1.0, 0.0):
            numbers *= self.scale
            numbers += self.offset
        return numbers


class StackBlocks:
    """The layers of one dataset of a stack; can be pickled, and read from many threads.

    Parameters
    ----------
    place
        NetCDF file or Zarr store.
    group
        Group of the store; None for a NetCDF file and for a store without groups.
    packings
        Of the layers that are packed, by name.
    store
        The store in an object store, where it is open already; another process opens it itself.
    """

    def __init__(
        self,
        place: StackPlace,
        group: str | None,
        packings: Mapping[str, Packing] | None = None,
        store: FsspecStore | None = None,
    ) -> None:
        self._place = place
        self._group = group
        self._packings = packings or {}
        self._store = store
        self._arrays: dict[str, StoredArray] = {}
        self._lock = threading.Lock()
        self._large = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Take along where the stack is; another process opens it anew."""
        return type(self), (self._place, self._group, self._packings)

    def of_group(self, group: str) -> StackBlocks:
        """Return the same layers as another group of the store has them."""
        return type(self)(self._place, group, self._packings, self._store)

    def array(self, name: str) -> StoredArray:
        """Return a layer."""
        with self._lock:
            if name not in self._arrays:
                array = self._open(name)
                if array.chunk_bytes > LARGE_CHUNK:
                    array = replace(array, read=self._one_at_a_time(array.read))
                self._arrays[name] = array
            return self._arrays[name]

    def _one_at_a_time(self, read: ReadBlock) -> ReadBlock:
        def read_alone(begin: tuple[int, ...], out: NDArray[Any]) -> None:
            with self._large:
                read(begin, out)

        return read_alone

    def read(
        self, name: str, steps: slice | Sequence[int], rows: slice, columns: slice
    ) -> NDArray[Any]:
        """Read a block of a layer as stacks store it: floats that are packed are unpacked.

        Parameters
        ----------
        steps
            Which steps, ascending; counts only where the layer changes with the steps.
        rows, columns
            Position of the block, without a stride.

        Returns
        -------
        ndarray
            Shape (steps, rows, columns), or (rows, columns) for a layer without steps.
        """
        block = self._read(name, steps, rows, columns)
        packing = self._packings.get(name)
        return block if packing is None else packing.unpack(block)

    def _read(
        self, name: str, steps: slice | Sequence[int], rows: slice, columns: slice
    ) -> NDArray[Any]:
        array = self.array(name)
        *depth, height, width = array.shape
        lines = [range(*rows.indices(height)), range(*columns.indices(width))]
        if not depth:
            return _block(array, lines)
        numbers = range(depth[0])[steps] if isinstance(steps, slice) else [*map(int, steps)]
        if len(numbers) and array.chunks[0] > 1:
            # All of them are in the chunks that any of them takes.
            first = numbers[0]
            whole = _block(array, [range(first, numbers[-1] + 1), *lines])
            return whole[[number - first for number in numbers]] if _has_gaps(numbers) else whole
        block = np.empty((len(numbers), *map(len, lines)), array.dtype)
        begin = 0
        for run in _runs(numbers):
            array.read(_begin([run, *lines]), block[begin : begin + len(run)])
            begin += len(run)
        return block

    def read_once(
        self, name: str, steps: Sequence[int], rows: slice, columns: slice
    ) -> NDArray[Any]:
        """Read a layer without steps, or of one with steps what the first step with data has.

        The block has shape (rows, columns).
        """
        if len(self.array(name).shape) == 2:
            return self.read(name, slice(None), rows, columns)
        block = self.read(name, steps[:1], rows, columns)[0]
        for number in steps[1:]:
            missing = np.isnan(block) if block.dtype.kind == "f" else block == MASK_FILL
            if not missing.any():
                break
            block[missing] = self.read(name, [number], rows, columns)[0][missing]
        return block

    def _open(self, name: str) -> StoredArray:
        if isinstance(self._place, Path) and not self._place.is_dir():
            return _open_netcdf(self._place, name)
        store: Any = self._place if self._store is None else self._store
        if isinstance(store, RemoteLocation):
            store = store.store(read_only=True, shared=True)
        path = "/".join(filter(None, (self._group, name)))
        array = zarr.open_array(store, path=path, mode="r")
        if isinstance(self._place, Path) and _is_plain(array):
            files = ChunkFiles(self._place / path, array, Blosc())

            def read(begin: tuple[int, ...], out: NDArray[Any]) -> None:
                try:
                    files.read(begin, out)
                except OutputError as error:
                    raise OSError(f"a chunk of {path} is damaged") from error
        else:

            def read(begin: tuple[int, ...], out: NDArray[Any]) -> None:
                out[...] = array[_slices(begin, out.shape)]

        chunk_bytes = math.prod(array.chunks) * array.dtype.itemsize
        return StoredArray(array.shape, array.dtype, array.chunks, chunk_bytes, read)


def cut_at_chunks(begin: int, length: int, size: int) -> list[slice]:
    """Cut a run of pixels at multiples of a size; positions count from its beginning."""
    edges = [0, *range(size - begin % size, length, size), length]
    return [slice(one, other) for one, other in zip(edges, edges[1:], strict=False)]


def steps_by_chunk(steps: NDArray[np.intp], depth: int) -> list[slice]:
    """Divide ascending steps into those that share a chunk of that depth."""
    edges = np.flatnonzero(np.diff(steps // depth)) + 1
    bounds = [0, *edges.tolist(), steps.size]
    return [slice(one, other) for one, other in zip(bounds, bounds[1:], strict=False)]


def _is_plain(array: zarr.Array[Any]) -> bool:
    """Return whether the chunks of an array are compressed by Blosc and nothing else."""
    metadata = array.metadata
    if isinstance(metadata, ArrayV2Metadata):
        is_own_order = array.dtype.isnative and metadata.order == "C"
        return isinstance(metadata.compressor, Blosc) and not metadata.filters and is_own_order
    match metadata.codecs:
        case (BytesCodec(endian=endian), BloscCodec()):
            return endian is None or endian.value == sys.byteorder
    return False


def _open_netcdf(path: Path, name: str) -> StoredArray:
    with h5py.File(path, "r", locking=False) as file:
        dataset = file[name]
        shape, dtype, chunks = dataset.shape, dataset.dtype, dataset.chunks
        chunk_bytes = math.prod(chunks) * dtype.itemsize if chunks else 0
        plan = dataset.id.get_create_plist()
        filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
        known = [[], [h5py.h5z.FILTER_DEFLATE], [h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE]]
        index: dict[tuple[int, ...], tuple[int, int]] = {}
        odd = chunks is None or filters not in known or not dtype.isnative or file.userblock_size
        if not odd:

            def note(chunk: Any) -> None:
                nonlocal odd
                index[chunk.chunk_offset] = chunk.byte_offset, chunk.size
                odd = odd or chunk.filter_mask

            dataset.id.chunk_iter(note)
        if odd:

            def read(begin: tuple[int, ...], out: NDArray[Any]) -> None:
                with h5py.File(path, "r", locking=False) as file:
                    out[...] = file[name][_slices(begin, out.shape)]

            return StoredArray(shape, dtype, chunks or shape, chunk_bytes, read)
        source = _NetcdfChunks(path, chunks, np.asarray(dataset.fillvalue, dtype), filters, index)
        return StoredArray(shape, dtype, chunks, chunk_bytes, source.read)


@dataclass(frozen=True)
class _NetcdfChunks:
    """The chunks of a variable: which filters they went through, and where they lie in the file."""

    path: Path
    shape: tuple[int, ...]
    fill: NDArray[Any]
    filters: Sequence[int]
    index: dict[tuple[int, ...], tuple[int, int]]

    def read(self, begin: tuple[int, ...], out: NDArray[Any]) -> None:
        """Read a block of any position; chunks that were never written give the fill value."""
        with open(self.path, "rb", buffering=0) as file:
            for offset, there, here in cut_chunks(begin, out.shape, self.shape):
                if offset not in self.index:
                    out[here] = self.fill
                    continue
                position, size = self.index[offset]
                file.seek(position)
                data = file.read(min(size, os.fstat(file.fileno()).st_size))
                if len(data) != size:
                    raise OSError(f"{self.path.name} ends within a chunk")
                self._decode(data, there, out[here])

    def _decode(self, data: bytes, there: tuple[slice, ...], out: NDArray[Any]) -> None:
        count = int(np.prod(self.shape)) * out.itemsize
        if self.filters:
            try:
                inflated = isal_zlib.decompressobj()
                # One byte more, so that what is too long shows; damage may make it endless.
                data = inflated.decompress(data, count + 1)
            except isal_zlib.error as error:  # type: ignore[misc]
                raise OSError(f"a chunk of {self.path.name} is damaged: {error}") from error
        if len(data) != count or (self.filters and not inflated.eof):
            raise OSError(f"a chunk of {self.path.name} has another size")
        if h5py.h5z.FILTER_SHUFFLE not in self.filters:
            out[...] = np.frombuffer(data, out.dtype).reshape(self.shape)[there]
            return
        # HDF5's shuffle filter: first bytes of all values, then second bytes, ...
        planes = np.frombuffer(data, np.uint8).reshape(out.itemsize, *self.shape)
        target = out.view([("bytes", np.uint8, (out.itemsize,))])["bytes"]
        for number, plane in enumerate(planes):
            target[..., number] = plane[there]


def _block(array: StoredArray, axes: Sequence[range]) -> NDArray[Any]:
    block = np.empty(tuple(map(len, axes)), array.dtype)
    array.read(_begin(axes), block)
    return block


def _begin(axes: Sequence[range]) -> tuple[int, ...]:
    return tuple(axis.start for axis in axes)


def _slices(begin: tuple[int, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(start, start + length) for start, length in zip(begin, shape, strict=True))


def _has_gaps(numbers: Sequence[int]) -> bool:
    return numbers[-1] - numbers[0] + 1 != len(numbers)


def _runs(numbers: Sequence[int]) -> Iterator[range]:
    """Divide ascending numbers into runs without a gap."""
    for _, run in itertools.groupby(enumerate(numbers), lambda item: item[1] - item[0]):
        found = [number for _, number in run]
        yield range(found[0], found[-1] + 1)
