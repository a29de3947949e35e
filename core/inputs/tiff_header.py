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
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

_Integers = np.ndarray[tuple[int], np.dtype[np.int64]]

_NATIVE = "<" if sys.byteorder == "little" else ">"

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8}
_INTEGERS = {3: "u2", 4: "u4", 16: "u8"}

_CLASSIC = {b"II*\0": "<", b"MM\0*": ">"}
_BIG = {b"II+\0": "<", b"MM\0+": ">"}
"""First bytes of TIFF and of BigTIFF, with their byte orders."""

_WIDTH, _HEIGHT = 256, 257
_PLACE = (_WIDTH, _HEIGHT, 33550, 33922, 34264, 34735, 34736, 34737)
"""Size; pixel scale, tie points, transformation; keys, numbers and texts of the CRS."""

_BEGINNING = 1 << 18
"""Bytes of a packed file that are looked at; what comes before them has to be unpacked."""

_STRIPS, _TILES = (273, 279), (324, 325)
"""Offsets and lengths of strips, and of tiles."""

_TILE_WIDTH, _TILE_HEIGHT = 322, 323

_BITS, _SAMPLE_FORMAT, _ROWS_PER_STRIP = 258, 339, 278
_COMPRESSION, _FILL_ORDER, _BANDS = 259, 266, 277
_PLAIN = {_COMPRESSION: 1, _FILL_ORDER: 1, _BANDS: 1}
"""What says that pixels of one band stand in the file as in memory; 1 is each one's default."""

_MISSING = 42113
"""GDAL's own tag: the value that means no data, as text."""

_TYPES = {
    **{(bits, 1): f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{(bits, 2): f"int{bits}" for bits in (8, 16, 32, 64)},
    **{(bits, 3): f"float{bits}" for bits in (32, 64)},
    **{(bits, 5): f"complex_int{bits // 2}" for bits in (32, 64)},
    **{(bits, 6): f"complex{bits}" for bits in (64, 128)},
}
"""By bits and sample format: unsigned, signed, real, complex."""

_PLAIN_TYPES = {"uint8", "uint16", "int16", "float32"}

_METADATA = 42112
"""GDAL's own tag: what has no other place, as XML."""

_SCALING = re.compile(rb'<Item [^>]*role="(scale|offset)"[^>]*>\s*([^<]*?)\s*</Item>')

_DIRECTORY = 254
"""What a directory is: the image, one of less resolution, or a mask."""

_MOST_DIRECTORIES, _MOST_TAGS = 64, 4096
_LONGEST = 1 << 26
"""Bytes of a tag; the offsets of a raster of 500,000 pixels a side, in tiles of 256, are fewer."""

_NUMBER = re.compile(rb"[-+]?[0-9.]+(e[-+]?[0-9]+)?|nan", re.IGNORECASE)

_LONG = (*_PLACE, *_STRIPS, *_TILES, _MISSING, _METADATA)
"""Of all others the content is not looked at where it does not fit into four bytes."""


@dataclass(frozen=True)
class PlainRows:
    """Pixels of one band that stand in a file row by row, not compressed."""

    # First row, and bytes before it, of each group of rows that follow each other; HyP3 writes one,
    # GDAL some more.
    runs: tuple[tuple[int, int], ...]
    dtype: str  # data type
    # Rows and columns.
    height: int
    width: int
    missing: float | None  # value that means no data, as GDAL gives it; None where there is none


@dataclass(frozen=True)
class TiffForm:
    """What the pixels of a file are."""

    bands: int  # number of bands
    dtype: str  # data type, such as ``float32`` or ``complex64``
    block_bytes: int = 0  # bytes of a block, which has to be in memory to read a pixel of it
    has_mask: bool = False  # whether a mask besides the bands says which pixels are valid
    # Whether values are to be multiplied by something, or something is to be added.
    is_scaled: bool = False
    # Whether there are as many blocks, and as large ones, as the size of the raster asks for.
    is_consistent: bool = True


@dataclass(frozen=True)
class TiffHeader:
    """What the header of a file holds."""

    # Content of the tags that decide on size, position and CRS, as stored: files with the same lie
    # in the same place.
    place: tuple[tuple[int, bytes], ...]
    is_whole: bool  # whether the file is as long as its blocks ask for
    form: TiffForm | None = None  # what its pixels are; None where GDAL has to be asked
    # Where they are; None where they do not simply follow each other, or nobody asked.
    pixels: PlainRows | None = None


def read_header(path: str, with_pixels: bool = False) -> TiffHeader | None:
    """Read the header of a GeoTIFF.

    Parameters
    ----------
    path
        A file of the system, as HyP3 and GDAL write it: a TIFF whose first directory is that of the
        image.
    with_pixels
        Whether to look for where the pixels are, which takes as long again.

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


def read_beginning(content: bytes, size: int, with_pixels: bool = False) -> TiffHeader | None:
    """Read the header of a GeoTIFF from the beginning of its file.

    Parameters
    ----------
    content
        The beginning.
    size
        Bytes of the whole file.
    with_pixels
        Whether to look for where the pixels are.

    Returns
    -------
    TiffHeader or None
        As for :func:`read_header`; None as well where the header is not at the file's beginning.
    """
    try:
        return _read(io.BytesIO(content), size, with_pixels)
    except (struct.error, ValueError):
        return None


def read_zipped_header(archive: zipfile.ZipFile, member: str) -> TiffHeader | None:
    """Read the header of a GeoTIFF in a zip.

    Parameters
    ----------
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
            return read_beginning(file.read(_BEGINNING), size)
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
    begin = file.read(4)
    is_big = begin in _BIG
    order = (_BIG if is_big else _CLASSIC).get(begin)
    if order is None:
        return None
    if is_big and struct.unpack(f"{order}HH", file.read(4)) != (8, 0):
        return None
    (start,) = _unpack(file, order, is_big)
    tags, following = _directory(file, size, start, order, is_big)
    place = tuple((tag, tags[tag][1]) for tag in _PLACE if tag in tags)
    for offsets, lengths in (_STRIPS, _TILES):
        if offsets in tags and lengths in tags and _WIDTH in tags and _HEIGHT in tags:
            begins, length = (_integers(*tags[tag], order) for tag in (offsets, lengths))
            # Blocks without data have neither.
            is_whole = int((begins + length).max(initial=0)) <= size
            form = None
            with suppress(ValueError):
                form = _form(tags, order, length)
            if form is not None and form.bands == 1:
                has_mask = _has_mask(file, size, following, order, is_big)
                form = replace(form, has_mask=has_mask)
            pixels = None
            if with_pixels and order == _NATIVE and not is_big and _TILE_WIDTH not in tags:
                with suppress(ValueError):
                    pixels = _plain_rows(tags, begins, length)
            return TiffHeader(place, is_whole, form, pixels)
    return None


_Tags = dict[int, tuple[int, bytes]]


def _unpack(file: BinaryIO, order: str, is_big: bool) -> tuple[int]:
    """Read a position in the file."""
    code, length = ("Q", 8) if is_big else ("I", 4)
    found: tuple[int] = struct.unpack(f"{order}{code}", file.read(length))
    return found


def _directory(
    file: BinaryIO, size: int, start: int, order: str, is_big: bool, wanted: tuple[int, ...] = _LONG
) -> tuple[_Tags, int]:
    """Return type and content of each tag of a directory, and where the next directory begins."""
    entry, inline, places = ("HHQ8s", 8, "Q") if is_big else ("HHI4s", 4, "I")
    file.seek(start)
    counts = ("Q", 8) if is_big else ("H", 2)
    (count,) = struct.unpack(f"{order}{counts[0]}", file.read(counts[1]))
    if count > _MOST_TAGS:
        raise ValueError("more tags than an image has")
    entries = file.read(struct.calcsize(f"{order}{entry}") * count)
    (following,) = _unpack(file, order, is_big)
    tags: _Tags = {}
    for tag, kind, number, value in struct.iter_unpack(f"{order}{entry}", entries):
        length = _SIZES.get(kind, 0) * number
        if length <= inline:
            tags[tag] = (kind, value[:length])
        elif tag in wanted:
            if length > min(size, _LONGEST):
                raise ValueError("a tag longer than the file")
            file.seek(struct.unpack(f"{order}{places}", value)[0])
            content = file.read(length)
            if len(content) != length:
                raise ValueError("a tag beyond the end of the file")
            tags[tag] = (kind, content)
        else:
            tags[tag] = (0, b"")
    return tags, following


def _has_mask(file: BinaryIO, size: int, following: int, order: str, is_big: bool) -> bool:
    """Return whether one of the other directories is a mask; ValueError for too many of them."""
    for _ in range(_MOST_DIRECTORIES):
        if not following:
            return False
        tags, following = _directory(file, size, following, order, is_big, ())
        if _number(tags, _DIRECTORY, 0, order) & 4:
            return True
    raise ValueError("more directories than a raster has")


def _form(tags: _Tags, order: str, lengths: _Integers) -> TiffForm | None:
    """Return what pixels are; ValueError or None where GDAL may see something else."""
    bands = _number(tags, _BANDS, 1, order)
    if bands != 1:
        return TiffForm(bands, "")
    dtype = _TYPES.get((_number(tags, _BITS, 1, order), _number(tags, _SAMPLE_FORMAT, 1, order)))
    if dtype is None:
        return None
    bits = int(re.sub(r"\D", "", dtype)) * (2 if dtype.startswith("complex_") else 1)
    width, height = _number(tags, _WIDTH, 0, order), _number(tags, _HEIGHT, 0, order)
    across, down = width, min(_number(tags, _ROWS_PER_STRIP, height, order), height)
    is_tiled = _TILE_WIDTH in tags
    if is_tiled:
        across, down = _number(tags, _TILE_WIDTH, 0, order), _number(tags, _TILE_HEIGHT, 0, order)
    if min(width, height, across, down) < 1:
        return None
    block = across * down * bits // 8
    is_packed = _number(tags, _COMPRESSION, 1, order) != 1
    # The last strip has fewer rows, blocks without data have no bytes.
    full = lengths if is_tiled else lengths[:-1]
    is_consistent = len(lengths) == -(-width // across) * -(-height // down) and (
        is_packed or bool((full[full > 0] >= block).all())
    )
    # Of strips that are not compressed GDAL reads row by row.
    block_bytes = block if is_tiled or is_packed else 0
    scaling = _SCALING.findall(tags.get(_METADATA, (0, b""))[1])
    is_scaled = any(float(value) != (what == b"scale") for what, value in scaling)
    return TiffForm(bands, dtype, block_bytes, False, is_scaled, is_consistent)


def _number(tags: _Tags, tag: int, default: int, order: str) -> int:
    """Return the only number of a tag; ValueError for several of them."""
    if tag not in tags:
        return default
    values = _integers(*tags[tag], order)
    if len(values) != 1:
        raise ValueError("unusual count")
    return int(values[0])


def _plain_rows(tags: _Tags, begin: _Integers, length: _Integers) -> PlainRows | None:
    """Return where pixels are; ValueError or None where GDAL may see something else."""

    def number(tag: int, default: int) -> int:
        return _number(tags, tag, default, _NATIVE)

    width, height = number(_WIDTH, 0), number(_HEIGHT, 0)
    rows = min(number(_ROWS_PER_STRIP, height), height)
    dtype = _TYPES.get((number(_BITS, 1), number(_SAMPLE_FORMAT, 1)))
    if dtype not in _PLAIN_TYPES or any(number(tag, 1) != value for tag, value in _PLAIN.items()):
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
