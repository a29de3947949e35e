"""Least squares on the network of pairs at one point, as ``hyp3:invertstack`` does everywhere."""

import cmath
import math
from dataclasses import dataclass
from datetime import timedelta

from ....core.products.sentinel1 import LONGEST_GAP
from .linear_system import solve

_VIRTUAL_WEIGHT = 1e-8
"""Of a virtual pair, relative to the mean weight of the valid pairs."""


@dataclass(frozen=True)
class Solution:
    """Phases in radians at each acquisition, relative to the first one, and what they rest on."""

    times: list
    phases: list
    temporal_coherence: float
    valid_pairs: int
    redundancy: int
    gap_count: int


def invert(begins, ends, phases, weights=None):
    """Return the solution for the phases of pairs, or None where no pair has data.

    ``begins`` and ``ends`` are the times of each pair, also of those without data, whose phase is
    NaN or whose weight is NaN or 0. Without ``weights`` all pairs count alike. Virtual pairs
    between consecutive acquisitions, of phase 0 and with a tiny weight that falls with the square
    of the time between them, bridge gaps by least velocities (Berardino et al. 2002).
    """
    first = pass_starts([*begins, *ends])
    begins, ends = ([first[time] for time in side] for side in (begins, ends))
    times = sorted(set(first.values()))
    place = {time: number for number, time in enumerate(times)}
    weights = [1.0] * len(phases) if weights is None else weights
    pairs = [
        (place[begin], place[end], phase, weight)
        for begin, end, phase, weight in zip(begins, ends, phases, weights)  # noqa: B905
        if begin != end and math.isfinite(phase) and weight > 0.0  # not so for NaN
    ]
    if not pairs:
        return None
    tiny = _VIRTUAL_WEIGHT * sum(weight for _, _, _, weight in pairs) / len(pairs)
    steps = [(after - before) / timedelta(days=1) for before, after in zip(times, times[1:])]  # noqa: B905
    mean = sum(steps) / len(steps)
    virtual = [(n, n + 1, 0.0, tiny * (mean / step) ** 2) for n, step in enumerate(steps)]
    found = [0.0, *_solve_laplacian(len(times), pairs + virtual)]
    vectors = [cmath.exp(1j * (phase - found[j] + found[i])) for i, j, phase, _ in pairs]
    components = _count_components(len(times), pairs)
    return Solution(
        times,
        found,
        abs(sum(vectors)) / len(pairs),
        len(pairs),
        len(pairs) - (len(times) - components),
        components - 1,
    )


def pass_starts(times):
    """Return when the pass of each frame began, by the time of the frame: it is one acquisition."""
    found, before = {}, None
    for time in sorted(set(times)):
        follows = before is not None and time - before < LONGEST_GAP
        found[time] = found[before] if follows else time
        before = time
    return found


def _solve_laplacian(count, pairs):
    """Return the phases of all acquisitions but the first, which is 0."""
    rows = [{number: 0.0} for number in range(count - 1)]
    right = [0.0] * (count - 1)
    for i, j, phase, weight in pairs:
        for number, sign in ((i - 1, -1.0), (j - 1, 1.0)):
            if number >= 0:
                rows[number][number] += weight
                right[number] += sign * weight * phase
        if i:
            rows[i - 1][j - 1] = rows[i - 1].get(j - 1, 0.0) - weight
    return solve(rows, right)


def _count_components(count, pairs):
    leader = list(range(count))

    def find(number):
        while leader[number] != number:
            leader[number] = number = leader[leader[number]]
        return number

    for i, j, _, _ in pairs:
        leader[find(i)] = find(j)
    return sum(find(number) == number for number in range(count))
