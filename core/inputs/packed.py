"""Files in zips, read from their beginning and checked against their checksums.

GDAL reads zips without looking at checksums, and unpacks them at half the speed of ISA-L.
"""

from __future__ import annotations

import io
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isal import igzip_lib, isal_zlib

from ..errors import ProductError
from .zipped import as_bad_zip, shown_member

_READ_BYTES = 1 << 17
_PART_BYTES = 1 << 20

HEAD_BYTES = 1 << 18
"""So much of the beginning is kept, in which a GeoTIFF says where its pixels are."""

LARGEST_TEXT = 1 << 20
"""Bytes of a parameter file or README; those of HyP3 have some thousand."""

_LARGEST_CONTENTS = 64_000_000
"""Bytes of whole files that are held at the same time, by all threads."""

_checked: set[tuple[object, ...]] = set()
"""Files that were found whole by this process."""


def read_text(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Return a text of a zip, checked against its checksum.

    Raises
    ------
    zipfile.BadZipFile
        If it is damaged, or so large that it is not such text.
    """
    if member.file_size > LARGEST_TEXT:
        raise zipfile.BadZipFile(
            f"{shown_member(member)} has {member.file_size} bytes, too many for such a text"
        )
    with as_bad_zip(), archive.open(member) as file:
        # One more than there should be, for the checksum is compared at the end.
        return file.read(LARGEST_TEXT + 1)


class PackedFile(io.RawIOBase):
    """A file in a zip, unpacked as it is read; going back begins anew.

    Parameters
    ----------
    archive
        The open zip, which may be closed afterward.
    product
        Name of the product that it belongs to.

    Attributes
    ----------
    size
        Bytes, as the zip lists them.

    Raises
    ------
    ProductError
        If it is damaged: here where its header does not fit, later where it cannot be unpacked,
        and by :meth:`check`.
    OSError
        If the system does not let it be read.
    """

    def __init__(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, product: str) -> None:
        super().__init__()
        self._zip = Path(str(archive.filename))
        self._member = member
        self._product = product
        self.size = member.file_size
        with self._sentence():
            with as_bad_zip(), archive.open(member):
                pass  # compares the header before the file with the table of contents
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise zipfile.BadZipFile("its compression is not read")
        self._file = self._zip.open("rb", buffering=0)
        status = self._zip.stat()
        self._key = (self._zip, status.st_size, status.st_mtime_ns, member.header_offset)
        self._file.seek(member.header_offset + 26)
        self._begin = member.header_offset + 30 + sum(struct.unpack("<HH", self._file.read(4)))
        self._head = b""
        self._position = 0
        self._restart()
        with self._sentence():
            self._head = b"".join(self._parts(HEAD_BYTES))

    @property
    def head(self) -> bytes:
        """The beginning of the file."""
        return self._head

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte, counted as for any file; nothing is read yet."""
        self._position = offset + {io.SEEK_CUR: self._position, io.SEEK_END: self.size}.get(
            whence, 0
        )
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer from the position on; returns how many bytes came."""
        target = memoryview(buffer).cast("B")
        part = self._head[self._position : self._position + len(target)]
        if not part:
            with self._sentence():
                self._skip_to(self._position)
                part = self._take(len(target))
        target[: len(part)] = part
        self._position += len(part)
        return len(part)

    def content(self) -> bytes:
        """Return the whole file, found whole.

        Raises
        ------
        ProductError
            If it is damaged.
        """
        with self._sentence():
            self._skip_to(0)
            whole = io.BytesIO()
            for part in self._parts(self.size):
                whole.write(part)
        self.check()
        return whole.getvalue()

    def check(self) -> None:
        """Check size and checksum, by reading what was not read yet; once for all in a process.

        Raises
        ------
        ProductError
            If they do not fit.
        """
        if self._key in _checked:
            return
        with self._sentence():
            for _ in self._parts(self.size - self._unpacked):
                pass
            # That nothing comes after it.
            more = self._take(1)
            if more or self._unpacked != self.size or self._crc != self._member.CRC:
                raise zipfile.BadZipFile("its checksum does not fit")
        _checked.add(self._key)

    def close(self) -> None:
        """Close the zip."""
        if not self.closed:
            self._file.close()
        super().close()

    def _restart(self) -> None:
        self._file.seek(self._begin)
        self._packed = self._member.compress_size
        self._unpacked = 0
        self._crc = 0
        self._rest = b""
        self._inflate = None
        if self._member.compress_type == zipfile.ZIP_DEFLATED:
            self._inflate = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_DEFLATE)

    def _skip_to(self, place: int) -> None:
        if place < self._unpacked:
            self._restart()
        for _ in self._parts(place - self._unpacked):
            pass

    def _parts(self, length: int) -> Iterator[bytes]:
        """Unpack so many bytes, or what is there."""
        while length > 0 and (part := self._take(min(length, _PART_BYTES))):
            length -= len(part)
            yield part

    def _take(self, most: int) -> bytes:
        """Unpack some bytes; none at the end."""
        part = b""
        if self._inflate is None:
            part = self._next(min(most, _PART_BYTES))
        while self._inflate is not None and not part and not self._inflate.eof:
            packed = self._next(_READ_BYTES) if self._inflate.needs_input else b""
            if self._inflate.needs_input and not packed:
                break
            part = self._inflate.decompress(packed, most)
        self._unpacked += len(part)
        self._crc = isal_zlib.crc32(part, self._crc)
        return part

    def _next(self, most: int) -> bytes:
        """Read some packed bytes."""
        packed = self._file.read(min(most, self._packed))
        self._packed -= len(packed)
        return packed

    @contextmanager
    def _sentence(self) -> Iterator[None]:
        try:
            yield
        except (zipfile.BadZipFile, isal_zlib.error) as error:  # type: ignore[misc]
            raise ProductError(
                f"The file {shown_member(self._member)} of {self._product} is damaged in the zip "
                f"{self._zip} ({str(error).rstrip('.')}); retrieve the product again, or leave it "
                "out with the rule skip for bad products.",
                self._product,
            ) from error


class Contents:
    """Room for whole files, which GDAL needs to read them in any order."""

    def __init__(self) -> None:
        self._free = _LARGEST_CONTENTS
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Take room for a file; return whether there is so much."""
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give_back(self, size: int) -> None:
        """Give room back."""
        with self._lock:
            self._free += size


CONTENTS = Contents()
