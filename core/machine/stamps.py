"""Stamps of files, which show without reading whether a file is still what it was."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

_THREADS = 4
_BESIDE = (".aux.xml", ".ovr")
"""Endings of what programs write beside rasters that they show; no pixel comes from there."""


@dataclass(frozen=True)
class Stamp:
    """Size and times of a file, and what explains a change of its status.

    Reading sets the access time, which does not count.
    """

    size: int  # bytes
    modified: int  # when its content was changed, in nanoseconds
    # When its status was changed, likewise (on Windows, when it was made). Who sets the other time
    # back changes this one, as does who gives another file the name.
    changed: int
    # Its number on the disk. By itself it does not count: some network file systems number a file
    # anew whenever they meet it.
    holder: int
    access: tuple[int, ...]  # permissions, owner, group and number of names

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """Return the stamp of a file whose status was asked for."""
        access = (status.st_mode, status.st_uid, status.st_gid, status.st_nlink)
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, access)

    def is_same(self, other: Stamp) -> bool:
        """Return whether both are of one file with one content.

        A status that was changed together with permissions, owner or names does not mean other
        content.
        """
        if (self.size, self.modified) != (other.size, other.modified):
            return False
        if self.changed == other.changed:
            return True
        return self.holder == other.holder and self.access != other.access


Stamps = Mapping[Path, Stamp]
"""Stamps by path."""


def take_stamps(paths: Iterable[Path]) -> dict[Path, Stamp]:
    """Return the stamps of files, but of those that programs write beside rasters.

    Raises
    ------
    OSError
        If one is not there.
    """
    return {
        path: Stamp.of(os.stat(path)) for path in paths if not path.name.lower().endswith(_BESIDE)
    }


def find_change(stamps: Stamps) -> tuple[Path, str] | None:
    """Return the first file that is not what it was, and such as "corr.tif is gone", else None."""
    with ThreadPoolExecutor(_THREADS) as pool:
        changes = pool.map(_change, stamps.keys(), stamps.values())
        return next((found for found in zip(stamps, changes, strict=True) if found[1]), None)


def _change(path: Path, before: Stamp) -> str:
    try:
        # A client of NFS may remember the status of a file until it opens it.
        with open(path, "rb") as file:
            now = Stamp.of(os.fstat(file.fileno()))
    except FileNotFoundError:
        return f"{path.name} is gone"
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
            return f"{path.name} cannot be read any more: {error.strerror or error}"
        now = Stamp.of(os.stat(path))  # takes no file to be open, of which there are too many
    return "" if before.is_same(now) else f"{path.name} is not the file that it was"
