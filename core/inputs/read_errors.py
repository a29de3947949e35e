"""Why a file of a product could not be read: damage, or a limit of the machine.

GDAL reports most errors without the number that the system gave them, so that the file is read once
more.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from ..errors import MachineError, ProductError, StackError

if sys.platform != "win32":
    import resource  # not later: where files are too many, no module can be imported either

_MEMORY = (errno.ENOMEM,)
_LIMITS = (errno.EMFILE, errno.ENFILE)
_DISKS = tuple(
    getattr(errno, name)
    for name in ("EIO", "ENXIO", "ENODEV", "EREMOTEIO", "ETIMEDOUT", "EHOSTDOWN", "ENOTCONN")
    if hasattr(errno, name)
)
_STALE = (errno.ESTALE,) if hasattr(errno, "ESTALE") else ()
_FORBIDDEN = (errno.EACCES, errno.EPERM)
_GONE = (errno.ENOENT, errno.ENOTDIR)

_SPARE = 8
"""Files that can be opened more where the limit of open files is not the cause: GDAL opens some at
once, and other threads may have closed theirs since."""

_PART = 1 << 24

_LONGEST = 200
"""Letters of a message of GDAL or PROJ, which may repeat a whole CRS."""


def limit_error(what: str, error: BaseException) -> MachineError | None:
    """Return the error to raise where files are too many or memory is too little, else None.

    Parameters
    ----------
    what
        What could not be read or written, as the subject of the sentence.
    error
        What the system said.
    """
    number = _system_code(error)
    if number in _LIMITS:
        return MachineError(f"{what} cannot be opened, because {_too_many_files(number)}.")
    if number in _MEMORY:
        return MachineError(
            f"There is too little memory for {what}; close other programs, or give the machine "
            "more, and run again."
        )
    return None


def machine_error(what: str, error: BaseException) -> MachineError | None:
    """Return the error to raise where a limit of the machine is at fault, else None.

    Parameters
    ----------
    what
        What could not be read, as the subject of the sentence.
    error
        What the system said.
    """
    number = _system_code(error)
    if number is None:
        return None
    found = limit_error(what, error)
    if found is not None:
        return found
    if number in _STALE:
        return MachineError(
            f"{what} cannot be read, because the network folder that holds it was lost "
            f"({os.strerror(number)}); mount it again and run again."
        )
    if number in _DISKS:
        return MachineError(
            f"{what} cannot be read, because the disk or network folder that holds it failed "
            f"({os.strerror(number)}); check it and run again, or put a copy of the product on "
            "another disk."
        )
    return None


def reading_error(
    what: str, path: Path, error: BaseException, product: str, damaged: str
) -> StackError:
    """Return the error to raise where a file of a product could not be read.

    Parameters
    ----------
    what
        What could not be read, as the subject of the sentence.
    path
        The file of the system: that of the layer, or the zip that holds it.
    error
        What GDAL or the system said.
    damaged
        The sentence where nothing but the file is at fault.

    Returns
    -------
    StackError
        A :class:`ProductError` where the product is at fault.
    """
    number = _system_code(error)
    if number is None:
        number = _asked(path)
    if number is not None:
        said = OSError(number, os.strerror(number))
        found = machine_error(what, said)
        if found is not None:
            return found
        if number in _FORBIDDEN:
            return ProductError(
                f"{what} may not be read ({os.strerror(number)}); give yourself the permission to "
                f"read {path}.",
                product,
            )
        if number in _GONE:
            return ProductError(
                f"{what} cannot be read, because {path} is gone; put it back.", product
            )
    return ProductError(damaged, product)


def _system_code(error: BaseException) -> int | None:
    """Return the number of the error by which the system refused something, if it is known."""
    for one in _chain(error):
        if isinstance(one, MemoryError) or "OutOfMemory" in type(one).__name__:
            return errno.ENOMEM
        number = getattr(one, "errno", None)
        if isinstance(one, OSError) and isinstance(number, int) and number in _KNOWN:
            return number
        text = str(one)
        if "proj.db" in text:  # which PROJ has found before, so that it could not be opened now
            return _asked(Path(os.devnull))
        for number in _KNOWN - {*_GONE}:
            # GDAL says so of any name that it knows nothing about.
            if os.strerror(number) in text:
                return number
    return None


_KNOWN = {*_MEMORY, *_LIMITS, *_DISKS, *_STALE, *_FORBIDDEN, *_GONE}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _asked(path: Path) -> int | None:
    """Return the number of the error that reading a file ends with; None where it can be read."""
    try:
        with ExitStack() as files:
            file = files.enter_context(open(path, "rb", buffering=0))
            for _ in range(_SPARE):
                files.enter_context(open(os.devnull, "rb", buffering=0))
            while file.read(_PART):
                pass
    except IsADirectoryError:
        return None
    except OSError as error:
        return error.errno
    return None


def _too_many_files(number: int | None) -> str:
    if number == errno.ENFILE:
        return "the system has as many files open as it may; close other programs and run again"
    return (
        f"this program may not have more than {_file_limit()} files open at once; raise that limit "
        "(ulimit -n 4096 in the terminal from which QGIS is started) and run again"
    )


def _file_limit() -> str:
    if sys.platform == "win32":
        return "512"
    return str(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def words(error: Exception) -> str:
    """Return the innermost message without the path, which the sentence already names."""
    text = (str(error.__cause__ or error).splitlines() or [""])[0].strip()
    return re.sub(r"'/[^']*':? ?|/\S*:? ?", "", text)[:_LONGEST].rstrip(".") or type(error).__name__
