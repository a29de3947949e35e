"""A track of Sentinel-1 over some ground: bursts, frames and orbits as the ASF catalog has them.

The satellite flies a circle, so that baselines are known exactly. Passes differ by an offset of the
orbit upward and sideways.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import numpy as np
import pyproj

from hyp3_stack.core.products.granules import burst_orbit

from .searching import CatalogScene

ORBIT_SECONDS = 12 * 86400 / 175
RADIUS = 7_070_000.0
BURST_SECONDS = 2.758273
_FIRST_SECONDS = 1.2
"""From the node's clock to the first burst over the origin."""
_HEIGHT, _STEP = 0.187, 0.168
"""Degrees along the flight of a burst, and from one burst to the next."""
_WIDTH, _ACROSS = 0.95, 0.92
"""Degrees across the flight of a burst, and from one swath to the next."""
_VECTOR_SECONDS = 10
"""Interval of state vectors in an annotation."""

Offset = tuple[float, float]


@dataclass(frozen=True)
class Sky:
    """One ascending track.

    Parameters
    ----------
    first_burst
        Number of the burst whose IW1 lies at the origin.
    origin
        Longitude and latitude of its southwestern corner.
    first_pass
        UTC start of that burst on day 0.
    target
        Point in Earth-centered, Earth-fixed meters that the orbits pass beside.
    """

    first_burst: int = 135535
    origin: tuple[float, float] = (-118.0, 35.0)
    first_pass: datetime = datetime(2021, 1, 4, 1, 52, 10, 349750, timezone.utc)
    target: np.ndarray = field(
        default_factory=lambda: ground_point(-116.6, 35.3), repr=False, compare=False
    )

    @property
    def path(self) -> int:
        """Relative orbit."""
        return burst_orbit(self.first_burst)[0]

    def burst(
        self,
        day: int,
        number: int = 0,
        swath: int = 1,
        offset: Offset | None = (0.0, 0.0),
        processed: str = "2024-01-01T00:00:00Z",
        polarization: str = "VV",
        tag: str = "",
    ) -> CatalogScene:
        """Return a burst: so many days after the first pass, so many bursts along the track.

        ``offset`` is None for a burst without state vectors.
        """
        start = self.first_pass + timedelta(days=day, seconds=BURST_SECONDS * number + 0.92 * swath)
        burst = self.first_burst + number
        digits = hashlib.sha256(f"{day} {number} {swath} {tag}".encode()).hexdigest()[:4].upper()
        attributes = {
            "POLARIZATION": polarization,
            "BURST_ID_FULL": f"{self.path:03d}_{burst:06d}_IW{swath}",
            "SUBSWATH_NAME": f"IW{swath}",
        }
        if offset is not None:
            attributes |= self.vectors(start, day, 3.0, offset)
        return CatalogScene(
            name=f"S1_{burst:06d}_IW{swath}_{start:%Y%m%dT%H%M%S}_{polarization}_{digits}-BURST",
            path=self.path,
            ascending=True,
            ring=self.ring(number, swath),
            start=start,
            seconds=3.0,
            attributes=attributes,
            processed=processed,
        )

    def frame(
        self,
        day: int,
        number: float = 0.0,
        offset: Offset | None = (0.0, 0.0),
        processed: str = "2024-01-01T00:00:00Z",
        frame: int = 110,
        tag: str = "",
    ) -> CatalogScene:
        """Return a frame of nine bursts that begins so many bursts along the track."""
        start = self.first_pass + timedelta(days=day, seconds=BURST_SECONDS * number)
        end = start + timedelta(seconds=27)
        # Orbits of S1A whose path is that of the bursts.
        orbit = 72 + self.path + 175 * (200 + day // 12)
        digits = hashlib.sha256(f"{day} {number} {tag}".encode()).hexdigest()[:4].upper()
        attributes = {"POLARIZATION": "VV+VH", "FRAME_NUMBER": str(frame)}
        if offset is not None:
            attributes |= self.vectors(start, day, 27.0, offset)
        south, west = self.ring(number, 1)[0], self.ring(number + 8, 1)[3]
        east, north = self.ring(number, 3)[1], self.ring(number + 8, 3)[2]
        return CatalogScene(
            name=f"S1A_IW_SLC__1SDV_{start:%Y%m%dT%H%M%S}_{end:%Y%m%dT%H%M%S}_{orbit:06d}_0ABCDE_{digits}",
            path=self.path,
            ascending=True,
            ring=[south, east, north, west, south],
            start=start,
            seconds=27.0,
            attributes=attributes,
            processed=processed,
        )

    def ring(self, number: float, swath: int) -> list[tuple[float, float]]:
        """Return the outline of a burst, which leans to the west as the flight does."""
        west = self.origin[0] + _ACROSS * (swath - 1) - 0.2 * _STEP * number
        south = self.origin[1] + _STEP * number + 0.15 * (swath - 1)
        corners = [(0.0, 0.0), (_WIDTH, 0.15), (_WIDTH - 0.04, 0.15 + _HEIGHT), (-0.04, _HEIGHT)]
        ring = [(round(west + x, 6), round(south + y, 6)) for x, y in corners]
        return [*ring, ring[0]]

    def vectors(self, start: datetime, day: int, seconds: float, offset: Offset) -> dict[str, str]:
        """Return the state vectors around a scene, on the grid of its annotation."""
        passing = self.first_pass + timedelta(days=day, seconds=4.0)
        begin = (start - passing).total_seconds()
        first = np.floor(begin / _VECTOR_SECONDS) * _VECTOR_SECONDS
        last = np.ceil((begin + seconds) / _VECTOR_SECONDS) * _VECTOR_SECONDS
        told = {}
        for side, time in (("PRE", first), ("POST", last)):
            moment = passing + timedelta(seconds=float(time))
            for kind, vector in (
                ("POSITION", position(self.target, offset, time)),
                ("VELOCITY", velocity(self.target, offset, time)),
            ):
                numbers = ",".join(f"{number:.6f}" for number in vector)
                told[f"SV_{kind}_{side}"] = f"{numbers},{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
        return told


def ground_point(longitude: float, latitude: float) -> np.ndarray:
    transformer = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
    return np.array(transformer.transform(longitude, latitude, 0.0))


def position(target: np.ndarray, offset: Offset, time: float) -> np.ndarray:
    """Return a position on a circle that passes west of a target at time 0.

    ``offset`` shifts the circle upward and sideways in meters.
    """
    up = target / np.linalg.norm(target)
    along = np.array([0.0, 0.0, 1.0]) - up[2] * up
    along /= np.linalg.norm(along)
    side = np.cross(along, up)
    tilt = np.radians(-5.5)
    start = np.cos(tilt) * up + np.sin(tilt) * side
    turn = 2 * np.pi / ORBIT_SECONDS * time
    radius = RADIUS + offset[0]
    return radius * (np.cos(turn) * start + np.sin(turn) * along) + offset[1] * np.cross(
        along, start
    )


def velocity(target: np.ndarray, offset: Offset, time: float) -> np.ndarray:
    step = 1e-3
    return (position(target, offset, time + step) - position(target, offset, time - step)) / (
        2 * step
    )


def exact_baseline(target: np.ndarray, reference: Offset, secondary: Offset) -> float:
    """Return the perpendicular baseline of two passes at the target, along velocity x look."""
    first, second = position(target, reference, 0.0), position(target, secondary, 0.0)
    across = np.cross(velocity(target, reference, 0.0), target - first)
    return float((second - first) @ across / np.linalg.norm(across))
