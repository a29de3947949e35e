"""Outputs that appear under their final name complete, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from ..errors import BusyOutputError, OutputError
from .locks import is_locked
from .processes import is_alive

_MARK = ".hyp3-partial-"
_OLD = "-old"
_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors that say that a file system does not know how to wait for its disk."""

_CLEARLY_FREE = 5 * 10**9
_REMEDIES = {
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "free some space or choose another disk",
    errno.EROFS: "choose a folder on a disk that is not mounted read-only",
    errno.EFBIG: "choose a disk whose file system takes larger files, which FAT32 does not "
    "beyond 4 GB",
    errno.EIO: "the disk reports a fault: check it, or choose another one",
    errno.EMFILE: "raise the limit of open files (ulimit -n 4096 in the terminal from which QGIS "
    "is started) and run again",
    errno.ENFILE: "close other programs and run again",
    errno.ENOMEM: "close other programs and run again",
    errno.ENOENT: "its folder has gone: connect the disk again, or choose another folder",
    **{
        getattr(errno, name): remedy
        for name, remedy in (
            ("EDQUOT", "remove files of yours, or ask for a larger quota on that disk"),
            ("ESTALE", "the network disk was lost: connect it again, or choose another folder"),
            ("ENOTCONN", "the network disk was lost: connect it again, or choose another folder"),
        )
        if hasattr(errno, name)
    },
}
"""What helps against an error of the system, where it is not the permissions."""
_BUSY = {errno.EACCES, errno.EBUSY, errno.EPERM, errno.ETXTBSY}
"""Errors of a file that another program has open, on Windows and on network file systems."""

_PAUSES = (0.1, 0.2, 0.5, 1.0, 1.5, 1.5)
"""Seconds between attempts: programs that only look at a file, as scanners do, let it go."""

LOCK = "lock"
"""The file in the folder of a run that the run keeps locked."""


@contextlib.contextmanager
def complete_or_absent(final: Path) -> Iterator[Path]:
    """Give a temporary path beside ``final``; take its place when the block ends without error.

    The path is hidden, on the same file system, and removed if the block fails.

    Parameters
    ----------
    final
        File or folder to appear. What stands there is replaced only at the end, in one rename for a
        file, in two for a folder.

    Raises
    ------
    OutputError
        If the folder of ``final`` cannot be made or written to.
    """
    with temporary(final) as partial:
        yield partial
        replace(partial, final, partial.with_name(f"{partial.name}{_OLD}"))


@contextlib.contextmanager
def temporary(final: Path) -> Iterator[Path]:
    """Give a path beside ``final`` for a file or folder that is removed when the block ends.

    What runs that were killed left there under the same name is removed before. The path is hidden,
    on the same file system; nothing is there yet.

    Raises
    ------
    OutputError
        If the folder of ``final`` cannot be made or written to.
    """
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(final)
        partial = final.with_name(f".{final.name}{_MARK}{os.getpid()}-{uuid.uuid4().hex[:8]}")
        # Written at once, so that a folder without permission fails before any work is done.
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise not_writable(final, error) from error
    try:
        yield partial
    finally:
        remove(partial)


def check_writable(final: Path) -> None:
    """Check that a file or folder could be made, and leave nothing.

    Raises
    ------
    OutputError
        If it could not.
    """
    folder = final.parent
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with tempfile.TemporaryFile(dir=folder):
            pass
        with contextlib.suppress(FileNotFoundError):
            # The longest name that it has until it is complete: too long ones are refused here.
            os.lstat(folder_aside(partial_folder(folder / final.name, "0" * 16)))
    except OSError as error:
        raise not_writable(final, error) from error


def not_writable(final: Path, error: OSError) -> OutputError:
    """Return the sentence on an output that cannot be made or written to."""
    remedy = _REMEDIES.get(error.errno or 0, "choose another folder or change its permissions")
    if error.errno == errno.ENOSPC and _has_space(final):
        remedy = (
            "the disk has space left, so it takes no more files, none that large (as FAT32), or "
            "none of yours: choose another disk"
        )
    return OutputError(f"{final} cannot be written ({error.strerror or error}); {remedy}.")


def _has_space(path: Path) -> bool:
    """Return whether a disk that says that it is full has space left."""
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free > _CLEARLY_FREE
    return False


def partial_folder(final: Path, identity: str) -> Path:
    """Return the hidden folder beside ``final`` where a run of that identity keeps its work."""
    return final.with_name(f".{final.name}{_MARK}job-{identity}")


def folder_aside(folder: Path) -> Path:
    """Return where what ``final`` holds waits while the work of ``folder`` takes its place."""
    return folder.with_name(f"{folder.name}{_OLD}")


def is_being_made(final: Path, folder: Path) -> bool:
    """Return whether a run other than that which works in ``folder`` is making ``final``."""
    return any(is_locked(other / LOCK) for other in _beside(final) if other != folder)


def remove_leftovers(final: Path, keep: Path | None = None, only_aside: bool = False) -> None:
    """Remove what other runs left beside ``final``; runs that are alive keep theirs.

    Parameters
    ----------
    keep
        A folder that stays.
    only_aside
        Only give ``final`` its name back where a run was killed while it replaced it.
    """
    for leftover in _beside(final):
        if leftover == keep:
            continue
        owner = leftover.name.partition(_MARK)[2].partition("-")[0]
        if owner.isdigit() and is_alive(int(owner)):
            continue
        if is_locked(leftover.with_name(leftover.name.removesuffix(_OLD)) / LOCK):
            continue
        if leftover.name.endswith(_OLD) and not os.path.lexists(final):
            # The run was killed between the two renames of a folder.
            os.rename(leftover, final)
        elif not only_aside:
            remove(leftover)


def _beside(final: Path) -> Iterator[Path]:
    """Return where runs keep what becomes ``final``, or what it replaces."""
    name = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in final.name)
    return final.parent.glob(f".{name}{_MARK}*")


def replace(partial: Path, final: Path, aside: Path) -> None:
    """Give a file or folder its final name; a folder of that name waits in ``aside`` meanwhile.

    Raises
    ------
    BusyOutputError
        If another program has had it open all the time that is waited for it.
    """
    for pause in (*_PAUSES, None):
        try:
            _replace(partial, final, aside)
            return
        except OSError as error:
            if error.errno not in _BUSY:
                raise
            if pause is None:
                raise BusyOutputError(
                    f"{final} cannot be given its name ({error.strerror or error}), most likely "
                    "because another program has it open; close it in other programs, then run "
                    "again."
                ) from error
        time.sleep(pause)


def _replace(partial: Path, final: Path, aside: Path) -> None:
    if not final.is_dir():
        os.replace(partial, final)
        return
    os.rename(final, aside)
    try:
        os.rename(partial, final)
    except OSError:
        os.rename(aside, final)
        raise
    remove(aside)


def replace_content(path: Path, content: bytes) -> None:
    """Write a file as a whole or not at all, and wait until its disk has it, if that can be known.

    Raises
    ------
    OSError
        If it cannot be written; the file is as it was.
    """
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
    partial.replace(path)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
