"""What the chunks of an array serve, in numbers and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How the layers that change with the steps are stored.

    Parameters
    ----------
    label
        Name of the file or group.
    shape
        Steps, rows and columns of a layer.
    chunks
        The same of a chunk, the smallest part that is read.
    shards
        The same of a file that holds several chunks; None where each chunk stands alone.
    itemsize
        Bytes of one value.
    """

    label: str
    shape: tuple[int, int, int]
    chunks: tuple[int, int, int]
    shards: tuple[int, int, int] | None = None
    itemsize: int = 4

    @property
    def megabytes(self) -> float:
        """Size of a chunk before compression, 10^6 bytes."""
        return self.itemsize * math.prod(self.chunks) / 1e6

    @property
    def count(self) -> int:
        """Chunks of a layer."""
        return self.for_map * self.for_series

    @property
    def for_map(self) -> int:
        """Chunks that are read for the map of one step."""
        return math.prod(
            -(-size // part) for size, part in zip(self.shape[1:], self.chunks[1:], strict=True)
        )

    @property
    def for_series(self) -> int:
        """Chunks that are read for all steps of one pixel."""
        return -(-self.shape[0] // self.chunks[0])

    @property
    def purpose(self) -> str:
        """What the layout serves."""
        if self.count == 1:
            return "maps and series, as all of a layer is one chunk"
        if self.for_series == 1:
            return "series of pixels"
        return "maps"

    def describe(self) -> str:
        """Return a sentence."""
        stored = "" if self.shards is None else f", in shards of {product(self.shards)}"
        return (
            f"{self.label} serves {self.purpose}: chunks of {product(self.chunks)} (steps x rows x "
            f"columns, {amount(self.megabytes)}){stored}, {self.count} for a layer; a map reads "
            f"{self.reads(self.for_map)}, the series of a pixel {self.reads(self.for_series)}."
        )

    def reads(self, number: int) -> str:
        """Return how much so many chunks are before compression."""
        noun = "chunk" if number == 1 else "chunks"
        return f"{number} {noun} ({amount(number * self.megabytes)})"


def product(sizes: tuple[int, ...]) -> str:
    """Return sizes as text."""
    return " x ".join(map(str, sizes))


def amount(megabytes: float) -> str:
    """Return megabytes with a precision that fits them."""
    digits = 0 if megabytes >= 99.5 else 1 if megabytes >= 0.95 else 3
    return f"{megabytes:,.{digits}f} MB"
