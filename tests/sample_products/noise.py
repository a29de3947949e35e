"""Noise as a radar image has it: it follows from coherence and the number of looks."""

from __future__ import annotations

import numpy as np

INDEPENDENT_SHARE = 0.5
WORST_PHASE = 1.2
LEFT_BY_FILTER = 0.6


def independent_looks(range_looks: int, azimuth_looks: int) -> float:
    """Return the number of independent looks in one pixel."""
    return range_looks * azimuth_looks * INDEPENDENT_SHARE


def phase_noise(rng: np.random.Generator, corr: np.ndarray, looks: float) -> np.ndarray:
    """Return phase noise (rad): neighbors are correlated, as after filtering.

    Its standard deviation is that of Rodriguez and Martin (1992), less what the adaptive filter
    takes away, and limited at low coherence.
    """
    gamma = np.clip(np.nan_to_num(corr, nan=0.05), 0.03, 0.999).astype(np.float32)
    spread = np.sqrt((1 - gamma**2) / (2 * looks * gamma**2))
    return smooth_normal(rng, corr.shape) * np.minimum(LEFT_BY_FILTER * spread, WORST_PHASE)


def coherence_noise(rng: np.random.Generator, corr: np.ndarray, looks: float) -> np.ndarray:
    """Return an estimated coherence: noisy, within 0..1 and never zero."""
    spread = (1 - corr**2) / np.sqrt(2 * looks)
    estimate = corr + spread * rng.standard_normal(corr.shape, dtype=np.float32)
    return np.clip(np.abs(estimate), 1e-3, 0.999)


def speckle(rng: np.random.Generator, power: np.ndarray, looks: float) -> np.ndarray:
    """Return linear power with multiplicative speckle of mean one."""
    return power * (rng.standard_gamma(looks, power.shape, dtype=np.float32) / np.float32(looks))


def smooth_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return normal noise of unit variance, averaged over 3 x 3 pixels."""
    white = rng.standard_normal((shape[0] + 2, shape[1] + 2), dtype=np.float32)
    rows = white[:-2] + white[1:-1] + white[2:]
    return (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / np.float32(3)
