"""Writes and reads chunks of a Zarr array on a disk in the thread that has or wants them.

zarr hands each chunk through an event loop to threads of its own, and back; for small chunks that
takes longer than to compress them. The files are the same as zarr's to the byte.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import struct
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numcodecs.blosc import Blosc
from numpy.typing import NDArray

from ..errors import OutputError
from ..work.pieces import Receipts
from .receipts import files_below, in_safe_order, receipt, with_step

PARTIAL = ".partial"
"""Ending of files that are being written, as zarr's own."""

_BLOSC_HEADER = 16
"""Bytes: versions, flags and item size, then size, block size and compressed size as uint32."""


class ChunkFiles:
    """The chunk files of one array without shards and filters.

    Parameters
    ----------
    array
        The array, for shape and fill value of its chunks and the names of their files.
    compressor
        What its chunks are compressed with.
    """

    def __init__(self, folder: Path, array: zarr.Array[Any], compressor: Blosc) -> None:
        self._folder = folder
        self._key = array.metadata.encode_chunk_key
        self._shape = array.chunks
        # Of other programs, an array of format 2 may have none.
        fill = 0 if array.fill_value is None else array.fill_value
        self._fill = np.asarray(fill, array.dtype)
        self._compressor = compressor

    def write(self, begin: tuple[int, ...], block: NDArray[Any]) -> Receipts:
        """Write a block of whole chunks and return what was written; no file without data.

        Parameters
        ----------
        begin
            Position of its first element.
        block
            As many dimensions as the array; it ends with a chunk or with the array.
        """
        receipts: Receipts = {}
        counts = [-(-length // size) for length, size in zip(block.shape, self._shape, strict=True)]
        first = [start // size for start, size in zip(begin, self._shape, strict=True)]
        for place in itertools.product(*map(range, counts)):
            part = block[
                tuple(
                    slice(number * size, (number + 1) * size)
                    for number, size in zip(place, self._shape, strict=True)
                )
            ]
            key = self._key(tuple(map(sum, zip(first, place, strict=True))))
            path = self._folder / key
            if self._is_empty(part):
                path.unlink(missing_ok=True)
            else:
                data = self._compressor.encode(self._whole(part))
                replace_file(path, data)
                receipts[key] = receipt(data)
        return receipts

    def read(self, begin: tuple[int, ...], out: NDArray[Any]) -> None:
        """Read a block of any position; chunks without a file give the fill value.

        Parameters
        ----------
        begin
            Position of its first element.
        out
            Takes the block, which lies within the array; as many dimensions as the array.

        Raises
        ------
        OutputError
            If a file is damaged.
        """
        for offset, there, here in cut_chunks(begin, out.shape, self._shape):
            place = tuple(start // size for start, size in zip(offset, self._shape, strict=True))
            self._load(self._folder / self._key(place), there, out[here])

    def _load(self, path: Path, wanted: tuple[slice, ...], out: NDArray[Any]) -> None:
        """Read a part of a chunk."""
        whole = math.prod(self._shape) * self._fill.itemsize
        try:
            with open(path, "rb", buffering=0) as file:
                # Blosc never makes more of a chunk than its header.
                is_fit = os.fstat(file.fileno()).st_size <= whole + _BLOSC_HEADER
                data = file.readall() if is_fit else b""
        except FileNotFoundError:
            out[...] = self._fill
            return
        # Blosc believes its header and reads on behind the end of a file that was cut.
        _, size, _, stored = struct.unpack_from("<4I", data.ljust(_BLOSC_HEADER, b"\0"))
        damaged = OutputError(f"{path} was damaged while the build used it; run the build again.")
        if stored != len(data) or size != whole:
            raise damaged
        # Copying a whole chunk to its place would take as long as decompressing it there.
        is_place = out.shape == self._shape and out.flags.c_contiguous
        try:
            chunk = self._compressor.decode(data, out if is_place else None)
        except RuntimeError:
            raise damaged from None
        if not is_place:
            out[...] = np.frombuffer(chunk, self._fill.dtype).reshape(self._shape)[wanted]

    def _is_empty(self, part: NDArray[Any]) -> bool:
        is_nan = part.dtype.kind == "f" and np.isnan(self._fill)
        # A look here and there shows that most chunks hold data.
        few = part[tuple(slice(None, None, length // 4 + 1) for length in part.shape)]
        return all(
            (np.isnan(values) if is_nan else values == self._fill).all() for values in (few, part)
        )

    def _whole(self, part: NDArray[Any]) -> NDArray[Any]:
        """Return a chunk of full shape, also where the array ends within it."""
        if part.shape == self._shape:
            return np.ascontiguousarray(part, self._fill.dtype)
        whole = np.full(self._shape, self._fill)
        whole[tuple(map(slice, part.shape))] = part
        return whole


def cut_chunks(
    begin: tuple[int, ...], shape: tuple[int, ...], chunks: tuple[int, ...]
) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...], tuple[slice, ...]]]:
    """Yield position of each chunk of a block, its part in the chunk, and the same in the block."""
    ends = tuple(map(sum, zip(begin, shape, strict=True)))
    axes = [
        range(start // size * size, end, size)
        for start, end, size in zip(begin, ends, chunks, strict=True)
    ]
    for offset in itertools.product(*axes):
        parts = [
            (max(start, first), min(end, first + size))
            for start, end, first, size in zip(begin, ends, offset, chunks, strict=True)
        ]
        yield (
            offset,
            tuple(slice(a - first, b - first) for (a, b), first in zip(parts, offset, strict=True)),
            tuple(slice(a - start, b - start) for (a, b), start in zip(parts, begin, strict=True)),
        )


def renumber_chunks(folder: Path, numbers: Mapping[int, int]) -> None:
    """Give the chunks of an array other numbers along its first dimension.

    Parameters
    ----------
    folder
        Folder of the array, whose chunks are one step long.
    numbers
        New numbers by those before, in order; other chunks are removed.
    """
    chunks: dict[int, list[str]] = {}
    for name in files_below(folder):
        found = re.match(r"(?:c/)?(\d+)[./]", name)
        if found is None:
            continue
        if int(found[1]) in numbers:
            chunks.setdefault(int(found[1]), []).append(name)
        else:
            (folder / name).unlink()
    for step in in_safe_order(numbers):
        for name in chunks.get(step, ()):
            path = folder / with_step(f"/{name}", numbers[step])[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            (folder / name).replace(path)


def replace_file(path: Path, data: Any) -> None:
    """Write a file of a store under a temporary name and then give it its own."""
    # Two machines may do the same piece, if one was taken for lost.
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex}{PARTIAL}")
    try:
        try:
            partial.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(data)
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
