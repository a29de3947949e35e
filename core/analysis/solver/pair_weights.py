"""The weights of the pairs of many pixels, looked up in tables."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...network.phase_variance import ENTRIES, entry_weight


@lru_cache(maxsize=16)
def weight_table(looks: int) -> NDArray[np.float32]:
    """Return 1 / variance for coherence 0 to 1 in equal steps; shape (entries,)."""
    return np.array([entry_weight(entry, looks) for entry in range(ENTRIES)], np.float32)


def variance_weights(coherence: NDArray[np.float32], looks: int) -> NDArray[np.float32]:
    """Return the inverse of the variance of the phase, in 1 / rad2; 0 where coherence is NaN."""
    known = np.isfinite(coherence)
    position = np.where(known, coherence, 0.0).clip(0.0, 1.0) * (ENTRIES - 1) + 0.5
    return np.where(known, weight_table(looks)[position.astype(np.intp)], np.float32(0.0))
