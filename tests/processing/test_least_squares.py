"""Least squares of one point in QGIS's Python against the core, which inverts all pixels."""

import json
import math
import random
from datetime import datetime, timedelta, timezone

import pytest

from hyp3_stack.processing_provider.time_series.least_squares.linear_system import solve
from hyp3_stack.processing_provider.time_series.least_squares.point_inversion import invert
from hyp3_stack.processing_provider.time_series.least_squares.series_fit import (
    TimeFunctions,
    fit,
    functions_of,
)

from .conftest import run_core_python

BEGIN = datetime(2020, 1, 1, 5, 30, tzinfo=timezone.utc)
YEAR = 365.25

ASK_CORE = """
import json, sys
import numpy as np
import tests.checkout
from hyp3_stack.core.analysis.solver.inversion import Inversion
from hyp3_stack.core.network.pair_network import PairNetwork
from hyp3_stack.core.analysis.solver.time_functions import TimeFunctions

asked = json.load(open(sys.argv[1]))
seconds = np.array(asked["pairs"]).T
network = PairNetwork.of_pairs(*seconds.astype("datetime64[s]").astype("datetime64[ns]"))
inversion = Inversion(network)
answers = []
for point in asked["points"]:
    phases = np.array(point["phases"], "f8")[:, np.newaxis]
    weights = np.array(point["weights"], "f8")[:, np.newaxis] if point["weights"] else None
    found = inversion.solve(phases, weights)
    fitted = TimeFunctions(network.times, 2, 1).fit(found.phase)
    answers.append({
        "phases": found.phase[:, 0].tolist(),
        "temporal_coherence": float(found.temporal_coherence[0]),
        "valid_pairs": int(found.valid_pairs[0]),
        "redundancy": int(found.redundancy[0]),
        "gap_count": int(found.gap_count[0]),
        "coefficients": fitted.coefficients[:, 0].tolist(),
        "velocity_error": float(fitted.velocity_variance[0]) ** 0.5,
    })
json.dump(answers, open(sys.argv[2], "w"))
"""


def days(count, chosen):
    steps = [chosen.choice((6, 12, 18, 24)) for _ in range(count)]
    return [BEGIN + timedelta(days=sum(steps[:number])) for number in range(count)]


def network(count, chosen):
    """Pairs of each date with its next three and, of every fifth, with that a year later."""
    times = days(count, chosen)
    places = [(i, j) for i in range(count) for j in range(i + 1, min(i + 4, count))]
    places += [(i, i + 30) for i in range(0, count - 30, 5)]
    return [(times[i], times[j]) for i, j in sorted(places)]


def observe(pairs, chosen, missing):
    """Return phases with noise, and weights; some phases are missing."""
    truth = {time: chosen.gauss(0, 2) for pair in pairs for time in pair}
    phases = [truth[end] - truth[begin] + chosen.gauss(0, 0.5) for begin, end in pairs]
    phases = [math.nan if chosen.random() < missing else phase for phase in phases]
    return phases, [chosen.uniform(0.1, 1.0) for _ in pairs]


@pytest.mark.parametrize("missing", [0.0, 0.15, 0.5])
def test_a_point_is_solved_as_the_core_does(tmp_path, missing):
    chosen = random.Random(3)
    pairs = network(100, chosen)
    points = []
    for number in range(6):
        phases, weights = observe(pairs, chosen, missing)
        points.append({"phases": phases, "weights": weights if number % 2 else None})
    asked, told = tmp_path / "asked.json", tmp_path / "told.json"
    seconds = [[round(time.timestamp()) for time in pair] for pair in pairs]
    asked.write_text(json.dumps({"pairs": seconds, "points": points}))
    run_core_python("-c", ASK_CORE, asked, told)
    begins, ends = zip(*pairs)  # noqa: B905 - Python 3.9
    gaps = 0
    for point, expected in zip(points, json.loads(told.read_text())):  # noqa: B905
        found = invert(begins, ends, point["phases"], point["weights"])
        assert found.phases == pytest.approx(expected["phases"], abs=2e-4)
        assert found.temporal_coherence == pytest.approx(expected["temporal_coherence"], abs=1e-5)
        for name in ("valid_pairs", "redundancy", "gap_count"):
            assert getattr(found, name) == expected[name]
        gaps += found.gap_count
        functions = TimeFunctions(found.times[0] + (found.times[-1] - found.times[0]) / 2, 2, 1)
        fitted = fit(functions, found.times, found.phases)
        assert fitted.coefficients == pytest.approx(expected["coefficients"], abs=2e-4)
        assert fitted.velocity_error == pytest.approx(expected["velocity_error"], rel=1e-4)
    assert (gaps > 0) == (missing == 0.5)


def test_an_acquisition_without_pairs_keeps_the_velocity_of_its_neighbors():
    times = [BEGIN + timedelta(days=12 * number) for number in range(4)]
    pairs = [(times[0], times[1]), (times[1], times[2]), (times[2], times[3])]
    begins, ends = zip(*pairs)  # noqa: B905 - Python 3.9
    found = invert(begins, ends, [1.0, math.nan, 2.0])
    assert found.phases == pytest.approx([0.0, 1.0, 1.0, 3.0], abs=1e-6)
    assert (found.valid_pairs, found.redundancy, found.gap_count) == (2, 0, 1)
    assert invert(begins, ends, [math.nan] * 3) is None
    assert invert(begins, ends, [1.0] * 3, [0.0, math.nan, 0.0]) is None
    assert invert(begins, begins, [1.0] * 3) is None


def test_functions_follow_from_the_names_of_variables():
    times = [BEGIN, BEGIN + timedelta(days=730)]
    names = [
        "displacement",
        "velocity",
        "acceleration",
        "annual_amplitude",
        "step_20200706",
        "step_99",
    ]
    functions = functions_of(names, times)
    assert (functions.degree, functions.harmonics) == (2, 1)
    assert functions.steps == (datetime(2020, 7, 6, tzinfo=timezone.utc),)
    assert functions.middle == BEGIN + timedelta(days=365)
    assert functions_of(["displacement", "velocity"], times).degree == 1


def test_a_fit_finds_what_a_series_was_made_of():
    times = [BEGIN + timedelta(days=12 * number) for number in range(90)]
    functions = functions_of(
        ["acceleration", "annual_amplitude", "semiannual_amplitude", "step_20210706"], times
    )
    truth = [5.0, -12.0, 3.0, 3.0, 4.0, 0.0, 2.0, 7.0]
    values = [
        sum(c * f for c, f in zip(truth, functions.at(time)))  # noqa: B905 - Python 3.9
        for time in times
    ]
    missing, values[7] = values[7], math.nan
    found = fit(functions, times, values)
    assert found.coefficients == pytest.approx(truth, abs=1e-8)
    assert found.velocity == pytest.approx(-12.0)
    assert found.derivatives == pytest.approx([3.0])
    assert found.amplitudes == pytest.approx([5.0, 2.0])
    assert [height for _, height in found.steps] == pytest.approx([7.0])
    assert found.velocity_error == pytest.approx(0.0, abs=1e-8)
    assert math.isnan(found.residuals[7])
    assert found.at(times[7]) == pytest.approx(missing)


def test_what_dates_cannot_tell_is_not_fitted():
    times = [BEGIN + timedelta(days=12 * number) for number in range(5)]
    early = functions_of(["step_20190101"], times)
    assert fit(early, times, [1.0, 2.0, 3.0, 4.0, 5.0]) is None
    line = functions_of([], times)
    assert fit(line, times, [1.0, 2.0, math.nan, math.nan, math.nan]) is None
    assert fit(line, times, [1.0, 2.0, 3.0, math.nan, math.nan]).velocity == pytest.approx(
        YEAR / 12
    )


def test_a_singular_system_is_an_error():
    with pytest.raises(ArithmeticError):
        solve([{0: 1.0, 1: 1.0}, {1: 1.0}], [1.0, 1.0])
