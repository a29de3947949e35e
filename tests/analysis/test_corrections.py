"""Corrections find what is known to be in the displacement, and can be taken back."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.date_corrections import (
    best_reference_date,
    fit_height_delays,
    fit_ramps,
    outlier_dates,
)
from hyp3_stack.core.analysis.height_error import (
    HeightErrorFit,
    baseline_history,
    range_times_sine,
)
from hyp3_stack.core.analysis.solver.time_functions import TimeFunctions
from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.network.pair_network import PairNetwork
from tests.running import assert_one_sentence
from tests.sample_products.displacement import RANGE_TIMES_SINE, make_arrays
from tests.sample_products.orbit import HEIGHT, Track

MILLIMETER = 1e-3


def network_of(stack):
    times = np.datetime64("2023-01-06", "ms") + (stack.days * 86_400_000).astype("m8[ms]")
    return PairNetwork(times, stack.pairs[:, 0], stack.pairs[:, 1])


def series(stack):
    """Return displacement as an inversion gives it, shape (dates, pixels)."""
    return (stack.displacement + stack.delay).reshape(len(stack.days), -1)


def points(stack):
    row, column = np.indices(stack.height.shape).astype(float)
    return row.ravel(), column.ravel()


def test_residual_height_is_exact_without_noise():
    stack = make_arrays(dates=20, linear=0.05, height_error=8.0)
    network = network_of(stack)
    baselines = baseline_history(network, stack.baselines)
    assert np.allclose(baselines, stack.positions, atol=1e-9)
    functions = TimeFunctions(network.times)
    found = HeightErrorFit(baselines, functions.design).find(series(stack), RANGE_TIMES_SINE)
    row, column = stack.reference
    truth = stack.height_error - stack.height_error[row, column]
    # The model's height less the true one: what has to be added to the model is the opposite.
    assert np.abs(found.height + truth.ravel()).max() < 0.1
    velocity = functions.fit(series(stack) - found.correction).coefficients[1]
    assert np.abs(velocity - stack.velocity.ravel()).max() < 0.1 * MILLIMETER
    without = functions.fit(series(stack)).coefficients[1]
    assert np.abs(without - stack.velocity.ravel()).max() > MILLIMETER
    assert not found.correction[0].any()
    assert np.allclose(found.correction, stack.parts["height_error"].reshape(20, -1), atol=1e-6)


def test_residual_height_does_not_take_motion():
    stack = make_arrays(dates=40, linear=0.05, annual=0.01, step=0.03, step_date=20)
    network = network_of(stack)
    step = network.times[20].astype("datetime64[D]")
    functions = TimeFunctions(network.times, harmonics=1, steps=(step,))
    baselines = baseline_history(network, stack.baselines)
    found = HeightErrorFit(baselines, functions.design).find(series(stack), RANGE_TIMES_SINE)
    assert np.abs(found.height).max() < 0.1


def test_baselines_that_follow_time_are_refused():
    stack = make_arrays(dates=8)
    functions = TimeFunctions(network_of(stack).times)
    with pytest.raises(InvalidParameterError) as caught:
        HeightErrorFit(5.0 * stack.years, functions.design)
    assert_one_sentence(caught.value, "DEM_ERROR", "8 dates")
    with pytest.raises(InvalidParameterError):
        HeightErrorFit(np.zeros(8), functions.design)


def test_unknown_baselines_are_named():
    stack = make_arrays(dates=6)
    network = network_of(stack)
    missing = stack.baselines.copy()
    missing[[1, 4]] = np.nan
    with pytest.raises(InvalidParameterError) as caught:
        baseline_history(network, missing)
    assert_one_sentence(caught.value, "DEM_ERROR", "pair 2, 5")
    halves = (stack.pairs < 3).all(axis=1) | (stack.pairs >= 3).all(axis=1)
    parted = PairNetwork(network.times, *stack.pairs[halves].T)
    with pytest.raises(InvalidParameterError) as caught:
        baseline_history(parted, stack.baselines[halves])
    assert_one_sentence(caught.value, "2 parts")


def test_slant_range_follows_from_the_incidence_angle():
    track = Track.over(-120.0, 34.7, "ascending", np.radians(38.5))
    reach = track.reach + np.linspace(-0.01, 0.01, 5)
    incidence = track.incidence(reach)
    found = range_times_sine(incidence, track.radius, HEIGHT)
    assert np.allclose(found, track.slant_range(reach) * np.sin(incidence), rtol=1e-9)


@pytest.mark.parametrize("kind, left", [("linear", 1e-9), ("quadratic", 1e-9)])
def test_ramps_are_taken_off(kind, left):
    stack = make_arrays(ramp=0.05)
    row, column = points(stack)
    some = slice(None, None, 7)
    ramps = fit_ramps(kind, row[some], column[some], series(stack)[:, some], stack.reference)
    correction = ramps(row, column)
    assert np.abs(series(stack) - correction).max() < left < np.abs(correction).max()
    at = row * 48 + column == stack.reference[0] * 48 + stack.reference[1]
    assert not correction[:, at].any() and not correction[0].any()


def test_a_plane_leaves_what_is_curved():
    stack = make_arrays(ramp=0.05)
    row, column = points(stack)
    bowl = 1e-5 * ((row - 20) ** 2 + (column - 24) ** 2)
    values = series(stack) + np.arange(12)[:, None] * bowl
    flat, curved = (
        fit_ramps(kind, row, column, values, stack.reference)(row, column)
        for kind in ("linear", "quadratic")
    )
    assert np.std(values - curved) < 1e-9 < 1e-3 < np.std(values - flat)


def test_fewer_points_than_terms_fit_no_ramp():
    row = np.arange(5.0)
    with pytest.raises(ValueError, match="points"):
        fit_ramps("quadratic", row, row**2, np.zeros((3, 5)), (0, 0))


def test_stratified_delay_loses_its_variance():
    stack = make_arrays(
        dates=20, stratified=0.04, turbulent=0.004, mogi=0.05, linear=0.01, shape=(60, 70)
    )
    height, values = stack.height.ravel(), series(stack)
    row, column = points(stack)
    reference = stack.height[stack.reference]
    found = fit_height_delays(row[::5], column[::5], height[::5], values[:, ::5], reference)
    correction = found.surfaces(height)
    truth = stack.parts["stratified"].reshape(20, -1)
    assert np.var(truth - correction) < 0.1 * np.var(truth)
    assert not correction[0].any() and found.applied.sum() > 12
    assert np.allclose((values - correction) + correction, values, rtol=0, atol=1e-15)


def test_a_ramp_is_no_delay():
    stack = make_arrays(dates=10, ramp=0.1)
    row, column = points(stack)
    height = stack.height.ravel() + 40 * row  # land that rises to one side
    found = fit_height_delays(row, column, height, series(stack), height[0])
    assert np.abs(found.surfaces(height)).max() < 1e-9


def test_delays_that_do_not_go_with_height_stay():
    stack = make_arrays(dates=20, turbulent=0.01, stratified=1e-5)
    height = stack.height.ravel()
    place = points(stack)
    found = fit_height_delays(*place, height, series(stack), stack.height[stack.reference], 0.9)
    assert not found.applied.any() and not found.surfaces(height).any()
    assert np.isnan(found.correlation[0])  # the first date is 0 everywhere
    level = fit_height_delays(*place, np.full(height.size, 5.0), series(stack), 5.0)
    assert np.isnan(level.correlation).all() and not level.applied.any()


def test_a_few_wrong_points_do_not_change_the_delay():
    stack = make_arrays(dates=8, stratified=0.04)
    height, values = stack.height.ravel(), series(stack)
    spoiled = values + 0.3 * (np.arange(height.size) % 20 == 0)
    spoiled[0] = 0
    clean, found = (
        fit_height_delays(*points(stack), height, each, stack.height[stack.reference], 0.0)
        for each in (values, spoiled)
    )
    difference = clean.surfaces(height) - found.surfaces(height)
    assert np.std(difference[1:]) < 0.03 * np.std(clean.surfaces(height)[1:])


def date_noise(row, column, residual):
    """Root mean square of each date without a quadratic surface."""
    ramps = fit_ramps("quadratic", row, column, residual, (float(row[0]), float(column[0])))
    return np.std(residual - ramps(row, column), axis=1)


def test_noisy_dates_are_reported():
    stack = make_arrays(dates=20, turbulent=0.003, ramp=0.05)
    row, column = points(stack)
    noisy = series(stack).copy()
    rough = make_arrays(dates=20, turbulent=0.03, seed=5)
    noisy[[4, 11]] += series(rough)[[4, 11]]
    noise = date_noise(row, column, noisy)
    assert np.flatnonzero(outlier_dates(noise)).tolist() == [4, 11]
    assert not outlier_dates(date_noise(row, column, series(stack))).any()
    noisy[7] = 1e-6 * row
    assert best_reference_date(date_noise(row, column, noisy[1:])) + 1 == 7
