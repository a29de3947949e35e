"""Evaluation on a product's grid: point by point, or through Chebyshev nodes where it is large.

The fields are smooth, so that a block of 256 x 256 pixels is known to about single precision from
its values at 64 x 64 Chebyshev nodes; that makes large products some ten times cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from affine import Affine
from pyproj import Transformer

BLOCK = 256
NODES = 64
EXACT_PIXELS = 500_000

Fields = dict[str, np.ndarray]


@lru_cache(maxsize=32)
def _weights(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return node positions (in pixels) and the matrix from node values to pixel centers."""
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    at = (2 * (np.arange(count) + 0.5) / count) - 1
    order = np.arange(NODES)
    forward = np.cos(np.outer(order, np.arccos(nodes))) * (2 / NODES)
    forward[0] /= 2
    matrix = np.cos(np.outer(np.arccos(at), order)) @ forward
    return (nodes + 1) / 2 * count, matrix.astype(np.float32)


def blocks(
    transform: Affine,
    shape: tuple[int, int],
    epsg: int,
    fields: Callable[[np.ndarray, np.ndarray], Fields],
    exact: bool,
) -> Iterator[tuple[slice, slice, Fields]]:
    """Yield row and column slices of a grid with all fields on them.

    ``exact`` evaluates every pixel center in double precision; otherwise arrays are float32.
    """
    rows, columns = shape
    to_geographic = Transformer.from_crs(epsg, 4326, always_xy=True)
    size = max(rows, columns) if exact and rows * columns <= EXACT_PIXELS else BLOCK
    for top in range(0, rows, size):
        for first in range(0, columns, size):
            height, width = min(size, rows - top), min(size, columns - first)
            if exact:
                down, right = np.arange(height) + 0.5, np.arange(width) + 0.5
            else:
                (down, lines), (right, samples) = _weights(height), _weights(width)
            x = transform.c + (first + right) * transform.a
            y = transform.f + (top + down) * transform.e
            x, y = np.tile(x, len(y)), np.repeat(y, len(x))
            grid = (len(down), len(right))
            values = {
                name: value.reshape(grid)
                for name, value in fields(*to_geographic.transform(x, y)).items()
            }
            if not exact:
                values = {name: _expand(lines, samples, value) for name, value in values.items()}
            yield slice(top, top + height), slice(first, first + width), values


def _expand(lines: np.ndarray, samples: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return values at pixels from values at nodes, relative to their mean to keep precision."""
    mean = value.mean()
    spread = (value - mean).astype(np.float32)
    return lines @ spread @ samples.T + np.float32(mean)
