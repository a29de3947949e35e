"""How much memory a build may take, and what follows for its blocks and threads."""

from __future__ import annotations

from dataclasses import dataclass

from .blocks import BAND_BYTES, thread_count
from .contract import DEFAULT_MEMORY_MEGABYTES

_FIXED_MEGABYTES = 320
"""What Python with its packages and GDAL's cache take."""

_MOST_THREADS = 8
_TILE_BYTES = 128_000_000
"""Largest block of whole series that is put together at once, with the default memory."""


@dataclass(frozen=True)
class MemoryBudget:
    """Sizes that keep a build below a bound; the same on every machine, except for ``threads``.

    A thread holds about five copies of its block while it reads, warps, masks and compresses it.

    Parameters
    ----------
    band_bytes
        Largest block of a map that a thread holds, if a chunk is not larger.
    tile_bytes
        Largest block of whole series, likewise.
    threads
        Number of threads.
    """

    band_bytes: int = BAND_BYTES
    tile_bytes: int = _TILE_BYTES
    threads: int = _MOST_THREADS

    @classmethod
    def of(cls, megabytes: float, chunk_bytes: int = 0) -> MemoryBudget:
        """Divide memory among blocks and threads.

        Parameters
        ----------
        megabytes
            What the process may take, 10^6 bytes; at least
            ``SMALLEST_MEMORY_MEGABYTES``.
        chunk_bytes
            Size of the largest chunk. Chunks that are larger than a block take the memory of
            several threads.
        """
        share = (megabytes - _FIXED_MEGABYTES) / (DEFAULT_MEMORY_MEGABYTES - _FIXED_MEGABYTES)
        blocks = int(share * _MOST_THREADS * BAND_BYTES)
        band = min(BAND_BYTES, blocks)
        threads = blocks // max(band, chunk_bytes)
        return cls(band, int(share * _TILE_BYTES), max(1, min(thread_count(), threads)))

    def holds(self, chunk_bytes: int) -> bool:
        """Tell whether there is room for a chunk of that size."""
        return chunk_bytes <= max(self.band_bytes, self.tile_bytes)
