"""Variance of the interferometric phase against published integrals of its density."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.solver.pair_weights import variance_weights
from hyp3_stack.core.network.phase_variance import (
    independent_looks,
    phase_density,
    phase_variance,
    phase_weight,
)


@pytest.mark.parametrize(
    ("looks", "coherence", "variance"),
    [
        (1, 0.5, 1.7853),
        (5, 0.3, 1.3235),
        (10, 0.5, 0.2239),
        (10, 0.1, 2.2516),
        (41, 0.1, 1.3912),
        (41, 0.2, 0.4533),
        (41, 0.5, 0.0391),
        (41, 0.9, 0.0029),
    ],
)
def test_variance(looks, coherence, variance):
    assert phase_variance(coherence, looks) == pytest.approx(variance, abs=6e-5)
    weights = variance_weights(np.float32([coherence]), looks)
    assert weights[0] == pytest.approx(1.0 / variance, rel=0.02)


@pytest.mark.parametrize("looks", [1, 2, 10, 41, 80])
@pytest.mark.parametrize("coherence", [0.0025, 0.5, 0.9975])
def test_the_density_integrates_to_one(looks, coherence):
    phase = np.linspace(-np.pi, np.pi, 4001)
    density = np.array([phase_density(float(value), coherence, looks) for value in phase])
    assert np.trapezoid(density, phase) == pytest.approx(1.0, abs=1e-6)
    variance = np.trapezoid(phase**2 * density, phase)
    assert phase_variance(coherence, looks) == pytest.approx(variance, rel=1e-5)
    assert density.min() >= -1e-12


def test_one_look_without_coherence_is_uniform():
    assert phase_variance(0.0, 1) == pytest.approx(np.pi**2 / 3, rel=0.01)


@pytest.mark.parametrize(
    ("range_looks", "azimuth_looks", "looks"), [(20, 4, 41), (10, 2, 10), (5, 1, 3), (1, 1, 1)]
)
def test_independent_looks(range_looks, azimuth_looks, looks):
    assert independent_looks(range_looks, azimuth_looks) == looks


def test_weights_grow_with_coherence_and_are_zero_without():
    coherence = np.linspace(0.0, 1.0, 500, dtype=np.float32)
    weights = variance_weights(coherence, 41)
    assert (np.diff(weights) >= 0).all() and weights[0] > 0
    assert variance_weights(np.float32([np.nan]), 41)[0] == phase_weight(np.nan, 41) == 0.0
    # Of pixels and of points the same.
    assert weights == pytest.approx([phase_weight(float(one), 41) for one in coherence], rel=1e-6)
