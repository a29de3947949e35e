"""The network of a stack as a graph: acquisitions, pairs, components and triangles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

YEAR_DAYS = 365.25
"""Days of a year: a Julian year, by which velocities are counted."""


@dataclass(frozen=True)
class PairNetwork:
    """Acquisitions and the pairs between them."""

    # UTC time of each acquisition, increasing; shape (N,), datetime64.
    times: NDArray[np.datetime64]
    # Positions of the earlier and the later acquisition of each pair in ``times``; shape (M,).
    reference: NDArray[np.intp]
    secondary: NDArray[np.intp]

    @classmethod
    def of_pairs(
        cls, reference: NDArray[np.datetime64], secondary: NDArray[np.datetime64]
    ) -> PairNetwork:
        """Make a network from the times of the acquisitions of each pair, of shape (M,)."""
        times = np.unique(np.concatenate([reference, secondary]))
        return cls(times, np.searchsorted(times, reference), np.searchsorted(times, secondary))

    @property
    def date_count(self) -> int:
        """Number of acquisitions."""
        return self.times.size

    @property
    def pair_count(self) -> int:
        """Number of pairs."""
        return self.reference.size

    @cached_property
    def years(self) -> NDArray[np.float64]:
        """Years of 365.25 days since the first acquisition; shape (N,)."""
        days: NDArray[np.float64] = (self.times - self.times[0]) / np.timedelta64(1, "D")
        return days / YEAR_DAYS

    @cached_property
    def component_of(self) -> NDArray[np.intp]:
        """Number of the component of each acquisition, from 0 in the order of time; shape (N,)."""
        label = np.arange(self.date_count)
        ends = np.stack([self.reference, self.secondary])
        while True:
            lowest = label.copy()
            # Each acquisition takes the lowest label among itself and its neighbors.
            np.minimum.at(lowest, ends[0], label[ends[1]])
            np.minimum.at(lowest, ends[1], label[ends[0]])
            if np.array_equal(lowest, label):
                return np.unique(label, return_inverse=True)[1]
            label = lowest

    @property
    def component_count(self) -> int:
        """Number of parts of the network between which there is no pair."""
        return int(self.component_of.max()) + 1

    def incidence(self) -> NDArray[np.float64]:
        """Return the design matrix of phases: -1 at the reference, +1 at the secondary; (M, N)."""
        matrix = np.zeros((self.pair_count, self.date_count))
        pairs = np.arange(self.pair_count)
        matrix[pairs, self.secondary] = 1.0
        matrix[pairs, self.reference] = -1.0
        return matrix


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
