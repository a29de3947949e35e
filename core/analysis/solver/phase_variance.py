"""Weights of pairs: the variance of the interferometric phase from coherence and looks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LOOKS_FACTOR = 1.94
"""Pixels of Sentinel-1 IW in an independent look: resolution over spacing, in range and azimuth."""

MOST_LOOKS = 80
"""More looks change the weights by little, and their factorials exceed what a float holds."""

_LEAST, _MOST = 0.0025, 0.9975
"""Limits of coherence: outside of them the variance says nothing or nears zero."""

_NODES = 200
_PHASES = 2001
_ENTRIES = 4096
"""Of the table: so many that the nearest entry does."""


def independent_looks(looks_range: float, looks_azimuth: float) -> int:
    """Return the number of independent looks of an interferogram: 41 for 20 x 4, 10 for 10 x 2."""
    return int(np.clip(round(looks_range * looks_azimuth / LOOKS_FACTOR), 1, MOST_LOOKS))


def phase_density(phase: NDArray[np.float64], coherence: float, looks: int) -> NDArray[np.float64]:
    """Return the probability density of the phase of distributed scatterers.

    The closed form for whole numbers of looks (Tough, Blacknell and Quegan 1995; Hanssen 2001,
    section 4.2.2).

    Parameters
    ----------
    phase
        Deviation from the expected phase in radians, any shape.
    coherence
        At least 0 and less than 1.
    looks
        Number of independent looks, at least 1.
    """
    beta = coherence * np.cos(phase)
    rest = 1.0 - beta**2
    # (2L - 2 over L - 1) / 4^(L - 1), as a product that cannot overflow.
    factor = float(np.prod([(2 * n - 1) / (2 * n) for n in range(1, looks)]))
    arc = (2 * looks - 1) * beta * (np.pi / 2 + np.arcsin(beta)) / np.sqrt(rest)
    density = factor * (arc + 1.0)
    ratio = 1.0
    for step in range(looks - 1):
        # Powers of ``rest`` are taken relative to rest^L, which the leading factor brings.
        density += (ratio * (1.0 + (2 * step + 1) * beta**2) * rest ** (looks - step - 2)) / (
            2 * (looks - 1)
        )
        ratio *= (looks - 1.5 - step) / max(looks - 2.0 - step, 1.0)
    return ((1.0 - coherence**2) / rest) ** looks / (2 * np.pi) * density


def phase_variance(coherence: float, looks: int) -> float:
    """Return the variance of the phase in square radians, by integration of its density."""
    phase = np.linspace(-np.pi, np.pi, _PHASES)
    density = phase_density(phase, float(np.clip(coherence, _LEAST, _MOST)), looks)
    return float(np.trapezoid(phase**2 * density, phase))


@lru_cache(maxsize=16)
def weight_table(looks: int) -> NDArray[np.float32]:
    """Return 1 / variance for coherence 0 to 1 in equal steps; shape (entries,)."""
    nodes = np.linspace(_LEAST, _MOST, _NODES)
    variances = [phase_variance(float(node), looks) for node in nodes]
    entries = np.linspace(0.0, 1.0, _ENTRIES)
    # The logarithm is nearly straight between nodes.
    return np.exp(-np.interp(entries, nodes, np.log(variances))).astype(np.float32)


def variance_weights(coherence: NDArray[np.float32], looks: int) -> NDArray[np.float32]:
    """Return the inverse of the variance of the phase, in 1 / rad2; 0 where coherence is NaN."""
    known = np.isfinite(coherence)
    position = np.where(known, coherence, 0.0).clip(0.0, 1.0) * (_ENTRIES - 1) + 0.5
    return np.where(known, weight_table(looks)[position.astype(np.intp)], np.float32(0.0))
