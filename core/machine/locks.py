"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from .processes import is_known_dead, new_mark

_HELD = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK}
"""Errors that say that another process has a lock; all others say that there are no locks, as on
network file systems without a lock service."""

_BEAT_SECONDS = 30.0
_STALE_SECONDS = 300.0


class FileLock:
    """A file that one process holds at a time.

    The system frees the lock of a process that ends. Where a file system knows no locks, a file
    beside it says who holds it, and is touched again and again: one whose process is known to be
    dead, or that has grown old, counts no more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] | None = None
        self._mark = b""
        self._ended = threading.Event()

    def take(self) -> bool:
        """Lock the file until `release`; return False if another process holds it.

        Raises
        ------
        OSError
            If the file cannot be made.
        """
        self._file = open(self._path, "ab")
        is_ours = _lock(self._file)
        if is_ours is None:
            is_ours = self._leave_mark()
        if not is_ours:
            self._file.close()
        return is_ours

    def release(self) -> None:
        """Give the lock back."""
        self._ended.set()
        if self._mark and _read(_holder(self._path)) == self._mark:
            _holder(self._path).unlink(missing_ok=True)
        self._mark = b""
        if self._file is not None:
            self._file.close()

    def _leave_mark(self) -> bool:
        holder = _holder(self._path)
        mark = new_mark()
        if not _is_held(self._path):
            holder.unlink(missing_ok=True)
        try:
            with open(holder, "xb") as file:
                file.write(mark)
        except FileExistsError:
            return False
        if _read(holder) != mark:
            return False  # of two that found a dead one's mark, the other was later
        self._mark = mark
        threading.Thread(target=self._beat, daemon=True).start()
        return True

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_SECONDS):
            with suppress(OSError):
                if _read(_holder(self._path)) == self._mark:
                    os.utime(_holder(self._path))


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file; False where there is no such file."""
    try:
        with open(path, "r+b") as file:
            is_free = _lock(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return _is_held(path) if is_free is None else not is_free


def _lock(file: IO[bytes]) -> bool | None:
    """Lock an open file until it is closed; None where the file system knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in _HELD else None
    return True


def _holder(path: Path) -> Path:
    """Return the file that says who holds a lock of a file system without locks."""
    return path.with_name(f"{path.name}.holder")


def _is_held(path: Path) -> bool:
    """Return whether the process that left a mark is alive, as far as that can be known."""
    holder = _holder(path)
    content = _read(holder)
    if content is None or is_known_dead(content):
        return False
    try:
        # By the clock of the disk, which may be that of another computer.
        with tempfile.TemporaryFile(dir=path.parent) as file:
            now = os.fstat(file.fileno()).st_mtime
        return now - holder.stat().st_mtime < _STALE_SECONDS
    except FileNotFoundError:
        return False


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
