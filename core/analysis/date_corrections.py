"""What single dates have too much: planes, delays that go with height, and noise of a whole date.

All of it is found from the displacement at some thousand points that are spread over the grid,
which the inversion gives before it comes to all pixels. A correction is a layer of its own: the
displacement less it is corrected, both together are what was before. It is 0 at the reference and
at the first date, as the displacement is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

RAMPS = {"none": 0, "linear": 2, "quadratic": 5}
"""Number of slopes and curvatures of a surface."""

LEAST_CORRELATION = 0.3
"""Between delay and height, from which it is taken off."""

OUTLIER_FACTOR = 3.0
"""Times the median of all dates over 0.6745, in which a normal distribution has half its values."""

_KILOMETER = 1000.0
_HUBER = 1.345
"""Residual over standard deviation from which weights fall: 95 % efficient on normal residuals."""

_ITERATIONS = 12


@dataclass(frozen=True)
class Surfaces:
    """A surface in each date: a linear combination of terms that are 0 at the reference."""

    coefficients: Numbers  # shape (N, terms); meters for each unit of the terms
    origin: tuple[float, ...]  # values at the reference: row and column, or height
    scale: float  # unit of what ``origin`` holds

    def __call__(self, *places: Numbers) -> Numbers:
        """Return the surfaces at rows and columns, or heights; shape (N, ...)."""
        terms = _terms(places, self.origin, self.scale, self.coefficients.shape[1])
        return np.tensordot(self.coefficients, np.stack(terms), 1)


def fit_ramps(
    kind: str, row: Numbers, column: Numbers, values: Numbers, reference: tuple[float, float]
) -> Surfaces:
    """Fit a plane or a quadratic surface to each date by least squares.

    It is right where orbits or long waves of the atmosphere tilt whole maps and the ground does
    not: it also takes off what is wide of a motion.

    Parameters
    ----------
    kind
        A key of ``RAMPS``.
    row, column
        Of the points, shape (points,).
    values
        Displacement in meters, shape (N, points).
    reference
        Row and column of the reference.

    Raises
    ------
    ValueError
        If there are not more points than terms.
    """
    scale = max(float(np.ptp(row)), float(np.ptp(column)), 1.0)
    terms = _terms((row, column), reference, scale, RAMPS[kind])
    design = np.stack([np.ones(row.size), *terms], axis=1)
    if row.size <= design.shape[1]:
        raise ValueError("fewer points than terms of the surface")
    solution: Numbers = np.linalg.lstsq(design, values.T, rcond=None)[0].astype(np.float64)
    return Surfaces(solution[1:].T, reference, scale)


@dataclass(frozen=True)
class HeightDelays:
    """Delays that go with height."""

    surfaces: Surfaces  # of height; those of dates that are left alone are 0
    # Between displacement and height in each date, NaN where either is constant; shape (N,).
    correlation: Numbers

    @property
    def applied(self) -> NDArray[np.bool_]:
        """Dates from which a delay is taken off; shape (N,)."""
        return self.surfaces.coefficients[:, 0] != 0


def fit_height_delays(
    row: Numbers,
    column: Numbers,
    height: Numbers,
    values: Numbers,
    reference_height: float,
    least_correlation: float = LEAST_CORRELATION,
) -> HeightDelays:
    """Fit a delay in proportion to height to each date, by least squares with Huber's weights.

    Planes of heights and displacement are left aside, because orbits and long waves tilt maps that
    the land tilts as well. It is right where the troposphere is layered and motion does not go with
    height: on a volcano that swells it takes off motion, too.

    Parameters
    ----------
    row, column
        Of the points, shape (points,).
    height
        Of the points in meters, shape (points,).
    values
        Displacement in meters, shape (N, points).
    reference_height
        Height of the reference in meters.
    least_correlation
        Dates whose correlation is weaker are left alone.
    """
    plane = np.stack([np.ones(row.size), row - row.mean(), column - column.mean()], axis=1)
    rest = np.vstack([height, values])
    rest = rest - np.linalg.lstsq(plane, rest.T, rcond=None)[0].T @ plane.T
    own, series = rest[0], rest[1:]
    spread = np.sqrt((own**2).sum() * (series**2).sum(axis=1))
    is_known = spread > 1e-9 * np.linalg.norm(height) * np.linalg.norm(values, axis=1)
    correlation = np.divide(series @ own, spread, out=np.full(spread.shape, np.nan), where=is_known)
    slope = _robust_lines(own / _KILOMETER, series)
    slope[~(np.abs(correlation) >= least_correlation)] = 0.0
    return HeightDelays(Surfaces(slope[:, None], (reference_height,), _KILOMETER), correlation)


def outlier_dates(noise: Numbers) -> NDArray[np.bool_]:
    """Return the dates whose noise is far above that of the others (Rousseeuw and Hubert 2011)."""
    outliers: NDArray[np.bool_] = noise > OUTLIER_FACTOR * np.median(noise) / 0.6745
    return outliers


def best_reference_date(noise: Numbers) -> int:
    """Return the date with the least noise, which as first date adds least to all others."""
    return int(np.argmin(noise))


def _terms(
    places: tuple[Numbers, ...], origin: tuple[float, ...], scale: float, count: int
) -> list[Numbers]:
    """Return the first terms of x, y, xy, x^2, y^2, or of x alone, 0 at the origin."""
    first = [(np.asarray(p) - o) / scale for p, o in zip(places, origin, strict=True)]
    if count == 5:
        x, y = first
        return [x, y, x * y, x**2, y**2]
    return first


def _robust_lines(x: Numbers, values: Numbers) -> Numbers:
    """Return the slope of each series of values on x; shape (N,)."""
    weights = np.ones(values.shape)
    slope = np.zeros(len(values))
    for _ in range(_ITERATIONS):
        total = weights.sum(axis=1)
        mean_x, mean_y = weights @ x / total, (weights * values).sum(axis=1) / total
        from_x = x - mean_x[:, None]
        squares = (weights * from_x**2).sum(axis=1)
        products = (weights * from_x * (values - mean_y[:, None])).sum(axis=1)
        slope = np.divide(products, squares, out=np.zeros(len(values)), where=squares > 0)
        rest = np.abs(values - mean_y[:, None] - slope[:, None] * from_x)
        limit = _HUBER * np.median(rest, axis=1, keepdims=True) / 0.6745
        weights = np.minimum(1.0, np.divide(limit, rest, out=np.ones(rest.shape), where=rest > 0))
    return slope
