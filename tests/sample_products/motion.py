"""What changes between two acquisitions: ground motion, troposphere and orbit position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .landscape import Waves
from .spec import Signals

TUBE = 120.0
YEAR = 365.25


@dataclass(frozen=True)
class Source:
    """A point source of volume change (Mogi 1958) in an elastic half-space.

    ``uplift`` is the final uplift above the source in meters, reached with the time constant
    ``days``; lengths are in meters.
    """

    u: float
    v: float
    depth: float
    uplift: float
    days: float

    def grown(self, day: float) -> float:
        """Return the uplift above the source (m) after some days."""
        return self.uplift * (1 - np.exp(-max(day, 0.0) / self.days))

    def shape(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return east, north and up motion for one meter of uplift above the source."""
        du, dv = u - self.u, v - self.v
        factor = self.depth**2 / (du**2 + dv**2 + self.depth**2) ** 1.5
        return du * factor, dv * factor, self.depth * factor


class Motion:
    """Volcano-like sources, a creeping strike-slip fault and vertical motions of the ground."""

    def __init__(self, width: float, height: float, signals: Signals) -> None:
        self.width, self.height, self.signals = width, height, signals
        depth = float(np.clip(0.06 * width, 2600.0, 9000.0))
        uplift = 0.55 * np.sqrt(depth / 2600.0)
        self.sources = [
            Source(-0.17 * width, 0.16 * height, depth, uplift, 90.0),
            Source(0.24 * width, 0.27 * height, 1.3 * depth, -0.6 * uplift, 160.0),
        ]
        strike = np.radians(-38.0)
        self.strike = (np.cos(strike), np.sin(strike))
        self.fault_offset = 0.05 * height
        self.locking = 1600.0
        self.rate = 0.32

    def across_fault(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the distance (m) from the fault's trace, positive to the northeast."""
        return -self.strike[1] * u + self.strike[0] * v - self.fault_offset

    def moved(
        self, u: np.ndarray, v: np.ndarray, first: float, last: float
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return motion to the east, north and up (m) between two days since the start."""
        east, north, up = np.zeros_like(u), np.zeros_like(u), np.zeros_like(u)
        for source in self.sources:
            grown = source.grown(last) - source.grown(first)
            for total, part in zip((east, north, up), source.shape(u, v), strict=True):
                total += grown * part
        across = self.across_fault(u, v)
        slip = self.rate * (last - first) / YEAR / np.pi * np.arctan(across / self.locking)
        whole = (east - slip * self.strike[0], north - slip * self.strike[1], up)
        east, north, up = (self.signals.motion * part for part in whole)
        return east, north, up + self._vertical(u, v, first, last)

    def _vertical(self, u: np.ndarray, v: np.ndarray, first: float, last: float) -> np.ndarray:
        """Return the linear, yearly and sudden uplift (m) between two days."""
        signals = self.signals
        bowl = np.cos(2.6 * u / self.width + 0.4) * np.sin(2.2 * v / self.height + 0.9)
        season = np.sin(2 * np.pi * last / YEAR) - np.sin(2 * np.pi * first / YEAR)
        stepped = float(first < signals.step_day <= last)
        return (
            signals.linear * (last - first) / YEAR * bowl
            + signals.annual * season * (0.5 + u / self.width)
            + signals.step * stepped * (self.across_fault(u, v) < 0)
        )


class Weather:
    """Troposphere and orbit of one acquisition date.

    ``screen`` is the turbulent delay and ``stratified`` the delay per meter of height, both as
    two-way phase (rad); ``offset`` is the orbit's distance from the tube's axis (m: left, up), and
    ``tilt`` a plane's slopes (from edge to edge, standard deviation 1).
    """

    def __init__(self, seed: int, index: int) -> None:
        rng = np.random.default_rng([seed, 2, index])
        lengths = np.geomspace(2.6e3, 6.5e4, 18) * rng.uniform(0.9, 1.1, 18)
        amplitudes = 0.6 * np.minimum((lengths / 1.2e4) ** 0.7, 1.5) * rng.uniform(0.5, 1.2, 18)
        self.screen = Waves(rng, lengths, amplitudes)
        self.stratified = float(rng.normal(0, 1.1e-3))
        self.offset = tuple(float(o) for o in np.clip(rng.normal(0, 55, 2), -TUBE, TUBE))
        self.tilt = rng.normal(0, 1, 2)
