"""A stack of interferograms as plain arrays, with known displacement, delays and errors.

Unit tests of the analysis take these; the whole way from products is tested with ``SampleSpec`` and
its ``Signals``. Both follow HyP3's sign: phase is -4 pi / wavelength times the motion towards the
satellite.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from . import noise
from .motion import Source
from .network import REPEAT_DAYS
from .orbit import WAVELENGTH

METERS_PER_RADIAN = -WAVELENGTH / (4 * np.pi)
"""Motion towards the satellite (m) of one radian of unwrapped phase."""

YEAR = 365.25
CYCLE = 2 * np.pi
RANGE_TIMES_SINE = 850e3 * np.sin(np.radians(38.5))
"""Slant range times the sine of the incidence angle, meters."""


@dataclass(frozen=True)
class Recipe:
    """What ``make_arrays`` shall make; every part is off where its number is zero.

    Parameters
    ----------
    dates, neighbors
        Acquisitions, and how many later ones each is paired with.
    shape
        Rows and columns.
    pixel
        Spacing in meters.
    mogi
        Final uplift (m) above a point source that grows exponentially.
    linear
        Largest velocity (m/year) of a smooth field.
    annual
        Amplitude (m) of a yearly cycle; it grows across the map.
    step, step_date
        Motion (m) between two acquisitions in one half of the map; the first after it.
    turbulent
        Standard deviation (m) of a delay with a power spectrum of exponent -8/3.
    stratified
        Standard deviation (m per km of height) of a delay that goes with height.
    ramp
        Standard deviation (m from edge to edge) of a plane in each date.
    height_error
        Standard deviation (m) of the DEM's error.
    looks
        Independent looks of the phase noise; 0 for none.
    missing
        Share of (pair, pixel) without phase, in patches.
    islands
        Vertical strips of valid phase, parted by three columns without any.
    shifted
        Share of (pair, island) shifted by one cycle; the first island is that of the reference.
    seed
        Another seed is another ground and weather.
    """

    dates: int = 12
    neighbors: int = 3
    shape: tuple[int, int] = (40, 48)
    pixel: float = 80.0
    mogi: float = 0.0
    linear: float = 0.0
    annual: float = 0.0
    step: float = 0.0
    step_date: int = 6
    turbulent: float = 0.0
    stratified: float = 0.0
    ramp: float = 0.0
    height_error: float = 0.0
    looks: float = 0.0
    missing: float = 0.0
    islands: int = 1
    shifted: float = 0.0
    seed: int = 0


@dataclass(frozen=True)
class Arrays:
    """A stack and its truth.

    Parameters
    ----------
    days
        Days since the first acquisition, shape (dates,).
    pairs
        Indexes of reference and secondary, shape (pairs, 2).
    baselines
        Perpendicular baseline of each pair in meters.
    positions
        Perpendicular baseline of each date against the first in meters.
    phase, coherence
        Shape (pairs, rows, columns); phase is referenced to ``reference`` and NaN without data.
    height, height_error
        Ellipsoidal height and the error of its model, meters.
    displacement
        Motion of the ground towards the satellite in meters since the first date, relative to the
        reference pixel.
    delay
        Everything else that the dates hold, likewise: troposphere, ramps, error of heights.
    island
        Number of each pixel's island, -1 between them.
    cycles
        Cycles added to each (pair, island).
    velocity
        Meters per year of the linear part.
    reference
        Row and column.
    """

    days: np.ndarray
    pairs: np.ndarray
    baselines: np.ndarray
    positions: np.ndarray
    phase: np.ndarray
    coherence: np.ndarray
    height: np.ndarray
    height_error: np.ndarray
    displacement: np.ndarray
    delay: np.ndarray
    island: np.ndarray
    cycles: np.ndarray
    velocity: np.ndarray
    reference: tuple[int, int]
    parts: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def years(self) -> np.ndarray:
        """Years of 365.25 days since the first acquisition."""
        return self.days / YEAR


def nearest_pairs(dates: int, neighbors: int) -> np.ndarray:
    """Return the pairs of each date with the next ones, sorted, shape (pairs, 2)."""
    made = [
        (one, other)
        for one in range(dates)
        for other in range(one + 1, min(one + neighbors, dates - 1) + 1)
    ]
    return np.array(made)


def turbulence(
    rng: np.random.Generator, shape: tuple[int, int], exponent: float = -8 / 3
) -> np.ndarray:
    """Return a field of unit variance and zero mean whose profiles have a power-law spectrum.

    A spectrum with this exponent along a line is one with ``exponent - 1`` in the plane
    (Hanssen 2001, chapter 4.7).
    """
    rows, columns = 2 * shape[0], 2 * shape[1]  # a part of it does not repeat itself
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    wave[0, 0] = np.inf
    white = np.fft.rfft2(rng.standard_normal((rows, columns)))
    screen = np.fft.irfft2(white * wave ** ((exponent - 1) / 2), (rows, columns))
    screen = screen[: shape[0], : shape[1]]
    return (screen - screen.mean()) / screen.std()


def make_arrays(recipe: Recipe | None = None, **options: object) -> Arrays:
    """Return the stack of a recipe, the same for the same one.

    Parameters
    ----------
    recipe
        What to make; None stands for ``Recipe(**options)``.
    """
    recipe = recipe or Recipe(**options)  # type: ignore[arg-type]
    rows, columns = recipe.shape
    rng = np.random.default_rng([recipe.seed, 11])
    days = np.arange(recipe.dates) * float(REPEAT_DAYS)
    pairs = nearest_pairs(recipe.dates, recipe.neighbors)
    v, u = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    height = 600 + 500 * turbulence(rng, recipe.shape)
    height_error = recipe.height_error * turbulence(rng, recipe.shape)
    positions = np.r_[0, rng.normal(0, 60, recipe.dates - 1)]
    ground, velocity = _ground(recipe, days, u, v)
    parts = _delays(recipe, rng, height, u, v)
    # The model's height less the true one looks like a motion away from the satellite.
    parts["height_error"] = -positions[:, None, None] / RANGE_TIMES_SINE * (height_error)[None]
    row, column = rows // 2, columns // (2 * recipe.islands)
    ground = ground - ground[:, row, column][:, None, None]
    parts = {
        name: (values - values[:1]) - (values - values[:1])[:, row, column][:, None, None]
        for name, values in parts.items()
    }
    delay = sum(parts.values(), np.zeros_like(ground))
    dated = (ground + delay) / METERS_PER_RADIAN
    phase = dated[pairs[:, 1]] - dated[pairs[:, 0]]
    coherence = _coherence(rng, recipe.shape, days, pairs)
    if recipe.looks:
        disturbed = [noise.phase_noise(rng, corr, recipe.looks) for corr in coherence]
        phase = phase + np.stack(disturbed)
        phase -= phase[:, row, column][:, None, None]
    island = np.minimum(np.arange(columns) * recipe.islands // columns, recipe.islands - 1)
    island = np.tile(island, (rows, 1))
    for edge in np.flatnonzero(np.diff(island[0])):
        island[:, edge - 1 : edge + 2] = -1
    cycles = np.zeros((len(pairs), recipe.islands), int)
    chosen = rng.random(cycles.shape) < recipe.shifted
    chosen[:, 0] = False
    cycles[chosen] = rng.choice([-1, 1], int(chosen.sum()))
    phase = phase + CYCLE * np.where(island < 0, 0, cycles[:, island])
    phase[:, island < 0] = np.nan
    if recipe.missing:
        phase[_patches(rng, phase.shape, recipe.missing)] = np.nan
        phase[:, row, column] = 0
    return Arrays(
        days=days,
        pairs=pairs,
        baselines=positions[pairs[:, 1]] - positions[pairs[:, 0]],
        positions=positions,
        phase=phase,
        coherence=coherence,
        height=height,
        height_error=height_error,
        displacement=ground,
        delay=delay,
        island=island,
        cycles=cycles,
        velocity=velocity - velocity[row, column],
        reference=(row, column),
        parts=parts,
    )


def _ground(
    recipe: Recipe, days: np.ndarray, u: np.ndarray, v: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return motion since the first date and the velocity of its linear part."""
    half = recipe.pixel * max(recipe.shape) / 2
    source = Source(0.3 * half, -0.2 * half, 0.5 * half, recipe.mogi, 0.4 * days[-1])
    _, _, up = source.shape(u * half, v * half)
    velocity = recipe.linear * np.cos(1.3 * u + 0.4) * np.sin(1.1 * v + 0.9)
    years = days / YEAR
    grown = np.array([source.grown(day) for day in days])
    season = np.sin(2 * np.pi * years)
    stepped = np.arange(len(days)) >= recipe.step_date
    return (
        grown[:, None, None] * up
        + years[:, None, None] * velocity
        + season[:, None, None] * recipe.annual * (1 + u) / 2
        + stepped[:, None, None] * recipe.step * (v > 0.2)
    ), velocity


def _delays(
    recipe: Recipe, rng: np.random.Generator, height: np.ndarray, u: np.ndarray, v: np.ndarray
) -> dict[str, np.ndarray]:
    """Return what the atmosphere and the orbits add to each date (m)."""
    screens = np.stack([turbulence(rng, recipe.shape) for _ in range(recipe.dates)])
    slopes = rng.normal(0, recipe.stratified / 1000, recipe.dates)
    tilt, turn = rng.normal(0, recipe.ramp / 2, (2, recipe.dates))
    return {
        "turbulent": recipe.turbulent * screens,
        "stratified": slopes[:, None, None] * height,
        "ramp": tilt[:, None, None] * u + turn[:, None, None] * v,
    }


def _coherence(
    rng: np.random.Generator, shape: tuple[int, int], days: np.ndarray, pairs: np.ndarray
) -> np.ndarray:
    """Return coherence that differs from place to place and falls with the days between."""
    cover = 1 / (1 + np.exp(-1.5 * turbulence(rng, shape)))
    span = days[pairs[:, 1]] - days[pairs[:, 0]]
    corr = (0.55 + 0.4 * cover) * np.exp(-span[:, None, None] / (40 + 300 * cover))
    return np.clip(corr + 0.03, 0.05, 0.98)


def _patches(rng: np.random.Generator, shape: tuple[int, ...], share: float) -> np.ndarray:
    """Return a mask of patches of some pixels that takes a share of all."""
    field_ = np.stack([noise.smooth_normal(rng, shape[1:]) for _ in range(shape[0])])
    return field_ < np.quantile(field_, share)
