"""Unpacking product archives that may come from anywhere."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ...errors import ProductError
from ...inputs.zipped import as_bad_zip, open_zip

_BLOCK = 1 << 20
_LONGEST_NAME = 255
_FORBIDDEN = set('<>:"|?*\\')


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to."""

    files: int = 1000  # number of members; HyP3 products have fewer than 60
    bytes: int = 100 * 10**9  # unpacked size of all members
    # Unpacked to packed size of the whole archive. Masks of one value are packed a thousandfold,
    # whole products never more than some tenfold.
    ratio: float = 100.0
    ratio_from: int = 64 * 10**6  # unpacked size in bytes above which the ratio counts


@dataclass(frozen=True, slots=True)
class Member:
    """An unpacked file: size in bytes, CRC-32, and time of modification in nanoseconds."""

    size: int
    crc: int
    mtime: int = 0


def unpacked_size(
    archive: Path, product: str, required: Collection[str] = (), limits: Limits | None = None
) -> int:
    """Check the table of contents of an archive and return its unpacked size in bytes.

    Parameters
    ----------
    product
        Name of the one folder that all members have to lie in.
    required
        Names of files that have to be there.
    limits
        What it may unpack to.

    Raises
    ------
    ProductError
        If it is not an archive, lacks a file, or holds anything but plain files in the one folder.
    """
    with _opened(archive, product) as file:
        files = _plain_files(file, archive, product, limits)
    there = {info.filename for info in files}
    lacking = [name for name in required if f"{product}/{name}" not in there]
    if lacking:
        raise damaged(product, f"it lacks {', '.join(lacking)}")
    return sum(info.file_size for info in files)


def unpack(
    archive: Path, product: str, folder: Path, check_stop: Callable[[], None]
) -> dict[str, Member]:
    """Unpack a product archive into a new, private folder, checking every byte.

    Parameters
    ----------
    product
        Name of the one folder that all members have to lie in.
    folder
        Empty folder; afterwards it holds the folder ``product``.
    check_stop
        Called between blocks; raises to stop.

    Returns
    -------
    dict
        Members by file name relative to the product folder, with ``/`` between folders.

    Raises
    ------
    ProductError
        If the archive is damaged, too large, or holds anything but plain files in ``product``.
    """
    members: dict[str, Member] = {}
    with _opened(archive, product) as file:
        for info in _plain_files(file, archive, product):
            target = folder.joinpath(*PurePosixPath(info.filename).parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                with as_bad_zip(), file.open(info) as source, target.open("xb") as copy:
                    while block := source.read(_BLOCK):
                        check_stop()
                        copy.write(block)
            except zipfile.BadZipFile as error:
                raise damaged(product, f"{info.filename}: {error}") from None
            status = target.stat()
            if status.st_size != info.file_size:
                raise damaged(product, f"{info.filename} is shorter than listed")
            name = str(PurePosixPath(info.filename).relative_to(product))
            members[name] = Member(info.file_size, info.CRC, status.st_mtime_ns)
    return members


def file_crc(path: Path, check_stop: Callable[[], None]) -> int:
    """Return the CRC-32 of a file."""
    crc = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            check_stop()
            crc = zlib.crc32(block, crc)
    return crc


def damaged(product: str, why: str) -> ProductError:
    """Return the error for an archive that does not hold what it should."""
    return ProductError(
        f"The archive of {product} is damaged ({why}); order the product again if a new download "
        "is damaged too."
    )


def _opened(archive: Path, product: str) -> zipfile.ZipFile:
    try:
        return open_zip(archive)
    except zipfile.BadZipFile as error:
        raise damaged(product, str(error)) from None


def _plain_files(
    file: zipfile.ZipFile, archive: Path, product: str, limits: Limits | None = None
) -> list[zipfile.ZipInfo]:
    limits = limits or Limits()
    files = []
    seen: set[str] = set()
    for info in file.infolist():
        problem = _problem(info, product)
        # Some file systems take upper and lower case for the same.
        key = info.filename.rstrip("/").lower()
        if problem is None and key in seen:
            problem = "is listed twice"
        if problem is not None:
            raise ProductError(
                f"The archive of {product} was not unpacked, because {info.filename[:100]!r} "
                f"{problem}; do not trust its source."
            )
        seen.add(key)
        if not info.is_dir():
            files.append(info)
    folders = {str(parent) for info in files for parent in PurePosixPath(info.filename).parents}
    for info in files:
        if info.filename in folders:
            raise damaged(product, f"{info.filename} is a file and a folder")
    total = sum(info.file_size for info in files)
    packed = max(archive.stat().st_size, 1)
    if not files:
        raise damaged(product, "it is empty")
    if (
        len(files) > limits.files
        or total > limits.bytes
        or (total > limits.ratio_from and total / packed > limits.ratio)
    ):
        raise ProductError(
            f"The archive of {product} was not unpacked, because {packed} bytes would become "
            f"{len(files)} files with {total} bytes; do not trust its source."
        )
    return files


def _problem(info: zipfile.ZipInfo, product: str) -> str | None:
    """Say what is wrong with a member, None where nothing is."""
    # zipfile replaces the separator of the system and cuts at NUL; judge what was written.
    name = info.orig_filename
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or any(part in ("", ".", "..") for part in parts):
        return "leads out of the folder"
    if any(character in _FORBIDDEN or ord(character) < 32 for character in name):
        return "has characters that file names must not have"
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return "has a longer name than files may have"
    if any(part.endswith((".", " ")) for part in parts):
        return "has a name that changes its meaning on Windows"
    if parts[0] != product or (len(parts) == 1 and not info.is_dir()):
        return f"lies outside the folder {product}"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a special file"
    if info.flag_bits & 0x1:
        return "is encrypted"
    return None
