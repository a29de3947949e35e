"""What users of other programs met and must not meet here; more in test_closure, test_repair."""

import numpy as np

from hyp3_stack.core.analysis.solver.inversion import Inversion
from hyp3_stack.core.network.pair_network import PairNetwork
from tests.sample_products.displacement import METERS_PER_RADIAN, make_arrays


def inverted(stack):
    """Return the displacement of a stack of arrays (m), NaN where no pair is valid."""
    times = np.datetime64("2023-01-06", "ms") + (stack.days * 86_400_000).astype("m8[ms]")
    network = PairNetwork(times, *stack.pairs.T)
    phase = stack.phase.reshape(len(stack.pairs), -1).astype(np.float32)
    weights = stack.coherence.reshape(phase.shape).astype(np.float32)
    solution = Inversion(network).solve(phase, weights)
    return solution, (solution.phase * METERS_PER_RADIAN).reshape(-1, *stack.height.shape)


def test_a_step_is_not_smeared():
    """gmtsar #316: smoothing spread an earthquake over the dates around it."""
    stack = make_arrays(dates=16, step=0.2, step_date=9, looks=40)
    _, displacement = inverted(stack)
    moved = np.abs(stack.displacement[-1]) > 0.19
    jumps = np.diff(displacement, axis=0)[:, moved].mean(axis=1)
    assert np.argmax(np.abs(jumps)) == 8
    assert abs(abs(jumps[8]) - 0.2) < 1e-3 and np.abs(np.delete(jumps, 8)).max() < 1e-3


def test_zero_is_a_value():
    """MintPy takes the reference pixel's zeros for missing data and patches it afterwards."""
    stack = make_arrays(dates=8, linear=0.1)
    stack.phase[:, 5, 7] = 0.0
    solution, displacement = inverted(stack)
    valid = solution.valid_pairs.reshape(stack.height.shape)
    for place in ((5, 7), stack.reference):
        assert valid[place] == len(stack.pairs) and np.all(displacement[(slice(None), *place)] == 0)


def test_a_pixel_without_pairs_is_missing():
    """hyp3-isce2 #211: a map of water alone; other programs wrote zeros there."""
    stack = make_arrays(dates=8, linear=0.1)
    stack.phase[:, :, 30:] = np.nan
    _, displacement = inverted(stack)
    assert np.isnan(displacement[:, :, 30:]).all() and np.isfinite(displacement[:, :, :30]).all()
