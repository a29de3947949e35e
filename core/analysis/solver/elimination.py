"""The order in which acquisitions are eliminated, and the fill-in of the factors that follows.

The normal matrix of a network is the weighted Laplacian of its graph: sparse, with the same pattern
in all pixels. One symbolic factorization serves all of them (George and Liu 1981, chapter 5).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Column:
    """One column of the factor: an acquisition and its neighbors when it is eliminated."""

    vertex: int  # the acquisition
    # Acquisitions that are eliminated later and have an entry in its column.
    neighbors: NDArray[np.intp]
    # Where the entries of the column stand among all, in the order of ``neighbors``.
    begin: int
    end: int
    # Positions among ``neighbors`` of each two different ones.
    left: NDArray[np.intp]
    right: NDArray[np.intp]
    fill: NDArray[np.intp]  # position among all entries of the entry between these two


@dataclass(frozen=True)
class Elimination:
    """Columns in the order of elimination, and the position of the entry of each edge."""

    columns: tuple[Column, ...]  # one for each vertex
    # Position of the entry between two vertices, by the smaller and the larger one.
    entry_of: dict[tuple[int, int], int]

    @property
    def entry_count(self) -> int:
        """Number of entries off the diagonal."""
        return len(self.entry_of)


def eliminate(edges: Iterable[tuple[int, int]], vertices: Iterable[int]) -> Elimination:
    """Order the vertices of a graph by minimum degree and find the entries of the factor.

    Edges to others than ``vertices`` are passed over.
    """
    around: dict[int, set[int]] = {vertex: set() for vertex in vertices}
    for one, other in edges:
        if one in around and other in around and one != other:
            around[one].add(other)
            around[other].add(one)
    order: list[tuple[int, list[int]]] = []
    entry_of: dict[tuple[int, int], int] = {}
    while around:
        vertex = min(around, key=lambda item: (len(around[item]), item))
        neighbors = sorted(around.pop(vertex))
        for neighbor in neighbors:
            entry_of[min(vertex, neighbor), max(vertex, neighbor)] = len(entry_of)
            around[neighbor] |= set(neighbors)
            around[neighbor] -= {vertex, neighbor}
        order.append((vertex, neighbors))
    columns, begin = [], 0
    for vertex, neighbors in order:
        left, right = np.triu_indices(len(neighbors), 1)
        # Sorted neighbors: the left one is the smaller one.
        fill = [entry_of[neighbors[a], neighbors[b]] for a, b in zip(left, right, strict=True)]
        end = begin + len(neighbors)
        columns.append(
            Column(
                vertex,
                np.array(neighbors, np.intp),
                begin,
                end,
                left,
                right,
                np.array(fill, np.intp),
            )
        )
        begin = end
    return Elimination(tuple(columns), entry_of)
