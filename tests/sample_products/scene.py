"""One scene: ground, motion, weather and viewing geometry, evaluated anywhere.

Everything is split into smooth ``fields`` (cheap to interpolate exactly) and what follows from them
point by point (``Insar.layers``, ``Backscatter.layers``): shore lines, masks, slopes, coherence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np

from .landscape import Landscape, Waves
from .motion import Motion, Weather
from .orbit import WAVELENGTH, Track
from .spec import SampleSpec

METERS_PER_DEGREE = 111_195.0
UNWRAPPING_THRESHOLD = 0.1
CRITICAL_BASELINE = 5_000.0
INCOHERENT = 0.05
VOID_INCIDENCE = 0.16
PHASE_PER_METER = 4 * np.pi / WAVELENGTH

Fields = dict[str, np.ndarray]


class Scene:
    """The ground and the pass that all products of a stack share."""

    def __init__(self, spec: SampleSpec) -> None:
        width, height = spec.columns * spec.pixel, spec.rows * spec.pixel
        self.spec = spec
        self.track = Track.over(
            spec.longitude, spec.latitude, spec.direction, incidence=np.radians(38.5)
        )
        self.landscape = Landscape(spec.seed, width, height, spec.pixel)
        self.motion = Motion(width, height, spec.signals)
        self._weather: dict[int, Weather] = {}

    def weather(self, index: int) -> Weather:
        """Return the weather of an acquisition."""
        if index not in self._weather:
            self._weather[index] = Weather(self.spec.seed, index)
        return self._weather[index]

    def delay(self, index: int, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the phase (rad) of turbulent delay and ramp of an acquisition."""
        weather, signals = self.weather(index), self.spec.signals
        plane = weather.tilt[0] * u / self.motion.width + weather.tilt[1] * v / self.motion.height
        return signals.turbulent * weather.screen(u, v) + signals.ramp * plane

    def stratified(self, index: int) -> float:
        """Return the delay of an acquisition per meter of height (rad)."""
        return self.spec.signals.stratified * self.weather(index).stratified

    def towards(
        self, u: np.ndarray, v: np.ndarray, geometry: Fields, days: tuple[float, float]
    ) -> np.ndarray:
        """Return the motion towards the satellite (m) between two days."""
        east, north, up = self.motion.moved(u, v, *days)
        theta, phi = np.pi / 2 - geometry["incidence"], geometry["lv_phi"]
        return np.cos(theta) * (np.cos(phi) * east + np.sin(phi) * north) + np.sin(theta) * up

    def local(self, longitude: np.ndarray, latitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return meters east and north of the scene's center."""
        scale = METERS_PER_DEGREE * np.cos(np.radians(self.spec.latitude))
        u = (longitude - self.spec.longitude) * scale
        return u, (latitude - self.spec.latitude) * METERS_PER_DEGREE

    def geometry(self, longitude: np.ndarray, latitude: np.ndarray) -> Fields:
        """Return swath coordinates and viewing angles."""
        along, reach = self.track.swath(longitude, latitude)
        return {
            "along": along,
            "reach": reach,
            "incidence": self.track.incidence(reach),
            "lv_phi": self.track.azimuth_angle(longitude, latitude),
        }


@dataclass(frozen=True)
class Footprint:
    """The part of the swath that a product covers: three subswaths with staggered ends.

    ``along`` (m) and ``reach`` (rad) are the first and last value; ``stagger`` (m) shifts each
    subswath against the one before.
    """

    along: tuple[float, float]
    reach: tuple[float, float]
    stagger: float = 0.0

    def covers(self, along: np.ndarray, reach: np.ndarray) -> np.ndarray:
        """Return where swath coordinates lie inside."""
        first, last = self.reach
        inside = (reach >= first) & (reach <= last)
        swath = np.floor((reach - first) * (3 / (last - first)))
        start = along - self.stagger * (swath - 1)
        return inside & (start >= self.along[0]) & (start <= self.along[1])


@dataclass(frozen=True)
class Insar:
    """One interferogram of a scene: its layers before the choice of a reference point."""

    scene: Scene
    footprint: Footprint
    dates: tuple[int, int]
    days: tuple[float, float]

    @cached_property
    def baseline(self) -> float:
        """Perpendicular baseline in meters."""
        first, last = (self.scene.weather(index).offset for index in self.dates)
        return self.scene.track.baseline(last[0] - first[0], last[1] - first[1])

    @cached_property
    def cycles(self) -> int:
        """Cycles by which phase north of the fault is wrong."""
        rng = np.random.default_rng([self.scene.spec.seed, 13, *self.dates])
        wrong = rng.random() < self.scene.spec.signals.shifted
        return int(wrong) * int(rng.choice([-1, 1]))

    @cached_property
    def patches(self) -> Waves:
        """Smooth field of unit variance that is high where the pair has no coherence."""
        rng = np.random.default_rng([self.scene.spec.seed, 17, *self.dates])
        lengths = np.geomspace(0.05, 0.3, 12) * self.scene.motion.width
        return Waves(rng, lengths, np.full(12, np.sqrt(2 / 12)))

    def fields(self, longitude: np.ndarray, latitude: np.ndarray) -> Fields:
        """Return the smooth fields at points given in degrees."""
        scene = self.scene
        u, v = scene.local(longitude, latitude)
        result = scene.geometry(longitude, latitude) | scene.landscape.fields(u, v)
        result["across_fault"] = scene.motion.across_fault(u, v)
        towards = scene.towards(u, v, result, self.days)
        delay = scene.delay(self.dates[1], u, v) - scene.delay(self.dates[0], u, v)
        error = (
            scene.spec.signals.height_error
            * result.pop("height_error")
            * self.baseline
            / (scene.track.slant_range(result["reach"]) * np.sin(result["incidence"]))
        )
        result["phase"] = PHASE_PER_METER * (error - towards) + delay
        if scene.spec.signals.gaps:
            result["patches"] = self.patches(u, v)
        return result

    def layers(self, fields: Fields) -> Fields:
        """Return all layers as float arrays with NaN where there is no data, and masks.

        ``phase`` is the absolute phase inside the footprint, ``unwrapped`` says where it survives.
        """
        ground = self.scene.landscape.ground(fields)
        land, incidence, phi = ground["land"], fields["incidence"], fields["lv_phi"]
        theta = np.pi / 2 - incidence
        local = local_incidence(incidence, phi, ground["slope_u"], ground["slope_v"])
        north_side = fields["across_fault"] > 0
        first, last = (self.scene.stratified(index) for index in self.dates)
        phase = fields["phase"] + (last - first) * ground["dem"]
        phase = phase + 2 * np.pi * self.cycles * north_side
        corr = self._coherence(fields, land, local)
        seen = self.footprint.covers(fields["along"], fields["reach"])
        bright = seen & (local >= VOID_INCIDENCE)
        unwrapped = bright & (corr >= UNWRAPPING_THRESHOLD)
        if self.scene.spec.water_masked:
            unwrapped &= land
        amp = backscatter(fields, land, local)
        return {
            "seen": seen,
            "bright": bright,
            "unwrapped": unwrapped,
            "land": land,
            "north_side": north_side,
            "phase": phase,
            "corr": np.where(bright, corr, np.nan),
            "amp": np.where(bright, amp, np.nan),
            "lv_theta": np.where(seen, theta, np.nan),
            "lv_phi": np.where(seen, phi, np.nan),
            "inc_map": np.where(seen, local, np.nan),
            "inc_map_ell": np.where(seen, incidence, np.nan),
            "dem": np.where(seen, ground["dem"], np.nan),
        }

    def _coherence(self, fields: Fields, land: np.ndarray, local: np.ndarray) -> np.ndarray:
        """Return coherence from land cover, both baselines, slope and water."""
        dry = 1 / (1 + np.exp(-2.6 * fields["cover"] - 0.9))
        span = self.days[1] - self.days[0]
        spatial = max(0.0, 1 - abs(self.baseline) / CRITICAL_BASELINE)
        slope = np.clip((local - 0.2) / 0.3, 0, 1)
        slope = slope * slope * (3 - 2 * slope)
        on_land = spatial * (0.5 + 0.47 * dry) * np.exp(-span / (14 + 260 * dry)) * slope + 0.03
        signals = self.scene.spec.signals
        lost = np.abs(fields["across_fault"]) < signals.river / 2
        if signals.gaps:
            lost |= fields["patches"] > NormalDist().inv_cdf(1 - signals.gaps)
        on_land = np.where(lost, INCOHERENT, np.minimum(on_land, 0.985))
        on_water = 0.07 + 0.04 * np.tanh(fields["ripples"])
        return np.where(land, on_land, on_water)


def local_incidence(
    incidence: np.ndarray, phi: np.ndarray, slope_u: np.ndarray, slope_v: np.ndarray
) -> np.ndarray:
    """Return the angle (rad) between the direction to the sensor and the terrain's normal."""
    uphill = np.cos(phi) * slope_u + np.sin(phi) * slope_v
    cosine = np.cos(incidence) - np.sin(incidence) * uphill
    return np.arccos(np.clip(cosine / np.sqrt(1 + slope_u**2 + slope_v**2), -1, 1))


def backscatter(fields: Fields, land: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Return sigma-0 as linear power: brighter on slopes that face the sensor, dark on water."""
    green = 1 / (1 + np.exp(2.2 * fields["cover"]))
    facing = np.sin(fields["incidence"]) / np.maximum(np.sin(local), 0.12)
    on_land = (0.05 + 0.16 * green) * facing * np.maximum(np.cos(local), 0.05)
    return np.where(land, on_land, 0.006 * (1.2 + np.tanh(fields["ripples"])))
