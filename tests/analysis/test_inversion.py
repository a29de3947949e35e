"""The vectorized inversion against LAPACK, one pixel at a time."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.solver.inversion import BATCH, Inversion
from hyp3_stack.core.analysis.solver.pair_weights import variance_weights
from hyp3_stack.core.network.pair_network import PairNetwork

from .networks import days, neighbors, observations

TOLERANCE = 2e-4
"""Radians; 0.9 micrometers of displacement at C band."""


def whitened(network, phase, weights, pixel, design):
    """Return the rows of one pixel's valid pairs, times the roots of their weights."""
    valid = np.isfinite(phase[:, pixel]) & (weights[:, pixel] > 0)
    root = np.sqrt(weights[valid, pixel].astype(float))
    return design[valid] * root[:, None], phase[valid, pixel] * root


def minimum_norm(network, phase, weights):
    """Solve for velocities with LAPACK's minimum-norm least squares (Berardino et al. 2002)."""
    steps = np.diff(network.years)
    spans = np.arange(steps.size)
    covered = (spans >= network.reference[:, None]) & (spans < network.secondary[:, None])
    result = np.zeros((network.date_count, phase.shape[1]))
    for pixel in range(phase.shape[1]):
        rows = whitened(network, phase, weights, pixel, covered * steps)
        velocity = np.linalg.lstsq(*rows, rcond=1e-10)[0]
        result[1:, pixel] = np.cumsum(velocity * steps)
    return result


def valid_components(network, phase, pixel):
    valid = np.isfinite(phase[:, pixel])
    label = list(range(network.date_count))
    for one, other in zip(network.reference[valid], network.secondary[valid], strict=True):
        old, new = label[one], label[other]
        label = [new if item == old else item for item in label]
    return len(set(label))


@pytest.mark.parametrize("missing", [0.0, 0.15, 0.45])
@pytest.mark.parametrize("yearly", [False, True])
def test_equals_minimum_norm_least_squares(missing, yearly):
    rng = np.random.default_rng(5)
    network = neighbors(days(50, rng), yearly=yearly)
    phase, weights, _ = observations(network, 60, rng, missing)
    solution = Inversion(network).solve(phase, weights)
    assert np.abs(solution.phase - minimum_norm(network, phase, weights)).max() < TOLERANCE
    components = [valid_components(network, phase, pixel) for pixel in range(60)]
    assert (solution.gap_count + 1 == components).all()
    assert missing < 0.4 or (solution.gap_count > 0).any()
    valid = np.isfinite(phase).sum(axis=0)
    assert (solution.valid_pairs == valid).all()
    assert (solution.redundancy == valid - (network.date_count - solution.gap_count - 1)).all()


@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("missing", [0.15, 0.45, 0.9])
@pytest.mark.parametrize("least_coherent", [0.05, 0.5, 0.95])
def test_weights_of_all_sizes(least_coherent, missing, linear):
    """Pairs of coherence 0.99 weigh ten thousand times as much as those of 0.03, in one pixel."""
    rng = np.random.default_rng(10)
    network = neighbors(days(30, rng), yearly=True)
    phase, _, _ = observations(network, 30, rng, missing)
    is_poor = rng.random(phase.shape) < least_coherent
    weights = variance_weights(np.where(is_poor, 0.03, 0.99).astype(np.float32), 41)
    phase[:, 0] = np.nan
    solution = Inversion(network, linear).solve(phase, weights)
    assert np.isnan(solution.phase[:, 0]).all()
    solve = closest_to_lines if linear else minimum_norm
    expected = solve(network, phase[:, 1:], weights[:, 1:])
    assert np.abs(solution.phase[:, 1:] - expected).max() < TOLERANCE


def closest_to_lines(network, phase, weights):
    """Solve for dates; of the solutions take the one closest to a line, in LAPACK."""
    result = np.zeros((network.date_count, phase.shape[1]))
    line = np.stack([network.years, np.ones(network.date_count)], axis=1)
    from_line = np.eye(network.date_count) - line @ np.linalg.pinv(line)
    for pixel in range(phase.shape[1]):
        rows, right = whitened(network, phase, weights, pixel, network.incidence()[:, 1:])
        least = np.linalg.lstsq(rows, right, rcond=1e-10)[0]
        free = null_space(rows)
        moved = from_line[:, 1:] @ free
        change = np.linalg.lstsq(moved, -(from_line[:, 1:] @ least), rcond=1e-10)[0]
        result[1:, pixel] = least + free @ change
    return result


def null_space(rows):
    """Return the vectors that rows of -1 and 1 times a weight turn to zero, shape (columns, n)."""
    signs = np.sign(rows)
    _, values, vectors = np.linalg.svd(signs)
    return vectors[np.count_nonzero(values > 1e-9) :].T


def test_without_weights_all_pairs_are_alike():
    rng = np.random.default_rng(6)
    network = neighbors(days(20, rng))
    phase, _, _ = observations(network, 30, rng)
    solution = Inversion(network).solve(phase, None)
    assert np.abs(solution.phase - minimum_norm(network, phase, np.ones_like(phase))).max() < 1e-4


def test_temporal_coherence_and_residuals_are_those_of_the_solution():
    rng = np.random.default_rng(7)
    network = neighbors(days(30, rng))
    phase, weights, _ = observations(network, 50, rng)
    solution = Inversion(network).solve(phase, weights)
    residual = phase - network.incidence() @ solution.phase
    assert np.allclose(solution.residual, residual, atol=1e-5, equal_nan=True)
    expected = np.abs(np.nanmean(np.exp(1j * residual), axis=0))
    assert np.abs(solution.temporal_coherence - expected).max() < 1e-6


def test_linear_gaps_follow_the_line_of_small_baseline_inversion():
    """Against the augmented system of Lopez-Quiroz et al. (2009) in LAPACK."""
    rng = np.random.default_rng(8)
    network = neighbors(days(40, rng))
    phase, weights, _ = observations(network, 40, rng, 0.45)
    solution = Inversion(network, linear_gaps=True).solve(phase, weights)
    count, gamma = network.date_count, 1e-4
    rows = np.hstack([network.incidence()[:, 1:], np.zeros((network.pair_count, 2))])
    line = np.zeros((count, count + 1))
    line[1:, : count - 1] = np.eye(count - 1)
    line[:, count - 1], line[:, count] = -network.years, -1.0
    has_gap = solution.gap_count > 0
    assert has_gap.any() and not has_gap.all()
    for pixel in range(40):
        design, right = whitened(network, phase, weights, pixel, rows)
        scale = gamma * np.sqrt(np.nanmean(np.where(np.isfinite(phase), weights, np.nan)[:, pixel]))
        design = np.vstack([design, scale * line])
        right = np.concatenate([right, np.zeros(count)])
        expected = np.linalg.lstsq(design, right, rcond=None)[0][: count - 1]
        assert np.abs(solution.phase[1:, pixel] - expected).max() < 2e-4


def test_a_steady_motion_passes_linear_gaps_and_stops_in_those_of_least_velocity():
    network = neighbors(days(20), span=1)
    motion = 3.0 * network.years
    phase = (network.incidence() @ motion)[:, None].astype(np.float32)
    phase[9] = np.nan
    least = Inversion(network).solve(phase, None).phase[:, 0]
    assert least[10] == pytest.approx(least[9], abs=1e-6)
    straight = Inversion(network, linear_gaps=True).solve(phase, None).phase[:, 0]
    assert straight == pytest.approx(motion, abs=1e-4)


def test_pixels_without_a_valid_pair_are_missing_not_zero():
    network = neighbors(days(6))
    phase = np.full((network.pair_count, 3), np.nan, np.float32)
    phase[:, 1] = 0.0
    weights = np.ones_like(phase)
    weights[:, 2] = 0.0
    solution = Inversion(network, functionals=np.ones((1, 6))).solve(phase, weights)
    assert np.isnan(solution.phase[:, [0, 2]]).all() and (solution.phase[:, 1] == 0).all()
    assert solution.valid_pairs.tolist() == [0, network.pair_count, 0]
    assert np.isnan(solution.temporal_coherence[[0, 2]]).all()
    assert np.isnan(solution.variance[0, [0, 2]]).all()


def test_a_tree_has_no_redundancy_and_tells_no_error():
    network = neighbors(days(8), span=1)
    phase = np.random.default_rng(2).normal(size=(7, 4)).astype(np.float32)
    solution = Inversion(network, functionals=np.ones((1, 8))).solve(phase, None)
    assert (solution.redundancy == 0).all() and (solution.temporal_coherence > 0.999999).all()
    assert np.isnan(solution.variance).all()


def test_networks_of_two_components():
    times = days(12)
    first, second = neighbors(times[:6]), neighbors(times[6:])
    network = PairNetwork.of_pairs(
        *(
            np.concatenate([part.times[getattr(part, side)] for part in (first, second)])
            for side in ("reference", "secondary")
        )
    )
    assert network.component_count == 2
    assert network.component_of.tolist() == [0] * 6 + [1] * 6
    phase, weights, _ = observations(network, 10, np.random.default_rng(3), missing=0.0)
    solution = Inversion(network).solve(phase, weights)
    assert (solution.gap_count == 1).all()
    assert np.abs(solution.phase - minimum_norm(network, phase, weights)).max() < TOLERANCE


def test_two_pairs_of_the_same_dates_count_both():
    times = days(3)
    network = PairNetwork.of_pairs(times[[0, 0, 1]], times[[1, 1, 2]])
    phase = np.float32([[1.0], [3.0], [1.0]])
    solution = Inversion(network).solve(phase, np.float32([[3.0], [1.0], [1.0]]))
    assert solution.phase[:, 0] == pytest.approx([0.0, 1.5, 2.5], abs=1e-6)
    assert solution.redundancy[0] == 1


def test_more_pixels_than_are_solved_at_once():
    rng = np.random.default_rng(4)
    network = neighbors(days(5))
    phase, weights, _ = observations(network, BATCH + 3, rng)
    inversion = Inversion(network)
    whole = inversion.solve(phase, weights)
    rest = inversion.solve(phase[:, BATCH:], weights[:, BATCH:])
    assert np.array_equal(whole.phase[:, BATCH:], rest.phase)
    assert inversion.solve(phase[:, :0], weights[:, :0]).phase.shape == (5, 0)


@pytest.mark.parametrize("missing", [0.4, 0.6])
@pytest.mark.parametrize("linear", [False, True])
def test_propagated_variance_holds_across_gaps(linear, missing):
    """Against the estimator as a matrix: its answer to each pair alone, by LAPACK."""
    rng = np.random.default_rng(11)
    times = days(7, rng)
    network = neighbors(times)
    phase, weights, _ = observations(network, 150, rng, missing)
    functional = np.linalg.pinv(np.stack([np.ones(7), network.years], 1))[1]
    solution = Inversion(network, linear, functional[None]).solve(phase, weights)
    solve = closest_to_lines if linear else minimum_norm
    checked = (solution.redundancy > 0) & (solution.gap_count > 0)
    assert checked.sum() >= 5
    for pixel in np.flatnonzero(checked):
        valid = np.flatnonzero(np.isfinite(phase[:, pixel]))
        alone = np.full((network.pair_count, valid.size), np.nan)
        alone[valid] = np.eye(valid.size)
        weight = weights[:, [pixel]]
        response = functional @ solve(network, alone, np.repeat(weight, valid.size, 1))
        squares = weight[valid, 0] @ solution.residual[valid, pixel] ** 2
        variance = squares / solution.redundancy[pixel] * (response**2 / weight[valid, 0]).sum()
        assert solution.variance[0, pixel] == pytest.approx(variance, rel=1e-3)


def test_propagated_variance_is_that_of_the_estimator():
    """Against the covariance of weighted least squares, on connected pixels."""
    rng = np.random.default_rng(9)
    network = neighbors(days(15, rng))
    phase, weights, _ = observations(network, 20, rng, missing=0.05)
    functional = rng.normal(size=15)
    solution = Inversion(network, functionals=functional[None]).solve(phase, weights)
    design = network.incidence()[:, 1:]
    for pixel in np.flatnonzero(solution.gap_count == 0):
        valid = np.isfinite(phase[:, pixel])
        weight = weights[valid, pixel].astype(float)
        normal = design[valid].T @ (weight[:, None] * design[valid])
        scale = weight @ solution.residual[valid, pixel] ** 2 / solution.redundancy[pixel]
        expected = scale * functional[1:] @ np.linalg.solve(normal, functional[1:])
        assert solution.variance[0, pixel] == pytest.approx(expected, rel=1e-4)
