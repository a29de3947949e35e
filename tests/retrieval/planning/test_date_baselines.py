"""Perpendicular baselines against orbits that are known exactly."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from hyp3_stack.core.retrieval.catalog.state_vectors import Orbit
from hyp3_stack.core.retrieval.planning.date_baselines import (
    ground_point,
    perpendicular_baselines,
)
from tests.hyp3_server.sky import Sky, exact_baseline

OFFSETS = [(0.0, 0.0), (80.0, 0.0), (0.0, 150.0), (-40.0, -60.0), (3.0, 900.0)]


def vectors(
    sky: Sky, day: int, number: float, seconds: float, offset: tuple[float, float]
) -> Orbit:
    start = sky.first_pass + timedelta(days=day, seconds=2.758273 * number)
    found = Orbit.of_attributes(sky.vectors(start, day, seconds, offset))
    assert found is not None
    return found


@pytest.mark.parametrize("seconds", [3.0, 27.0], ids=["burst", "frame"])
def test_circular_orbits(seconds: float) -> None:
    sky = Sky()
    passes = [
        [vectors(sky, 12 * day, 0.3 * day, seconds, offset)] for day, offset in enumerate(OFFSETS)
    ]
    found = perpendicular_baselines(passes, sky.target)
    exact = [[exact_baseline(sky.target, one, other) for other in OFFSETS] for one in OFFSETS]
    np.testing.assert_allclose(found, exact, atol=0.1)
    assert np.abs(exact).max() > 500


class RotatingOrbit:
    """An eccentric orbit around an Earth that turns and is flattened, integrated in small steps."""

    MU, J2, EARTH, TURN = 3.986004418e14, 1.08263e-3, 6_378_137.0, 7.292115e-5

    def __init__(self, shift: tuple[float, float, float], speed: float = 0.0) -> None:
        # A polar-like orbit whose ground track passes near 35 N, 118 W after 580 seconds.
        start = np.array([-3_320_000.0, -6_250_000.0, 0.0]) + np.array(shift)
        heading = np.array([1_150.0, -610.0, 7_378.0 + speed])
        self.step = 1.0
        state, self.states = np.concatenate([start, heading]), []
        for _ in range(900):
            self.states.append(state)
            state = self._next(state)

    def _next(self, state: np.ndarray) -> np.ndarray:
        h = self.step
        a = self._rate(state)
        b = self._rate(state + h / 2 * a)
        c = self._rate(state + h / 2 * b)
        d = self._rate(state + h * c)
        return state + h / 6 * (a + 2 * b + 2 * c + d)

    def _rate(self, state: np.ndarray) -> np.ndarray:
        """Return velocity and acceleration in the frame that turns with the Earth."""
        place, speed = state[:3], state[3:]
        r = np.linalg.norm(place)
        factor = 1.5 * self.J2 * (self.EARTH / r) ** 2
        share = 5 * (place[2] / r) ** 2
        flat = 1 + factor * (np.array([1.0, 1.0, 3.0]) - share)
        turn = np.array([0.0, 0.0, self.TURN])
        gravity = -self.MU / r**3 * place * flat
        return np.concatenate(
            [speed, gravity - 2 * np.cross(turn, speed) - np.cross(turn, np.cross(turn, place))]
        )

    def at(self, time: float) -> np.ndarray:
        """Return the state by a last small step of the integration."""
        whole = int(time)
        self.step, state = time - whole, self.states[whole]
        found = self._next(state) if self.step else state
        self.step = 1.0
        return found

    def zero_doppler(self, target: np.ndarray) -> np.ndarray:
        low, high = 200.0, 880.0
        for _ in range(60):  # the target is ahead at first, and behind in the end
            middle = (low + high) / 2
            state = self.at(middle)
            is_ahead = (target - state[:3]) @ state[3:] > 0
            low, high = (middle, high) if is_ahead else (low, middle)
        return self.at(low)

    def attributes(self, first: float, last: float) -> dict[str, str]:
        """Return two vectors as the catalog writes them."""
        origin = datetime(2021, 1, 4, 1, 52, 10, 349750, timezone.utc)
        told = {}
        for side, time in (("PRE", first), ("POST", last)):
            state, moment = self.at(time), origin + timedelta(seconds=time)
            for kind, part in (("POSITION", state[:3]), ("VELOCITY", state[3:])):
                numbers = ",".join(f"{number:.6f}" for number in part)
                told[f"SV_{kind}_{side}"] = f"{numbers},{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
        return told


def test_orbits_around_a_turning_earth_in_the_form_of_the_catalog() -> None:
    """Vectors up to 40 seconds apart, at other times in each pass."""
    target = ground_point(-116.6, 35.3)
    orbits = [
        RotatingOrbit((0.0, 0.0, 0.0)),
        RotatingOrbit((90.0, -120.0, 40_000.0), 0.02),
        RotatingOrbit((-150.0, 60.0, -15_000.0), -0.01),
    ]
    states = [orbit.zero_doppler(target) for orbit in orbits]
    passes = []
    for number, (orbit, state) in enumerate(zip(orbits, states, strict=True)):
        nearest = min(range(900), key=lambda n: np.linalg.norm(orbit.states[n][:3] - state[:3]))  # noqa: B023
        first = nearest - 7.0 - 9.0 * number
        read = Orbit.of_attributes(orbit.attributes(first, first + 40.0))
        assert read is not None and read.seconds == 40.0
        passes.append([read])
    found = perpendicular_baselines(passes, target)
    for i, one in enumerate(states):
        look = target - one[:3]
        across = np.cross(one[3:], look)
        for j, other in enumerate(states):
            exact = (other[:3] - one[:3]) @ across / np.linalg.norm(across)
            assert found[i, j] == pytest.approx(exact, abs=0.5)
    assert np.abs(found).max() > 50


def test_unknown_is_not_zero() -> None:
    sky = Sky()
    known = vectors(sky, 0, 0, 3.0, (0.0, 0.0))
    far = vectors(sky, 12, 40, 3.0, (0.0, 0.0))
    found = perpendicular_baselines([[known], [None], [far], [None, known]], sky.target)
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()
    assert np.isnan(found[2]).all() and np.isnan(found[:, 2]).all()
    assert found[0, 3] == 0.0
    assert np.isnan(perpendicular_baselines([[known], [known]], None)).all()


def test_the_burst_that_sees_the_target_speaks_for_its_pass() -> None:
    sky = Sky()
    passes = [
        [vectors(sky, day, number, 3.0, offset) for number in (-40, 0, 40)]
        for day, offset in ((0, (0.0, 0.0)), (12, (0.0, 100.0)))
    ]
    found = perpendicular_baselines(passes, sky.target)
    exact = exact_baseline(sky.target, (0.0, 0.0), (0.0, 100.0))
    assert found[0, 1] == pytest.approx(exact, abs=0.1)


@pytest.mark.parametrize(
    "spoil",
    [
        {"SV_POSITION_PRE": None},
        {"SV_POSITION_PRE": "NA,NA,NA,NA"},
        {"SV_VELOCITY_POST": "1,2,2021-01-04T01:52:10.349750Z"},
        {"SV_POSITION_POST": "1.0,2.0,3.0,2020-01-04T01:52:10.349750Z"},
        {"SV_POSITION_POST": "1.0,2.0,nan,2021-01-04T02:52:10.349750Z"},
    ],
)
def test_vectors_that_cannot_be_used(spoil: dict[str, str | None]) -> None:
    sky = Sky()
    told = {**sky.vectors(sky.first_pass, 0, 3.0, (0.0, 0.0)), **spoil}
    assert Orbit.of_attributes(told) is None
    assert Orbit.of_attributes({}) is None


def test_fractions_of_seconds_count() -> None:

    told = Sky().vectors(Sky().first_pass, 0, 3.0, (0.0, 0.0))
    told["SV_POSITION_POST"] = told["SV_POSITION_POST"].replace(".349750Z", ".849750Z")
    found = Orbit.of_attributes(told)
    assert found is not None and found.seconds == 10.5
