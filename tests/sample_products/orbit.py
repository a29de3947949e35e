"""Geometry of a right-looking pass over a scene, on a sphere with the local radius of WGS84.

Swath coordinates of a ground point are the distance along the track (meters from the scene center)
and the angle at the Earth's center between the point and the track ("reach", radians).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

WAVELENGTH = 0.055465763
"""Sentinel-1's radar wavelength in meters."""

HEIGHT = 700_500.0
EARTH_ROTATION = 7.2921159e-5
GROUND_SPEED = 6_840.0
INCLINATION = np.radians(98.18)
CYCLE_ORBITS, CYCLE_DAYS = 175, 12
KNOWN_ORBIT, KNOWN_TIME = 61237, datetime(2025, 10, 1, 20, 45, 13, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Track:
    """The pass: axes of the swath in Earth-centered coordinates."""

    radius: float
    heading: float
    reach: float
    nadir: np.ndarray
    forward: np.ndarray
    left: np.ndarray

    @classmethod
    def over(cls, longitude: float, latitude: float, direction: str, incidence: float) -> Track:
        """Return the track that sees a point (degrees) under an incidence angle (radians)."""
        lam, phi = np.radians([longitude, latitude])
        radius = 6378137.0 * (1 - np.sin(phi) ** 2 / 298.257)
        inertial = np.arcsin(np.cos(INCLINATION) / np.cos(phi))
        speed = GROUND_SPEED
        east = speed * np.sin(inertial) - EARTH_ROTATION * radius * np.cos(phi)
        north = speed * np.cos(inertial) * (1 if direction == "ascending" else -1)
        heading = np.arctan2(east, north)
        look = np.arcsin(np.sin(incidence) * radius / (radius + HEIGHT))
        reach = incidence - look
        up, e, n = _frame(lam, phi)
        forward = e * np.sin(heading) + n * np.cos(heading)
        sensor = -e * np.cos(heading) + n * np.sin(heading)
        nadir = up * np.cos(reach) + sensor * np.sin(reach)
        left = -up * np.sin(reach) + sensor * np.cos(reach)
        return cls(float(radius), float(heading), float(reach), nadir, forward, left)

    def swath(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return distance along the track (m) and reach (rad) of points given in degrees."""
        lam, phi = np.radians(longitude), np.radians(latitude)
        c = np.cos(phi)
        px, py, pz = c * np.cos(lam), c * np.sin(lam), np.sin(phi)
        f, m, side = self.forward, self.nadir, self.left
        along = np.arctan2(px * f[0] + py * f[1] + pz * f[2], px * m[0] + py * m[1] + pz * m[2])
        return along * self.radius, -np.arcsin(px * side[0] + py * side[1] + pz * side[2])

    def ground(self, along: np.ndarray, reach: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return longitude and latitude (degrees) of swath coordinates."""
        a = np.asarray(along, float)[..., None] / self.radius
        r = np.asarray(reach, float)[..., None]
        point = np.cos(r) * (np.cos(a) * self.nadir + np.sin(a) * self.forward)
        point = point - np.sin(r) * self.left
        longitude = np.degrees(np.arctan2(point[..., 1], point[..., 0]))
        return longitude, np.degrees(np.arcsin(np.clip(point[..., 2], -1, 1)))

    def slant_range(self, reach: np.ndarray | float) -> np.ndarray:
        """Return the distance to the sensor in meters."""
        orbit = self.radius + HEIGHT
        return np.sqrt(self.radius**2 + orbit**2 - 2 * self.radius * orbit * np.cos(reach))

    def incidence(self, reach: np.ndarray | float) -> np.ndarray:
        """Return the incidence angle on the ellipsoid in radians."""
        look = np.arcsin(self.radius * np.sin(reach) / self.slant_range(reach))
        return look + reach

    def azimuth_angle(self, longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
        """Return HyP3's lv_phi: from the ground to the sensor, counterclockwise from true east."""
        lam, phi = np.radians(longitude), np.radians(latitude)
        sl, cl, sp, cp = np.sin(lam), np.cos(lam), np.sin(phi), np.cos(phi)
        side = self.left
        east = -side[0] * sl + side[1] * cl
        north = -side[0] * sp * cl - side[1] * sp * sl + side[2] * cp
        return np.arctan2(north, east)

    def baseline(self, horizontal: float, vertical: float) -> float:
        """Return the perpendicular baseline of an orbit offset (m, to the left and up)."""
        look = self.incidence(self.reach) - self.reach
        return float(-horizontal * np.cos(look) + vertical * np.sin(look))


def orbit_number(time: datetime) -> int:
    """Return Sentinel-1A's absolute orbit number, extrapolated from one known orbit."""
    cycles = (time - KNOWN_TIME) / timedelta(days=CYCLE_DAYS)
    return KNOWN_ORBIT + round(cycles * CYCLE_ORBITS)


def relative_orbit(absolute: int) -> int:
    """Return Sentinel-1A's relative orbit (track) of an absolute orbit number."""
    return (absolute - 73) % CYCLE_ORBITS + 1


def _frame(lam: float, phi: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the local up, east and north vectors."""
    sl, cl, sp, cp = np.sin(lam), np.cos(lam), np.sin(phi), np.cos(phi)
    up = np.array([cp * cl, cp * sl, sp])
    return up, np.array([-sl, cl, 0.0]), np.array([-sp * cl, -sp * sl, cp])
