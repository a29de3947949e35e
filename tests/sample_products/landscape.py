"""Terrain, water and land cover as smooth formulas of local east and north (meters)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GEOID = -35.0
LAKE_LEVEL = 238.0
SHORE = 900.0


class Waves:
    """A sum of cosines with random directions: smooth, but rough like nature.

    Parameters
    ----------
    rng
        Source of directions and phases.
    wavelengths
        Meters.
    amplitudes
        One per wavelength, in the unit of the field.
    """

    def __init__(
        self, rng: np.random.Generator, wavelengths: np.ndarray, amplitudes: np.ndarray
    ) -> None:
        angle = rng.uniform(0, 2 * np.pi, len(wavelengths))
        self.ku = 2 * np.pi / wavelengths * np.cos(angle)
        self.kv = 2 * np.pi / wavelengths * np.sin(angle)
        self.phase = rng.uniform(0, 2 * np.pi, len(wavelengths))
        self.amplitudes = amplitudes

    def __call__(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the field's values."""
        total = np.zeros_like(u)
        for ku, kv, phase, amplitude in zip(
            self.ku, self.kv, self.phase, self.amplitudes, strict=True
        ):
            total += amplitude * np.cos(ku * u + kv * v + phase)
        return total

    def add_with_slope(self, u: np.ndarray, v: np.ndarray, into: tuple[np.ndarray, ...]) -> None:
        """Add value and both derivatives to three arrays."""
        value, along_u, along_v = into
        for ku, kv, phase, amplitude in zip(
            self.ku, self.kv, self.phase, self.amplitudes, strict=True
        ):
            q = ku * u + kv * v + phase
            value += amplitude * np.cos(q)
            slope = -amplitude * np.sin(q)
            along_u += ku * slope
            along_v += kv * slope


@dataclass(frozen=True)
class Ridge:
    """A train of parallel, slightly winding ridges."""

    amplitude: float
    sharpness: float
    ku: float
    kv: float
    phase: float
    wind: float
    wu: float
    wv: float

    def add_with_slope(self, u: np.ndarray, v: np.ndarray, into: tuple[np.ndarray, ...]) -> None:
        """Add height and both derivatives to three arrays."""
        bend = self.wu * u + self.wv * v + 2 * self.phase
        q = self.ku * u + self.kv * v + self.phase + self.wind * np.sin(bend)
        height = self.amplitude * np.exp(self.sharpness * (np.cos(q) - 1))
        slope = -self.sharpness * np.sin(q) * height
        turn = self.wind * np.cos(bend)
        into[0][...] += height
        into[1][...] += slope * (self.ku + turn * self.wu)
        into[2][...] += slope * (self.kv + turn * self.wv)


class Landscape:
    """The ground of a scene of a given size (meters).

    Finer pixels see a finer landscape, so that the heights of
    neighbors differ about as they do at 80 m.

    ``fields`` are smooth everywhere; shore lines, heights and slopes follow in ``ground``.
    """

    def __init__(self, seed: int, width: float, height: float, pixel: float) -> None:
        rng = np.random.default_rng([seed, 1])
        self.scale = float(np.clip(pixel / 80, 0.2, 1))
        self.steepness = self.scale**0.4
        self.coast_v = -0.36 * height
        self.coast = Waves(rng, np.array([2.9e4, 1.1e4, 5.3e3]), np.array([1400.0, 600.0, 260.0]))
        self.coast.kv = np.zeros(3)
        self.lake_u, self.lake_v = 0.16 * width, 0.02 * height
        size = float(np.clip(0.07 * width, 900.0 * self.scale, 9000.0))
        self.lake_size = (size, 0.62 * size)
        self.ridges = []
        for wavelength, amplitude in ((8.2e3, 420.0), (10.5e3, 460.0), (15.0e3, 520.0)):
            strike = np.radians(rng.uniform(-38, 38))
            across, along = 2 * np.pi / wavelength, 2 * np.pi / (wavelength * 1.7)
            self.ridges.append(
                Ridge(
                    amplitude,
                    1.0,
                    -across * np.sin(strike),
                    across * np.cos(strike),
                    rng.uniform(0, 2 * np.pi),
                    rng.uniform(0.7, 1.1),
                    along * np.cos(strike),
                    along * np.sin(strike),
                )
            )
        lengths = np.geomspace(2.4e3, 5.5e3, 7)
        self.hills = Waves(rng, lengths, 16.0 * (lengths / 2.4e3) ** 0.9)
        lengths = np.geomspace(2.6e3, 2.4e4, 9)
        self.cover = Waves(rng, lengths, 0.42 * (lengths / lengths[-1]) ** 0.25)
        lengths = np.geomspace(1.9e3, 6e3, 6)
        self.ripples = Waves(rng, lengths, np.full(6, 0.3))
        lengths = np.geomspace(2.8e3, 6e3, 4)
        self.height_error = Waves(rng, lengths, np.full(4, 2.2))

    def fields(self, u: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
        """Return the smooth fields at local coordinates."""
        scale, tall = self.scale, self.steepness
        du, dv = (u - self.lake_u) / self.lake_size[0], (v - self.lake_v) / self.lake_size[1]
        u, level = u / scale, v - self.coast_v
        v = v / scale
        relief = tuple(np.zeros_like(u) for _ in range(3))
        relief[0][...] = 60.0
        for ridge in self.ridges:
            ridge.add_with_slope(u, v, relief)
        self.hills.add_with_slope(u, v, relief)
        coast = tuple(np.zeros_like(u) for _ in range(3))
        self.coast.add_with_slope(u, v, coast)
        a, b = 2.1 * du + 1.3 * dv, 1.7 * dv - 0.8 * du
        sa, ca, sb, cb = np.sin(a), np.cos(a), np.sin(b), np.cos(b)
        long, short = self.lake_size
        return {
            "relief": relief[0] * tall,
            "relief_u": relief[1] * (tall / scale),
            "relief_v": relief[2] * (tall / scale),
            "ocean": level - coast[0] * scale,
            "ocean_u": -coast[1],
            "lake": ((du**2 + dv**2 - 1) / 2 + 0.35 * sa * cb) * short,
            "lake_u": (du + 0.35 * (2.1 * ca * cb + 0.8 * sa * sb)) * short / long,
            "lake_v": dv + 0.35 * (1.3 * ca * cb - 1.7 * sa * sb),
            "cover": self.cover(u, v),
            "ripples": self.ripples(u, v),
            "height_error": self.height_error(u, v),
        }

    def ground(self, fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return land (bool), ellipsoidal height and its two slopes from the smooth fields."""
        ocean, lake = fields["ocean"], fields["lake"]
        land = (ocean > 0) & (lake > 0)
        lake_level = LAKE_LEVEL * self.steepness
        rise, rise_o = _shore(ocean, 2.5 * SHORE * self.scale)
        bank, bank_l = _shore(lake, 1.8 * SHORE * self.scale)
        above = bank_l * (fields["relief"] - lake_level)
        relief = fields["relief"] * bank + (1 - bank) * lake_level
        relief_u = bank * fields["relief_u"] + above * fields["lake_u"]
        relief_v = bank * fields["relief_v"] + above * fields["lake_v"]
        return {
            "land": land,
            "dem": GEOID + rise * relief,
            "slope_u": rise * relief_u + rise_o * fields["ocean_u"] * relief,
            "slope_v": rise * relief_v + rise_o * relief,
        }


def _shore(level: np.ndarray, length: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a smooth step from 0 at the shore to 1 inland, and its derivative."""
    inside = np.maximum(level, 0) / length
    decay = np.exp(-(inside**2))
    return 1 - decay, 2 * inside * decay / length
