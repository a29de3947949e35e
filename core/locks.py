"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO


def lock_file(file: IO[bytes]) -> None:
    """Lock an open file for this process until it is closed.

    Raises
    ------
    OSError
        If another process has the lock.
    """
    if sys.platform == "win32":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_locked(path: Path) -> bool:
    """Tell whether a process holds the lock of a file; False where there is no such file."""
    try:
        with open(path, "r+b") as file:
            lock_file(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False
