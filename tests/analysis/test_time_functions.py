"""Functions of time on series whose truth is known, and the coverage of their errors."""

import numpy as np
import pytest

from hyp3_stack.core.analysis.solver.inversion import Inversion
from hyp3_stack.core.analysis.solver.time_functions import TimeFunctions, larger_error, parse_steps
from hyp3_stack.core.errors import InvalidParameterError

from .networks import days, neighbors

STEP = np.datetime64("2021-02-03")


def test_every_function_is_found_again():
    times = days(90, np.random.default_rng(1))
    functions = TimeFunctions(times, degree=3, harmonics=2, steps=(STEP,))
    years = functions.years
    assert years[0] == -years[-1]
    fraction = (times - np.datetime64("2000-01-01")) / np.timedelta64(1, "D") / 365.25
    series = (
        0.3
        + 0.02 * years
        + 0.004 * years**2 / 2
        - 0.003 * years**3 / 6
        + 0.01 * np.cos(2 * np.pi * (fraction - 100 / 365.25))
        + 0.005 * np.cos(4 * np.pi * (fraction - 30 / 365.25))
        + 0.15 * (times >= STEP)
    )
    fit = functions.fit(series[:, None])
    assert fit.coefficients[1:4, 0] == pytest.approx([0.02, 0.004, -0.003], abs=1e-9)
    found = {name: values[0] for name, values in functions.parameters(fit).items()}
    assert found == {
        "acceleration": pytest.approx(0.004),
        "jerk": pytest.approx(-0.003),
        "annual_amplitude": pytest.approx(0.01),
        "annual_peak": pytest.approx(100.0),
        "semiannual_amplitude": pytest.approx(0.005),
        "semiannual_peak": pytest.approx(30.0),
        "step_20210203": pytest.approx(0.15),
    }
    assert np.abs(fit.residual).max() < 1e-12 and fit.velocity_variance[0] < 1e-20


def test_the_error_of_a_line_is_that_of_linear_regression():
    times = days(25)
    series = np.random.default_rng(2).normal(size=(25, 3))
    functions = TimeFunctions(times)
    fit = functions.fit(series)
    years = functions.years
    spread = ((years - years.mean()) ** 2).sum()
    expected = (fit.residual**2).sum(axis=0) / ((25 - 2) * spread)
    assert fit.velocity_variance == pytest.approx(expected)


def coverage(noise_of_dates, noise_of_pairs):
    """Share of 1,000 pixels whose velocity is within 1.96 standard errors of the truth."""
    rng = np.random.default_rng(11)
    network = neighbors(days(60))
    motion = 2.0 * network.years[:, None] + rng.normal(0, noise_of_dates, (60, 1000))
    sigma = noise_of_pairs * rng.uniform(0.5, 2.0, (network.pair_count, 1000))
    phase = network.incidence() @ motion + sigma * rng.normal(size=sigma.shape)
    phase[rng.random(phase.shape) < 0.1] = np.nan
    functions = TimeFunctions(network.times)
    inversion = Inversion(network, functionals=functions.velocity_functional[None])
    weights = np.ones_like(phase) if noise_of_pairs == 0 else sigma**-2
    solution = inversion.solve(phase.astype(np.float32), weights.astype(np.float32))
    fit = functions.fit(solution.phase)
    error = larger_error(fit.velocity_variance, solution.variance[0])
    return (np.abs(fit.coefficients[1] - 2.0) <= 1.96 * error).mean()


@pytest.mark.parametrize(("dates", "pairs"), [(0.5, 0.0), (0.0, 0.5)])
def test_standard_errors_cover_the_truth(dates, pairs):
    assert 0.93 <= coverage(dates, pairs) <= 0.97


def test_the_known_error_stands_for_one_that_is_not():
    nan = np.nan
    assert larger_error(np.array([4.0, nan, 1.0]), np.array([1.0, 9.0, nan])).tolist() == [2, 3, 1]
    assert np.isnan(larger_error(np.array([nan]), np.array([nan]))[0])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"harmonics": 1}, "SEASONAL .* 228 days"),
        ({"steps": (np.datetime64("2019-01-01"),)}, "STEPS names 2019-01-01, but .* first date"),
        ({"steps": (np.datetime64("2021-01-01"),)}, "STEPS names 2021-01-01"),
        (
            {"steps": (np.datetime64("2020-02-07"), np.datetime64("2020-02-08"))},
            "STEPS names 2020-02-07 and 2020-02-08, between which",
        ),
    ],
)
def test_functions_that_dates_cannot_tell(options, sentence):
    with pytest.raises(InvalidParameterError, match=sentence):
        TimeFunctions(days(20), **options)


def test_seasons_that_dates_can_hardly_tell():
    """Where the ground is free of snow, or a year and some weeks that a cubic follows as well."""
    summers = [np.datetime64(f"{year}-06-01T05:30", "ns") for year in range(2018, 2022)]
    summers = np.concatenate([first + np.arange(0, 110, 12).astype("m8[D]") for first in summers])
    TimeFunctions(summers, harmonics=1)
    with pytest.raises(InvalidParameterError, match="40 dates, .* choose none or annual.$"):
        TimeFunctions(summers, harmonics=2)
    times = days(34)
    TimeFunctions(times, degree=2, harmonics=1)
    with pytest.raises(InvalidParameterError, match="choose none, or a lower POLYNOMIAL.$"):
        TimeFunctions(times, degree=3, harmonics=1)


def test_more_functions_than_dates():
    with pytest.raises(InvalidParameterError, match="The 4 functions .* 3 dates"):
        TimeFunctions(days(3), degree=3)


def test_steps_are_days():
    texts = ["2021-02-03", "2020-01-05", "2021-02-03"]
    assert parse_steps(texts) == (np.datetime64("2020-01-05"), STEP)
    for text in ("summer", "2021", "2021-02", "today", "NaT", "2021-02-30", "2021-02-03T12:00"):
        with pytest.raises(InvalidParameterError, match=f"STEPS is {text}, but"):
            parse_steps([text])
