"""Pieces of work: what each needs, what it gives back.

A piece can run in any thread or process that reaches the inputs and the unfinished outputs, and
more than once: it writes whole chunks, always the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..run.reporter import Reporter

Receipt = tuple[int, int, str]
"""Bytes of a chunk as it is stored, their CRC-32, and what an object store calls the content."""

Receipts = dict[str, Receipt]
"""Receipts by name of the chunk. Chunks without data are not stored and have none."""


class Shared(Protocol):
    """What all pieces of a run share; can be pickled."""

    @property
    def threads(self) -> int:
        """Number of threads that pieces may use in this process."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Folders and files that the pieces read."""

    @property
    def raster(self) -> str | None:
        """GDAL path of a raster among the inputs, for a test of reading; None without one."""

    def with_threads(self: S, threads: int) -> S:
        """Return the same for a process with another number of threads."""


S = TypeVar("S", bound=Shared)
SharedT = TypeVar("SharedT", bound=Shared, contravariant=True)


@dataclass
class PieceResult:
    """What pieces have written, and what they learned on the way."""

    receipts: Receipts = field(default_factory=dict)  # what was written
    # Arrays that add up over all pieces, by name.
    sums: dict[str, NDArray[Any]] = field(default_factory=dict)
    # Numbers of which the largest counts, by name.
    maxima: dict[str, float] = field(default_factory=dict)

    def learn(self, other: PieceResult) -> None:
        """Add what other pieces learned, but for their receipts."""
        for name, array in other.sums.items():
            if name in self.sums:
                self.sums[name] += array
            else:
                self.sums[name] = np.array(array)
        for name, value in other.maxima.items():
            self.maxima[name] = max(value, self.maxima.get(name, value))


class Piece(Protocol[SharedT]):
    """One piece of work; can be pickled."""

    @property
    def key(self) -> str:
        """A name that no other piece of the run has."""

    def run(self, shared: SharedT, reporter: Reporter) -> PieceResult:
        """Do it."""


def block_key(what: str, rows: slice, columns: slice) -> str:
    """Return the key of a piece that is a block of pixels; both ends of the slices are given.

    It holds the size of the block: other versions of the plugin cut other blocks.
    """
    return f"{what} {rows.start}-{rows.stop} {columns.start}-{columns.stop}"
