"""Sizes of chunks: whole maps, whole series, or both, each near a size that the user chooses."""

from __future__ import annotations

import math

from ..machine.blocks import whole_blocks

_MEGABYTE = 1_000_000
_VALUE_BYTES = 4
"""Of float32; chunks of masks follow, so that all variables of a stack share one layout."""


def spatial_chunks(height: int, width: int, megabytes: float) -> tuple[int, int, int]:
    """Return chunks that serve maps: one step, near-square in space.

    Parameters
    ----------
    height, width
        Size of the grid in pixels.
    megabytes
        Largest size of a chunk before compression, 10^6 bytes.

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


def temporal_chunks(steps: int, height: int, width: int, megabytes: float) -> tuple[int, int, int]:
    """Return chunks that serve series: all steps of a small square.

    Parameters are those of :func:`spatial_chunks` and the number of steps. A stack so deep that one
    pixel's series exceeds the size gets single pixels.
    """
    pixels = max(1.0, megabytes * _MEGABYTE / _VALUE_BYTES / steps)
    _, rows, columns = spatial_chunks(height, width, pixels * _VALUE_BYTES / _MEGABYTE)
    return steps, rows, columns


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
