"""Weights of pairs: the variance of the interferometric phase from coherence and looks.

Plain Python, because QGIS weights the pairs of a point as the inversion does those of all pixels.
"""

from __future__ import annotations

import math
from functools import lru_cache

LOOKS_FACTOR = 1.94
"""Pixels of Sentinel-1 IW in an independent look: resolution over spacing, in range and azimuth."""

MOST_LOOKS = 80
"""More looks change the weights by little, and their factorials exceed what a float holds."""

ENTRIES = 4096
"""Coherences from 0 to 1 of which the weight is known: so many that the nearest one does."""

_LEAST, _MOST = 0.0025, 0.9975
"""Limits of coherence: outside of them the variance says nothing or nears zero."""

_NODES = 200
"""Coherences whose variance is integrated; its logarithm is nearly straight between them."""

_PHASES = 128
"""Intervals of the integral: even."""


def independent_looks(looks_range: float, looks_azimuth: float) -> int:
    """Return the number of independent looks of an interferogram: 41 for 20 x 4, 10 for 10 x 2."""
    return min(max(round(looks_range * looks_azimuth / LOOKS_FACTOR), 1), MOST_LOOKS)


def phase_density(phase: float, coherence: float, looks: int) -> float:
    """Return the probability density of the phase of distributed scatterers.

    The closed form for whole numbers of looks (Tough, Blacknell and Quegan 1995; Hanssen 2001,
    section 4.2.2).

    Parameters
    ----------
    phase
        Deviation from the expected phase in radians.
    coherence
        At least 0 and less than 1.
    looks
        Number of independent looks, at least 1.
    """
    beta = coherence * math.cos(phase)
    square = beta * beta
    rest = 1.0 - square
    leading, ratios = _series(looks)
    arc = (2 * looks - 1) * beta * (math.pi / 2 + math.asin(beta)) / math.sqrt(rest)
    total = 0.0
    # Powers of ``rest`` are taken relative to rest^L, which the last factor brings.
    for step, ratio in enumerate(ratios):
        total = total * rest + ratio * (1.0 + (2 * step + 1) * square)
    density = leading * (arc + 1.0) + total
    return ((1.0 - coherence * coherence) / rest) ** looks / (2 * math.pi) * density


def phase_variance(coherence: float, looks: int) -> float:
    """Return the variance of the phase in square radians, by Simpson's rule on its density."""
    coherence = min(max(coherence, _LEAST), _MOST)
    total = 0.0
    for number in range(1, _PHASES + 1):
        # Steps that grow with the cube resolve the narrow peak of a high coherence.
        part = number / _PHASES
        phase = math.pi * part**3
        factor = 1 if number == _PHASES else 4 if number % 2 else 2
        total += factor * part**2 * phase**2 * phase_density(phase, coherence, looks)
    return 2 * 3 * math.pi * total / (3 * _PHASES)


def phase_weight(coherence: float, looks: int) -> float:
    """Return the inverse of the variance of the phase, in 1 / rad2; 0 where coherence is NaN."""
    if math.isnan(coherence):
        return 0.0
    return entry_weight(int(min(max(coherence, 0.0), 1.0) * (ENTRIES - 1) + 0.5), looks)


@lru_cache(maxsize=4 * ENTRIES)
def entry_weight(entry: int, looks: int) -> float:
    """Return the weight of the coherence that an entry stands for, from 0 to 1 in equal steps."""
    coherence = min(max(entry / (ENTRIES - 1), _LEAST), _MOST)
    place = (coherence - _LEAST) / (_MOST - _LEAST) * (_NODES - 1)
    before = min(int(place), _NODES - 2)
    low, high = (_log_variance(node, looks) for node in (before, before + 1))
    return math.exp(-(low + (place - before) * (high - low)))


@lru_cache(maxsize=4 * _NODES)
def _log_variance(node: int, looks: int) -> float:
    return math.log(phase_variance(_LEAST + (_MOST - _LEAST) * node / (_NODES - 1), looks))


@lru_cache(maxsize=MOST_LOOKS)
def _series(looks: int) -> tuple[float, tuple[float, ...]]:
    """Return the factor of the density's first part, and those of the terms of its sum."""
    # (2L - 2 over L - 1) / 4^(L - 1), as a product that cannot overflow.
    leading = math.prod((2 * n - 1) / (2 * n) for n in range(1, looks))
    ratios, ratio = [], 1.0
    for step in range(looks - 1):
        ratios.append(ratio / (2 * (looks - 1)))
        ratio *= (looks - 1.5 - step) / max(looks - 2.0 - step, 1.0)
    return leading, tuple(ratios)
