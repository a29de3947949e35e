"""How much memory a build may take, and what follows for its blocks and threads."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ..parameters.output_parameters import DEFAULT_MEMORY_MEGABYTES
from .blocks import BAND_BYTES, bands, thread_count

_FIXED_MEGABYTES = 320
"""What Python with its packages and GDAL's cache take."""

MOST_THREADS = 8
_BLOCK_BYTES = 5 * MOST_THREADS * BAND_BYTES
"""What blocks take, with the default memory."""

_TILE_BYTES = _BLOCK_BYTES - 3 * MOST_THREADS * BAND_BYTES
"""Least block of whole series that is put together at once, with the default memory."""

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""From glibc's malloc.h."""

_KEPT_BYTES = 128 << 20
_LARGEST_KEPT_BYTES = 8 << 20
"""Arrays of a batch of the inversion are smaller; whole maps would leave holes that stay empty."""


def share_freed_memory(keep: bool = False) -> None:
    """Let threads make blocks of the memory that others have freed; only with glibc.

    By default each thread has a pool of its own, in which few blocks have room; the system has to
    clear every page of the others.

    Parameters
    ----------
    keep
        Keep what is freed for later blocks, as where many arrays of some megabytes follow each
        other; else much of it goes back to the system.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        if keep:
            mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT_BYTES)
            mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


@dataclass(frozen=True)
class MemoryBudget:
    """Sizes that keep a build below a bound.

    A thread holds about five copies of its block while it reads, warps, masks and compresses it,
    and about three, of such a block as well, while it reads a part of a series.
    """

    # Largest block of a map that a thread holds, if a chunk is not larger.
    band_bytes: int = BAND_BYTES
    # Largest block of whole series, likewise; where there are few threads it takes their memory.
    tile_bytes: int = _TILE_BYTES
    threads: int = MOST_THREADS  # number of threads

    @classmethod
    def of(cls, megabytes: float, chunk_bytes: int = 0, threads: int | None = None) -> MemoryBudget:
        """Divide memory among blocks and threads.

        Parameters
        ----------
        megabytes
            What the process may take, 10^6 bytes; at least
            ``SMALLEST_MEMORY_MEGABYTES``.
        chunk_bytes
            Size of the largest chunk. Chunks that are larger than a block take the memory of
            several threads.
        threads
            Most threads that are used, by default those of ``thread_count``.
        """
        share = (megabytes - _FIXED_MEGABYTES) / (DEFAULT_MEMORY_MEGABYTES - _FIXED_MEGABYTES)
        blocks = int(share * MOST_THREADS * BAND_BYTES)
        band = min(BAND_BYTES, blocks)
        held = max(band, chunk_bytes)
        threads = max(1, min(threads or thread_count(), blocks // held))
        rest = int(share * _BLOCK_BYTES) - 3 * threads * held
        return cls(band, max(rest, int(share * _TILE_BYTES)), threads)

    @property
    def band_pixels(self) -> int:
        """Pixels of the largest block of a map, as one of float32, that a thread holds."""
        return self.band_bytes // 4

    def row_bands(self, height: int, width: int) -> Iterator[slice]:
        """Cut a map, as one of float32, into bands of rows that a thread may hold."""
        return bands(height, 1, self.band_pixels // width)

    def holds(self, chunk_bytes: int) -> bool:
        """Return whether there is room for a chunk of that size, of which some copies exist."""
        return chunk_bytes <= max(self.band_bytes, self.tile_bytes // 2)
