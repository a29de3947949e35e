"""Zips that may come from anywhere: what is in them, and where the files of a product are."""

from __future__ import annotations

import errno
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import ProductError

MAC = "__MACOSX"
"""Folder that macOS adds to zips; it repeats the names of folders and files with other content."""

_UNREAD = {9: "deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd"}
"""Methods of compression, by their numbers in zips, that GDAL or Python cannot read."""

_END, _FAR_END, _LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
_END_BYTES, _FAR_END_BYTES, _LOCATOR_BYTES = 22, 56, 20
_LONGEST_COMMENT = (1 << 16) - 1

_HEADER_BYTES = 30
"""What stands before a member, besides its name."""

_LONGEST_EXTRA = 96
"""What usually stands around a member besides, such as its times and its size once more."""

_LARGEST_DIRECTORY = 16 << 20
"""Bytes of the table of contents: a hundred times those of a hundred products."""


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open a zip whose table of contents holds together; the caller closes it.

    Raises
    ------
    zipfile.BadZipFile
        If it is not a whole zip, whatever is wrong with it: entries that its end does not count,
        members that overlap or lie beyond its end, names that cannot be read, unknown versions.
    OSError
        If the system does not let it be read.
    """
    count, size = _counted(path)
    if size > _LARGEST_DIRECTORY:
        raise zipfile.BadZipFile(f"its table of contents claims {size} bytes")
    with as_bad_zip():
        archive = zipfile.ZipFile(path)
    try:
        _check(archive, count)
    except BaseException:
        archive.close()
        raise
    return archive


@contextmanager
def as_bad_zip() -> Iterator[None]:
    """Turn whatever :mod:`zipfile` raises for a damaged or strange zip into ``BadZipFile``."""
    try:
        yield
    except zipfile.BadZipFile:
        raise
    except UnicodeDecodeError as error:
        raise zipfile.BadZipFile("a name in it is not UTF-8, as it claims") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a position before the begin
            raise
        raise zipfile.BadZipFile("it leads to a place before its beginning") from error
    # RuntimeError: encrypted, or a version or method that Python does not know.
    except (
        RuntimeError,
        EOFError,
        MemoryError,
        OverflowError,
        LookupError,
        ValueError,
        struct.error,
        zlib.error,
    ) as error:
        raise zipfile.BadZipFile(str(error) or type(error).__name__) from error


def _counted(path: Path) -> tuple[int, int]:
    """Return how many entries and bytes the table of contents has, as the zip's end says."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - _END_BYTES - _LONGEST_COMMENT))
        tail = file.read()
        place = tail.rfind(_END)
        if place < 0 or len(tail) - place < _END_BYTES:
            raise zipfile.BadZipFile("File is not a zip file")
        disks = struct.unpack_from("<HH", tail, place + 4)
        count, size = struct.unpack_from("<HI", tail, place + 10)
        if any(disk not in (0, 0xFFFF) for disk in disks):
            raise zipfile.BadZipFile("it is a part of a zip in several files")
        far = place - _LOCATOR_BYTES
        if far >= 0 and tail[far : far + 4] == _LOCATOR:
            far -= _FAR_END_BYTES
            if far < 0 or tail[far : far + 4] != _FAR_END:
                raise zipfile.BadZipFile("its end is damaged")
            count, size = struct.unpack_from("<QQ", tail, far + 32)
    return count, size


def _check(archive: zipfile.ZipFile, count: int) -> None:
    """Check that a table of contents is complete and its members lie one after the other."""
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    if len(members) != count:
        raise zipfile.BadZipFile(f"it lists {len(members)} files, but counts {count}")
    next_one = archive.start_dir
    for member in reversed(members):
        begin = member.header_offset + _HEADER_BYTES
        end = begin + member.compress_size
        if begin < _HEADER_BYTES or end > next_one:
            raise zipfile.BadZipFile(f"{shown_member(member)} reaches into what comes after it")
        if next_one - end - len(member.orig_filename) > _LONGEST_EXTRA:
            _check_gap(archive, member)
        next_one = member.header_offset
    if next_one:
        _check_signature(archive, 0)


def _check_gap(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Check that no file follows a member that the table of contents does not list."""
    with as_bad_zip():
        file = _opened(archive)
        file.seek(member.header_offset + 26)
        lengths = struct.unpack("<HH", file.read(4))
        end = member.header_offset + _HEADER_BYTES + sum(lengths) + member.compress_size
        # Size and checksum may stand behind a member, too.
        for more in (0, 12, 16, 20, 24):
            _check_signature(archive, end + more)


def _opened(archive: zipfile.ZipFile) -> IO[bytes]:
    """Return the file of an archive, which is open as long as the archive is."""
    if archive.fp is None:
        raise zipfile.BadZipFile("it is closed")
    return archive.fp


def _check_signature(archive: zipfile.ZipFile, place: int) -> None:
    file = _opened(archive)
    file.seek(place)
    if file.read(4) == b"PK\3\4":
        raise zipfile.BadZipFile("its table of contents lacks files that it holds")


def shown_member(member: zipfile.ZipInfo) -> str:
    """Return the name of a member for a sentence, without its folders."""
    name = member.filename.rstrip("/").rpartition("/")[2][-100:]
    return name if name.isprintable() else repr(name)


def folders_of(archive: zipfile.ZipFile) -> Mapping[str, Mapping[str, zipfile.ZipInfo]]:
    """Return the files of each folder of a zip, by their names; not those that lead elsewhere.

    Raises
    ------
    zipfile.BadZipFile
        If a folder holds a file twice.
    """
    folders: dict[str, dict[str, zipfile.ZipInfo]] = {}
    for member in archive.infolist():
        folder, _, name = _path(member).rpartition("/")
        # A colon is for drives and hidden contents of files, on Windows.
        leads_elsewhere = name in ("", ".", "..") or ":" in name
        if not leads_elsewhere and MAC not in folder.split("/"):
            files = folders.setdefault(folder, {})
            if name in files:
                raise zipfile.BadZipFile(f"it holds {shown_member(member)} twice")
            files[name] = member
    return folders


def check_names(archive: zipfile.ZipFile, is_known: Callable[[str, str], bool]) -> None:
    """Check the names of files that are not expected: damage may have made them of those that are.

    A name stands in the table of contents and before the file. For files that are read, both are
    compared when they are.

    Parameters
    ----------
    is_known
        Returns whether a folder may have a file of such a name.

    Raises
    ------
    zipfile.BadZipFile
        If both differ.
    """
    for folder, files in folders_of(archive).items():
        for name, member in files.items():
            if not is_known(folder, name) and not member.flag_bits & 1:
                with as_bad_zip(), archive.open(member):
                    pass


def zipped_files(archive: zipfile.ZipFile, stem: str) -> tuple[str, Mapping[str, zipfile.ZipInfo]]:
    """Find the files of a product in a zip.

    Parameters
    ----------
    stem
        Name of the product, with which the names of its GeoTIFFs begin.

    Returns
    -------
    folder : str
        Where the files are in the zip, as GDAL names it; empty for the top.
    files : Mapping
        The members by the names of the files: those of the outermost folder with a GeoTIFF of the
        product, which HyP3 names as the product; empty if there is none.

    Raises
    ------
    ProductError
        If the zip is compressed in a way that cannot be read.
    zipfile.BadZipFile
        If a folder holds a file twice.
    """
    folders = folders_of(archive)
    holding = [
        folder
        for folder, files in folders.items()
        if any(name.startswith(f"{stem}_") and name.endswith(".tif") for name in files)
    ]
    if not holding:
        return "", {}
    found = min(holding, key=lambda folder: (len(folder.split("/")), folder != stem, folder))
    methods = {_UNREAD.get(member.compress_type) for member in folders[found].values()}
    unread = sorted(method for method in methods if method is not None)
    if unread:
        raise ProductError(
            f"The zip {archive.filename} is compressed with {', '.join(unread)}, which is not "
            "read; unpack it, and take the folder instead."
        )
    return found, folders[found]


def _path(member: zipfile.ZipInfo) -> str:
    """Return the path of a member as GDAL names it; some programs write backslashes."""
    return member.filename.removeprefix("./").replace("\\", "/")
