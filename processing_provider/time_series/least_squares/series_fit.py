"""Functions of time fitted to one series: those that a displacement stack was fitted with."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from .linear_system import solve

_YEAR = timedelta(days=365.25)
_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
_DERIVATIVES = ("acceleration", "jerk")
_SINGULAR = 1e-12
"""Relative pivot of functions that the dates cannot tell apart."""
_SEASONS = ("annual_amplitude", "semiannual_amplitude")


@dataclass(frozen=True)
class TimeFunctions:
    """Offset, velocity and what else was fitted; time counts in years from the middle."""

    middle: datetime
    degree: int = 1
    harmonics: int = 0
    steps: tuple = ()

    def at(self, moment):
        """Return the value of each function."""
        years = (moment - self.middle) / _YEAR
        # Over the factorial, so that the coefficients are derivatives.
        values = [years**power / math.factorial(power) for power in range(self.degree + 1)]
        turn = 2.0 * math.pi * ((moment - _EPOCH) / _YEAR)
        for number in range(1, self.harmonics + 1):
            values += [math.cos(number * turn), math.sin(number * turn)]
        return values + [float(moment >= day) for day in self.steps]


def functions_of(names, times):
    """Return the functions of time that a stack with variables of these ``names`` was fitted with.

    ``times`` are its dates, from the middle of which the velocity counts.
    """
    return TimeFunctions(
        times[0] + (times[-1] - times[0]) / 2,
        1 + sum(name in names for name in _DERIVATIVES),
        sum(name in names for name in _SEASONS),
        tuple(sorted(day for day in map(_day_of_step, names) if day is not None)),
    )


def _day_of_step(name):
    """Return the day whose step a variable holds, or None."""
    try:
        return datetime.strptime(name, "step_%Y%m%d").replace(tzinfo=timezone.utc)
    except ValueError:
        return None


@dataclass(frozen=True)
class SeriesFit:
    """Functions of time that were fitted to a series.

    ``residuals`` are what the series has more, NaN where it has no value. ``velocity_error`` is
    the standard error from the residuals, taken for independent in time.
    """

    functions: TimeFunctions
    coefficients: list
    residuals: list
    velocity_error: float

    @property
    def velocity(self):
        """Velocity in the middle of the series, per year."""
        return self.coefficients[1]

    @property
    def derivatives(self):
        """Acceleration and its derivative, as far as they were fitted."""
        return self.coefficients[2 : self.functions.degree + 1]

    @property
    def amplitudes(self):
        """Amplitudes of the yearly and the half-yearly motion, as far as they were fitted."""
        begin = self.functions.degree + 1
        end = begin + 2 * self.functions.harmonics
        return [math.hypot(*self.coefficients[n : n + 2]) for n in range(begin, end, 2)]

    @property
    def steps(self):
        """Day and height of each step."""
        heights = self.coefficients[self.functions.degree + 1 + 2 * self.functions.harmonics :]
        return list(zip(self.functions.steps, heights))  # noqa: B905 - Python 3.9

    def at(self, moment):
        """Return the value of the fit."""
        return _dot(self.coefficients, self.functions.at(moment))


def fit(functions, times, values):
    """Fit functions of time by least squares; None where the values are too few for them."""
    known = [
        (functions.at(time), value)
        for time, value in zip(times, values)  # noqa: B905 - Python 3.9
        if math.isfinite(value)
    ]
    count = len(functions.at(functions.middle))
    freedom = len(known) - count
    if freedom < 1:
        return None
    columns = range(count)

    def normal():
        return [
            {column: math.fsum(row[n] * row[column] for row, _ in known) for column in columns[n:]}
            for n in columns
        ]

    try:
        right = [math.fsum(row[n] * value for row, value in known) for n in columns]
        coefficients = solve(normal(), right, _SINGULAR)
        variance = solve(normal(), [float(n == 1) for n in columns], _SINGULAR)[1]
    except ArithmeticError:
        return None
    residuals = [
        value - _dot(coefficients, functions.at(time))
        for time, value in zip(times, values)  # noqa: B905 - Python 3.9
    ]
    squares = math.fsum(residual**2 for residual in residuals if math.isfinite(residual))
    error = math.sqrt(variance * squares / freedom)
    return SeriesFit(functions, coefficients, residuals, error)


def _dot(first, second):
    return math.fsum(map(math.prod, zip(first, second)))  # noqa: B905 - Python 3.9
