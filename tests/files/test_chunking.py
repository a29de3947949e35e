"""Sizes of chunks: never nothing, never more than the grid, near the size asked for."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from hyp3_stack.core.files.chunking import series_blocks, spatial_chunks, temporal_chunks
from hyp3_stack.core.machine.blocks import bands, whole_blocks

SIZES = [0.01, 0.05, 1.0, 4.0, 16.0, 512.0]


def grids(count: int = 400) -> list[tuple[int, int]]:
    """Return grids of all shapes: single pixels, lines, odd, huge."""
    numbers = random.Random(3)

    def length() -> int:
        return int(10 ** numbers.uniform(0, 4.7))

    edge = [(1, 1), (1, 50_000), (50_000, 1), (2, 3), (6829, 3735), (1335, 485), (20_000, 20_000)]
    return edge + [(length(), length()) for _ in range(count)]


@pytest.mark.parametrize("megabytes", SIZES)
def test_map_chunks(megabytes: float) -> None:
    for height, width in grids():
        steps, rows, columns = spatial_chunks(height, width, megabytes)
        assert steps == 1
        assert 1 <= rows <= height and 1 <= columns <= width
        assert isinstance(rows, int) and isinstance(columns, int)
        assert 4 * rows * columns <= megabytes * 1e6
        down, across = math.ceil(height / rows), math.ceil(width / columns)
        # The grid is divided evenly: no chunk fewer would do with one row or column less.
        assert (down - 1) * rows < height and (across - 1) * columns < width
        for chunk, parts, length in ((rows, down, height), (columns, across, width)):
            even = math.ceil(length / parts)
            assert chunk == even if parts == 1 or even == 1 else chunk in (even, even + even % 2)
            # The chunks of the NetCDF file halve those of the maps.
            assert parts == 1 or chunk == 1 or chunk % 2 == 0
        if height * width * 4 <= megabytes * 1e6:
            assert (rows, columns) == (height, width), "what fits into one chunk is one"
        else:
            # Within a factor of some of the size asked for, so that there are not too many.
            assert 4 * rows * columns > megabytes * 1e6 / 5, (height, width, rows, columns)


@pytest.mark.parametrize("megabytes", SIZES)
@pytest.mark.parametrize("depth", [1, 2, 30, 365, 5000, 200_000, 10_000_000])
def test_series_chunks(megabytes: float, depth: int) -> None:
    for height, width in grids(60):
        steps, rows, columns = temporal_chunks(depth, height, width, megabytes)
        assert steps == depth
        assert 1 <= rows <= height and 1 <= columns <= width
        pixels = megabytes * 1e6 / 4 / depth
        assert rows * columns <= max(1.0, pixels), "a series longer than a chunk is alone in it"
        if height * width <= pixels:
            assert (rows, columns) == (height, width)


def test_chunks_of_a_known_stack() -> None:
    """Thirty products of 2000 x 2000 pixels, as in the figures of the project."""
    assert spatial_chunks(2000, 2000, 4.0) == (1, 1000, 1000)
    steps, rows, columns = temporal_chunks(30, 2000, 2000, 4.0)
    assert steps == 30 and 150 <= rows == columns <= 182


def test_bands_cover_in_whole_chunks() -> None:
    numbers = random.Random(5)
    for _ in range(2000):
        length = numbers.randrange(1, 5000)
        chunk = numbers.randrange(1, length + 1)
        most = numbers.randrange(0, 6000)
        parts = list(bands(length, chunk, most))
        assert parts[0].start == 0 and parts[-1].stop == length
        for one, other in zip(parts, parts[1:], strict=False):
            assert one.stop == other.start and one.stop % chunk == 0
        for part in parts:
            assert 0 < part.stop - part.start <= max(most, chunk)


def test_blocks_cover_in_whole_units_and_are_as_small_as_asked_for() -> None:
    numbers = random.Random(6)
    for _ in range(300):
        height, width = numbers.randrange(1, 2000), numbers.randrange(1, 2000)
        unit = numbers.randrange(1, height + 1), numbers.randrange(1, width + 1)
        most = numbers.randrange(0, 10**6)
        largest = numbers.randrange(1, 3000), numbers.randrange(1, 3000)
        blocks = whole_blocks((height, width), unit, most, largest)
        sizes = [(r.stop - r.start, c.stop - c.start) for r, c in blocks]
        assert sum(down * across for down, across in sizes) == height * width
        assert len({(r.start, c.start) for r, c in blocks}) == len(blocks)
        for (row, column), (down, across) in zip(blocks, sizes, strict=True):
            assert row.start % unit[0] == column.start % unit[1] == 0
            assert down * across <= max(most, unit[0] * unit[1])
            assert down < largest[0] + unit[0] and across < largest[1] + unit[1]


def cuts(blocks: list[tuple[slice, slice]], maps: tuple[int, int]) -> dict[tuple[int, int], int]:
    """Return by how many blocks each chunk of a map is cut."""
    counts: dict[tuple[int, int], int] = {}
    for block in blocks:
        places = [
            range(part.start // size, -(-part.stop // size))
            for part, size in zip(block, maps, strict=True)
        ]
        for place in itertools.product(*places):
            counts[place] = counts.get(place, 0) + 1
    return counts


@pytest.mark.parametrize(
    ("most", "parts"), [(4_000_000, 1), (1_500_000, 1), (1_000_000, 1), (640_000, 2), (260_000, 4)]
)
def test_blocks_of_series_cut_chunks_of_maps_as_little_as_can_be(most: int, parts: int) -> None:
    shape, maps = (4000, 3000), (1000, 1000)
    blocks = series_blocks(shape, (50, 50), most, maps)
    assert set(cuts(blocks, maps).values()) == {parts}
    assert len({rows.stop - rows.start for rows, _ in blocks}) == 1
    # Units that do not divide a chunk reach into the next one.
    assert max(cuts(series_blocks(shape, (182, 182), most, maps), maps).values()) <= 4 * parts


def test_blocks_of_series_that_are_read_from_products_are_wide() -> None:
    blocks = series_blocks((4000, 3000), (100, 100), 640_000, None)
    assert all(rows.stop - rows.start == 200 for rows, _ in blocks)
    assert all(columns == slice(0, 3000) for _, columns in blocks)
