"""Functions of time fitted to displacement: velocity, polynomial, seasons and steps.

The columns are the same for all pixels, so that one pseudo-inverse serves all of them. Time counts
from the middle of the series: the velocity is that of the middle, whatever the degree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidParameterError
from ...network.pair_network import YEAR_DAYS

Numbers = NDArray[np.float64]

SEASONS = {"none": 0, "annual": 1, "semiannual": 2}
"""Number of harmonics of a year."""

_DERIVATIVES = ("acceleration", "jerk")
_HARMONICS = ("annual", "semiannual")

_LEAST_OWN = 0.2
"""Share of its variation that each season must have of its own beside the polynomial and the other
ones: the error of its amplitude grows with the inverse."""

_VELOCITY = 1
"""Column of the velocity, after that of the offset."""


@dataclass(frozen=True)
class Fit:
    """Functions of time that were fitted to series."""

    # Shape (columns, pixels): value and derivatives of the polynomial in the middle of the series,
    # cosine and sine of each harmonic, steps; in the units of the series and years.
    coefficients: Numbers
    residual: Numbers  # series less fit; shape (N, pixels)
    # From the residuals, on the assumption that they are independent in time; shape (pixels,). NaN
    # where there are as many functions as dates.
    velocity_variance: Numbers


@dataclass(frozen=True)
class TimeFunctions:
    """Functions of time on given dates.

    Raises
    ------
    InvalidParameterError
        If the dates cannot tell the functions apart.
    """

    times: NDArray[np.datetime64]  # UTC times, increasing; shape (N,), datetime64
    degree: int = 1  # of the polynomial, at least 1
    harmonics: int = 0  # number of harmonics of a year: 0, 1 (annual) or 2 (semiannual, too)
    steps: tuple[np.datetime64, ...] = ()  # days at whose begin the displacement jumps, increasing

    def __post_init__(self) -> None:
        self._check_steps()
        if self.harmonics and self.years[-1] - self.years[0] < 1.0:
            raise InvalidParameterError(
                "SEASONAL asks for a yearly motion, but the dates span "
                f"{(self.years[-1] - self.years[0]) * YEAR_DAYS:.0f} days, in which it cannot be "
                "told from a velocity; choose none, or a stack of more than a year."
            )
        functions = self.design.shape[1]
        if np.linalg.matrix_rank(self.design) < functions:
            raise InvalidParameterError(
                f"The {functions} functions of time that POLYNOMIAL, SEASONAL and STEPS ask for "
                f"cannot be told apart on {self.times.size} dates; ask for fewer of them."
            )

        if self.harmonics and self._own_share_of_seasons() < _LEAST_OWN:
            fewer = ["none"] + ["annual"] * (self.harmonics > 1)
            lower = ", or a lower POLYNOMIAL" if self.degree > 1 else ""
            raise InvalidParameterError(
                f"SEASONAL asks for a motion that the {self.times.size} dates, "
                f"{_day(self.times[0])} to {_day(self.times[-1])}, can hardly tell from the other "
                f"functions of time; choose {' or '.join(fewer)}{lower}."
            )

    def _own_share_of_seasons(self) -> float:
        """Return the least share of a season's variation that nothing but it describes."""
        design = self.design[:, : self.degree + 1 + 2 * self.harmonics]
        shares = []
        for column in range(self.degree + 1, design.shape[1]):
            others, season = np.delete(design, column, axis=1), design[:, column]
            own = season - others @ np.linalg.lstsq(others, season, rcond=None)[0]
            spread = np.linalg.norm(season - season.mean())
            shares.append(float(np.linalg.norm(own) / max(spread, np.finfo(float).tiny)))
        return min(shares)

    def _check_steps(self) -> None:
        before: tuple[np.datetime64, int] | None = None
        for day in self.steps:
            position = int(np.searchsorted(self.times, day))
            if not 0 < position < self.times.size:
                raise InvalidParameterError(
                    f"STEPS names {_day(day)}, but a step has to lie between the first date, "
                    f"{_day(self.times[0])}, and the last one, {_day(self.times[-1])}."
                )
            if before is not None and before[1] == position:
                raise InvalidParameterError(
                    f"STEPS names {_day(before[0])} and {_day(day)}, between which there is no "
                    "date, so that they cannot be told apart; leave one of them out."
                )
            before = day, position

    @cached_property
    def years(self) -> Numbers:
        """Years of 365.25 days from the middle of the series; shape (N,)."""
        days: Numbers = (self.times - self.times[0]) / np.timedelta64(1, "D")
        return (days - days[-1] / 2) / YEAR_DAYS

    @cached_property
    def design(self) -> Numbers:
        """Values of the functions; shape (N, columns)."""
        # Over the factorial, so that the coefficients are derivatives.
        columns = [self.years**power / math.factorial(power) for power in range(self.degree + 1)]
        angles = 2 * np.pi * self._year_fractions
        for harmonic in range(1, self.harmonics + 1):
            columns += [np.cos(harmonic * angles), np.sin(harmonic * angles)]
        columns += [(self.times >= day).astype(float) for day in self.steps]
        return np.stack(columns, axis=1)

    @property
    def _year_fractions(self) -> Numbers:
        """Days since the first one of 2000 over 365.25; shape (N,)."""
        days: Numbers = (self.times - np.datetime64("2000-01-01")) / np.timedelta64(1, "D")
        return days / YEAR_DAYS

    @cached_property
    def _inverse(self) -> Numbers:
        return np.linalg.pinv(self.design).astype(np.float64)

    @property
    def velocity_functional(self) -> Numbers:
        """The row that makes a velocity of a series; shape (N,)."""
        return self._inverse[_VELOCITY]

    def fit(self, series: Numbers) -> Fit:
        """Fit the functions to series of shape (N, pixels) by least squares."""
        coefficients = self._inverse @ series
        residual = series - self.design @ coefficients
        freedom = self.design.shape[0] - self.design.shape[1]
        factor = float(self.velocity_functional @ self.velocity_functional)
        squares = np.einsum("np,np->p", residual, residual)
        variance = squares * factor / freedom if freedom else np.full(squares.shape, np.nan)
        return Fit(coefficients, residual, variance)

    def parameters(self, fit: Fit) -> dict[str, Numbers]:
        """Return what is fitted besides the velocity, by name of the variable; shapes (pixels,)."""
        rows = iter(fit.coefficients[self.degree + 1 :])
        found = dict(zip(_DERIVATIVES[: self.degree - 1], fit.coefficients[2:], strict=False))
        for number, name in enumerate(_HARMONICS[: self.harmonics], 1):
            cosine, sine = next(rows), next(rows)
            turn = np.arctan2(sine, cosine) / (2 * np.pi) % 1.0
            found[f"{name}_amplitude"] = np.hypot(cosine, sine)
            found[f"{name}_peak"] = turn * YEAR_DAYS / number
        return found | dict(zip(self.step_names, rows, strict=True))

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of the variables of steps."""
        return tuple(f"step_{_day(day).replace('-', '')}" for day in self.steps)


def larger_error(residual: Numbers, propagated: Numbers) -> Numbers:
    """Return the standard error of the larger of two variances, of the known one where one is NaN.

    That of residuals knows noise of dates (the atmosphere) but takes it for independent in time;
    that propagated from pairs knows their noise and network, but nothing that closes in triangles.
    """
    larger: Numbers = np.sqrt(np.fmax(residual, propagated))
    return larger


def parse_steps(texts: Sequence[str]) -> tuple[np.datetime64, ...]:
    """Return days from text such as ``2019-07-06``, in the order of time.

    Raises
    ------
    InvalidParameterError
        If one is not a date.
    """
    try:
        # In one form, as NumPy takes years, months and words such as today for days as well.
        days = {datetime.strptime(text, "%Y-%m-%d").date() for text in texts}
        return tuple(sorted(np.datetime64(day, "D") for day in days))
    except ValueError:
        raise InvalidParameterError(
            f"STEPS is {', '.join(texts)}, but it has to be days such as 2019-07-06, separated by "
            "commas."
        ) from None


def _day(time: np.datetime64) -> str:
    return str(time.astype("datetime64[D]"))
