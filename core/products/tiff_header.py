"""The header of a GeoTIFF: where it lies, whether all of it is there, where its pixels are.

Read without GDAL, which takes about a millisecond to open a file, most of it to understand the
coordinate reference system; a stack of a thousand products has ten thousand files, of which those
of one product say the same. Tags and types are those of TIFF 6.0 and OGC GeoTIFF 1.1.
"""

from __future__ import annotations

import io
import os
import re
import struct
import sys
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

_Integers = np.ndarray[tuple[int], np.dtype[np.int64]]

_NATIVE = "<" if sys.byteorder == "little" else ">"

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
_INTEGERS = {3: "u2", 4: "u4"}

_WIDTH, _HEIGHT = 256, 257
_PLACE = (_WIDTH, _HEIGHT, 33550, 33922, 34264, 34735, 34736, 34737)
"""Size; pixel scale, tie points, transformation; keys, numbers and texts of the CRS."""

_BEGINNING = 1 << 18
"""Bytes of a packed file that are looked at; what comes before them has to be unpacked."""

_STRIPS, _TILES = (273, 279), (324, 325)
"""Offsets and lengths of strips, and of tiles."""

_TILE_WIDTH = 322

_BITS, _SAMPLE_FORMAT, _ROWS_PER_STRIP = 258, 339, 278
_COMPRESSION, _FILL_ORDER, _BANDS = 259, 266, 277
_PLAIN = {_COMPRESSION: 1, _FILL_ORDER: 1, _BANDS: 1}
"""What says that pixels of one band stand in the file as in memory; 1 is each one's default."""

_MISSING = 42113
"""GDAL's own tag: the value that means no data, as text."""

_TYPES = {(8, 1): "uint8", (16, 1): "uint16", (16, 2): "int16", (32, 3): "float32"}
"""By bits and sample format: unsigned, signed, real."""

_NUMBER = re.compile(rb"[-+]?[0-9.]+(e[-+]?[0-9]+)?|nan", re.IGNORECASE)

_LONG = (*_PLACE, *_STRIPS, *_TILES, _MISSING)
"""Of all others the content is not looked at where it does not fit into four bytes."""


@dataclass(frozen=True)
class PlainRows:
    """Pixels of one band that stand in a file row by row, not compressed.

    Parameters
    ----------
    runs
        First row, and bytes before it, of each group of rows that follow each other; HyP3 writes
        one, GDAL some more.
    dtype
        Data type.
    height, width
        Rows and columns.
    missing
        Value that means no data, as GDAL tells it; None where there is none.
    """

    runs: tuple[tuple[int, int], ...]
    dtype: str
    height: int
    width: int
    missing: float | None


@dataclass(frozen=True)
class TiffHeader:
    """What the header of a file tells.

    Parameters
    ----------
    place
        Content of the tags that decide on size, position and CRS, as stored: files with the same
        lie in the same place.
    is_whole
        Whether the file is as long as its blocks ask for.
    pixels
        Where they are; None where they do not simply follow each other, or nobody asked.
    """

    place: tuple[tuple[int, bytes], ...]
    is_whole: bool
    pixels: PlainRows | None = None


def read_header(path: str, with_pixels: bool = False) -> TiffHeader | None:
    """Read the header of a GeoTIFF.

    Parameters
    ----------
    path
        A file of the system, as HyP3 and GDAL write it: classic TIFF whose first directory is that
        of the image.
    with_pixels
        Whether to tell where the pixels are, which takes as long again.

    Returns
    -------
    TiffHeader or None
        None for all other files, for which GDAL has to be asked.
    """
    try:
        with open(path, "rb") as file:
            return _read(file, os.fstat(file.fileno()).st_size, with_pixels)
    except (OSError, struct.error, ValueError):
        return None


def read_zipped_header(archive: zipfile.ZipFile, member: str) -> TiffHeader | None:
    """Read the header of a GeoTIFF in a zip.

    Parameters
    ----------
    archive
        The open zip.
    member
        Name of the file in it.

    Returns
    -------
    TiffHeader or None
        As for :func:`read_header`; None as well where the header is not at the file's beginning.
    """
    try:
        size = archive.getinfo(member).file_size
        with archive.open(member) as file:
            return _read(io.BytesIO(file.read(_BEGINNING)), size)
    # RuntimeError: encrypted, or compressed in a way that Python does not know.
    except (
        KeyError,
        OSError,
        EOFError,
        RuntimeError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        ValueError,
    ):
        return None


def _read(file: BinaryIO, size: int, with_pixels: bool = False) -> TiffHeader | None:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(file.read(4))
    if order is None:
        return None
    (start,) = struct.unpack(f"{order}I", file.read(4))
    file.seek(start)
    (count,) = struct.unpack(f"{order}H", file.read(2))
    entries = file.read(12 * count)
    tags: dict[int, tuple[int, bytes]] = {}
    for tag, kind, number, value in struct.iter_unpack(f"{order}HHI4s", entries):
        length = _SIZES.get(kind, 0) * number
        if length <= 4:
            tags[tag] = (kind, value[:length])
        elif tag in _LONG:
            if length > size:
                return None
            file.seek(struct.unpack(f"{order}I", value)[0])
            content = file.read(length)
            if len(content) != length:
                return None
            tags[tag] = (kind, content)
        else:
            tags[tag] = (0, b"")
    place = tuple((tag, tags[tag][1]) for tag in _PLACE if tag in tags)
    for offsets, lengths in (_STRIPS, _TILES):
        if offsets in tags and lengths in tags and _WIDTH in tags and _HEIGHT in tags:
            begin, length = (_integers(*tags[tag], order) for tag in (offsets, lengths))
            # Blocks without data have neither.
            is_whole = int((begin + length).max(initial=0)) <= size
            pixels = None
            if with_pixels and order == _NATIVE and _TILE_WIDTH not in tags:
                with suppress(ValueError):
                    pixels = _plain_rows(tags, begin, length)
            return TiffHeader(place, is_whole, pixels)
    return None


def _plain_rows(
    tags: dict[int, tuple[int, bytes]], begin: _Integers, length: _Integers
) -> PlainRows | None:
    """Return where pixels are; ValueError or None where GDAL may see something else."""

    def number(tag: int, default: int) -> int:
        if tag not in tags:
            return default
        values = _integers(*tags[tag], _NATIVE)
        if len(values) != 1:
            raise ValueError("unusual count")
        return int(values[0])

    width, height = number(_WIDTH, 0), number(_HEIGHT, 0)
    rows = min(number(_ROWS_PER_STRIP, height), height)
    dtype = _TYPES.get((number(_BITS, 1), number(_SAMPLE_FORMAT, 1)))
    if dtype is None or any(number(tag, 1) != value for tag, value in _PLAIN.items()):
        return None
    line = width * np.dtype(dtype).itemsize
    # Before anything is made that is as large as a damaged header says.
    if min(rows, width) < 1 or not len(begin) == len(length) == -(-height // rows):
        return None
    # Strips without data have no bytes.
    if (length[:-1] != rows * line).any() or int(length.sum()) != height * line:
        return None
    first = np.flatnonzero(np.append(True, begin[1:] != begin[:-1] + length[:-1]))
    runs = tuple(zip((first * rows).tolist(), begin[first].tolist(), strict=True))
    missing = _missing_value(tags[_MISSING][1], dtype) if _MISSING in tags else None
    return PlainRows(runs, dtype, height, width, missing)


def _missing_value(content: bytes, dtype: str) -> float:
    """Return the value that means no data; ValueError for those that GDAL reads in its own way."""
    text = content.strip(b"\0 ")
    if not _NUMBER.fullmatch(text):
        raise ValueError("unusual number")
    value = float(text)
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        if not (value.is_integer() and limits.min <= value <= limits.max):
            raise ValueError("a number that the data type lacks")
        return value
    if abs(value) > float(np.finfo(dtype).max):
        raise ValueError("a number beyond the data type")
    return float(np.float32(value))


def _integers(kind: int, content: bytes, order: str) -> _Integers:
    if kind not in _INTEGERS:
        raise ValueError("unusual type")
    return np.frombuffer(content, f"{order}{_INTEGERS[kind]}").astype("int64")
