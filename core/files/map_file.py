"""A file of maps, for what takes maps of a stack whose chunks hold the values of many steps."""

from __future__ import annotations

import errno
import math
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Place = tuple[slice | int, slice, slice]
"""Steps, or one of them, rows and columns."""

_NOT_RESERVED = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Errors of file systems that cannot reserve space."""


@dataclass(frozen=True)
class MapFile:
    """Maps one after the other in a file without a name; many threads may write and read it.

    Each access maps the file anew, so that what was touched before does not count as memory.
    """

    descriptor: int
    shape: tuple[int, int, int]  # steps, rows and columns
    dtype: np.dtype[Any]

    def write(self, place: Place, values: NDArray[Any]) -> None:
        """Write a block."""
        with mmap.mmap(self.descriptor, 0) as pages:
            np.ndarray(self.shape, self.dtype, pages)[place] = values

    def read(self, place: Place) -> NDArray[Any]:
        """Read a block."""
        with mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ) as pages:
            return np.ndarray(self.shape, self.dtype, pages)[place].copy()


@contextmanager
def map_file(folder: Path, shape: tuple[int, int, int], dtype: DTypeLike) -> Iterator[MapFile]:
    """Give a file of maps in a folder, which is gone when the block or the process ends.

    Raises
    ------
    OSError
        If the disk does not have the room for it.
    """
    kind = np.dtype(dtype)
    with tempfile.TemporaryFile(dir=folder) as file:
        _reserve(file.fileno(), math.prod(shape) * kind.itemsize)
        yield MapFile(file.fileno(), shape, kind)


def _reserve(descriptor: int, size: int) -> None:
    """Give a file its size and, where the system can, its room on the disk.

    Without that, writing to a page of it on a full disk would end the process.
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:  # not on Windows and macOS
        os.truncate(descriptor, size)
    except OSError as error:
        if error.errno not in _NOT_RESERVED:
            raise
        os.truncate(descriptor, size)
