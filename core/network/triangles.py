"""Triangles of a network of pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def find_triangles(pairs: NDArray[np.integer]) -> NDArray[np.intp]:
    """Return the triangles of a network.

    Parameters
    ----------
    pairs
        Indexes of the reference and secondary date of each pair, earlier first, shape (pairs, 2).

    Returns
    -------
    numpy.ndarray
        Shape (triangles, 3): the pairs from the first date to the second, from there to the third,
        and from the first to the third.
    """
    index = {(int(one), int(other)): number for number, (one, other) in enumerate(pairs)}
    later: dict[int, list[int]] = {}
    for one, other in index:
        later.setdefault(one, []).append(other)
    found = [
        (number, index[middle, last], index[first, last])
        for (first, middle), number in index.items()
        for last in later.get(middle, ())
        if (first, last) in index
    ]
    return np.array(sorted(found), dtype=np.intp).reshape(-1, 3)
