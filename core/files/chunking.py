"""Chunks of a stack: how large they are, what they serve, and how much of them is in memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..contract import SPATIAL_GROUP
from ..machine.blocks import whole_blocks
from ..machine.memory import MemoryBudget
from ..run.reporter import Reporter

_MEGABYTE = 1_000_000
_VALUE_BYTES = 4
"""Of float32; chunks of masks follow, so that all variables of a stack share one layout."""

Chunks = tuple[int, int, int]
"""Steps, rows and columns."""


@dataclass(frozen=True)
class Layout:
    """How the layers that change with the steps are stored."""

    label: str  # name of the file or group
    shape: tuple[int, int, int]  # steps, rows and columns of a layer
    chunks: tuple[int, int, int]  # the same of a chunk, the smallest part that is read
    # The same of a file that holds several chunks; None where each chunk stands alone.
    shards: tuple[int, int, int] | None = None
    itemsize: int = 4  # bytes of one value

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


@dataclass(frozen=True)
class Layouts:
    """The layouts of a stack."""

    shape: Chunks  # steps, rows and columns of the stack
    # Chunks that serve maps, and those that serve series.
    maps: Chunks
    series: Chunks
    # What a thread writes at once, whole chunks or whole shards, so that no two threads write to
    # one file.
    map_unit: Chunks
    series_unit: Chunks
    sharding: bool  # whether these are shards
    budget: MemoryBudget  # sizes of blocks and number of threads

    @classmethod
    def of(
        cls,
        shape: Chunks,
        megabytes: float,
        memory_megabytes: float,
        reporter: Reporter,
        sharding: bool = False,
        threads: int | None = None,
    ) -> Layouts:
        """Choose the layouts.

        Parameters
        ----------
        shape
            Steps, rows and columns of the stack.
        megabytes
            Largest size of a chunk before compression, 10^6 bytes.
        memory_megabytes
            What the process may take, 10^6 bytes.
        reporter
            Warned of chunks that exceed the memory.
        sharding
            Whether chunks are gathered in shards.
        threads
            Most threads that are used, by default one per processor.
        """
        height, width = shape[1:]
        maps = spatial_chunks(height, width, megabytes)
        series = temporal_chunks(shape[0], height, width, megabytes)
        largest = 4 * max(math.prod(maps), math.prod(series))
        budget = MemoryBudget.of(memory_megabytes, largest, threads)
        if not budget.holds(largest):
            reporter.warning(
                f"Chunks of {largest / 1e6:,.0f} MB take more memory than MEMORY "
                f"({memory_megabytes:,.0f} MB) allows; lower CHUNK_SIZE or raise MEMORY."
            )
        map_unit, series_unit = (
            shard_shape(chunks, height, width, budget.band_bytes / 1e6) if sharding else chunks
            for chunks in (maps, series)
        )
        return cls(shape, maps, series, map_unit, series_unit, sharding, budget)

    @property
    def netcdf(self) -> tuple[int, int]:
        """Rows and columns of a chunk of the NetCDF file."""
        return netcdf_chunks(self.maps)

    def chunks(self, group: str) -> Chunks:
        """Return the chunks of a Zarr group."""
        return self.maps if group == SPATIAL_GROUP else self.series

    def shards(self, group: str) -> tuple[Chunks, tuple[int, int]] | None:
        """Return the shards of a Zarr group, of layers with steps and of those without."""
        if not self.sharding:
            return None
        return self.map_unit if group == SPATIAL_GROUP else self.series_unit, self.map_unit[1:]

    def of_groups(self, groups: Sequence[str]) -> list[Layout]:
        """Return the layouts of groups of a Zarr store."""
        shards = {name: self.shards(name) for name in groups}
        return [
            Layout(name, self.shape, self.chunks(name), found and found[0])
            for name, found in shards.items()
        ]


def spatial_chunks(height: int, width: int, megabytes: float) -> tuple[int, int, int]:
    """Return chunks that serve maps: one step, near-square in space.

    Returns
    -------
    (1, rows, columns)
        Chunks of nearly equal size: the grid is divided, so that no sliver is left at its edge.
    """
    side = max(1.0, math.sqrt(megabytes * _MEGABYTE / _VALUE_BYTES))
    # A narrow grid leaves room for longer chunks along its other side.
    rows = _divide(height, side if width >= side else side * side / width)
    columns = _divide(width, side * side / rows)
    return 1, rows, columns


def netcdf_chunks(maps: tuple[int, int, int]) -> tuple[int, int]:
    """Return rows and columns of the chunks of a NetCDF file: a quarter of those of the maps.

    A NetCDF file has one layout, which serves maps; smaller chunks let it serve series as well.

    Parameters
    ----------
    maps
        Steps (1), rows and columns of the chunks of the Zarr group. They begin where chunks of the
        NetCDF file begin.
    """
    return math.ceil(maps[1] / 2), math.ceil(maps[2] / 2)


def temporal_chunks(count: int, height: int, width: int, megabytes: float) -> tuple[int, int, int]:
    """Return chunks that serve series: all steps of a small square.

    Parameters are those of :func:`spatial_chunks` and the number of steps. A stack so deep that one
    pixel's series exceeds the size gets single pixels.
    """
    pixels = max(1.0, megabytes * _MEGABYTE / _VALUE_BYTES / count)
    _, rows, columns = spatial_chunks(height, width, pixels * _VALUE_BYTES / _MEGABYTE)
    return count, rows, columns


def shard_shape(
    chunks: tuple[int, int, int], height: int, width: int, megabytes: float
) -> tuple[int, int, int]:
    """Return the shape of a shard: whole chunks that one thread can hold and write at once.

    Parameters
    ----------
    chunks
        Steps, rows and columns of a chunk.
    height, width
        Size of the grid in pixels; a shard does not begin outside of it.
    megabytes
        Largest size of a shard before compression, 10^6 bytes, if a chunk is not larger.
    """
    steps, rows, columns = chunks
    pixels = int(megabytes * _MEGABYTE) // (_VALUE_BYTES * steps)
    down, across = whole_blocks((height, width), (rows, columns), pixels)[0]
    return steps, math.ceil(down.stop / rows) * rows, math.ceil(across.stop / columns) * columns


def series_blocks(
    shape: tuple[int, int], unit: tuple[int, int], most: int, maps: tuple[int, int] | None
) -> list[tuple[slice, slice]]:
    """Cut a grid into blocks whose series are put together at once.

    A chunk of a map is decompressed whole for each block that cuts it: blocks are about whole
    chunks, or parts of one that are of one size.

    Parameters
    ----------
    shape
        Rows and columns of the grid.
    unit
        Rows and columns of which blocks are made: those of a chunk or shard of series.
    most
        Pixels of a block, if a unit has not more.
    maps
        Rows and columns of the chunks that series are read from; None where these are products.
    """
    if maps is None:
        return whole_blocks(shape, unit, most)
    rows, columns = maps
    fitting = max(1, most // columns)
    highest = fitting // rows * rows or math.ceil(rows / math.ceil(rows / fitting))
    return whole_blocks(shape, unit, most, (highest, columns))


def _divide(length: int, largest: float) -> int:
    """Return a size near ``length`` divided by a whole number; even if it is not the only chunk."""
    most = max(1, math.floor(min(largest, float(length))))
    if 1 < most < length:
        most -= most % 2
    chunk = math.ceil(length / math.ceil(length / most))
    return chunk if chunk in (1, length) else chunk + chunk % 2


def product(sizes: tuple[int, ...]) -> str:
    """Return sizes as text."""
    return " x ".join(map(str, sizes))


def amount(megabytes: float) -> str:
    """Return megabytes with a precision that fits them."""
    digits = 0 if megabytes >= 99.5 else 1 if megabytes >= 0.95 else 3
    return f"{megabytes:,.{digits}f} MB"
