"""Terrain-corrected backscatter of one acquisition, as formulas and as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import noise
from .network import Placement
from .sampling import EXACT_PIXELS, blocks
from .scene import Fields, Footprint, Scene, local_incidence

DECIBEL_NODATA = -3.4028234663852886e38
LOOKS = 8.0
PASSIVE_MARGIN, SHADOW_MARGIN = 0.07, 0.25


@dataclass(frozen=True)
class BackscatterTruth:
    """The formulas of one RTC product."""

    scene: Scene
    placement: Placement
    date: int

    def fields(self, longitude: np.ndarray, latitude: np.ndarray) -> Fields:
        """Return the smooth fields at points given in degrees."""
        u, v = self.scene.local(longitude, latitude)
        scale = self.scene.landscape.scale
        return (
            self.scene.geometry(longitude, latitude)
            | self.scene.landscape.fields(u, v)
            | {"moisture": self.scene.weather(self.date).screen(u / scale, v / scale)}
        )

    def parts(self, fields: Fields) -> Fields:
        """Return power and geometry (NaN outside the swath) and the layover and shadow bits."""
        ground = self.scene.landscape.ground(fields)
        land, incidence, phi = ground["land"], fields["incidence"], fields["lv_phi"]
        u, v = ground["slope_u"], ground["slope_v"]
        local = local_incidence(incidence, phi, u, v)
        footprint: Footprint = self.placement.footprint
        seen = footprint.covers(fields["along"], fields["reach"])
        rise = np.arctan(np.cos(phi) * u + np.sin(phi) * v)
        facing, away = -rise - incidence, rise + incidence - np.pi / 2
        bits = 1 + 6 * (facing > 0) + 4 * ((facing > -PASSIVE_MARGIN) & (facing <= 0))
        bits = bits + 24 * (away > 0) + 16 * ((away > -SHADOW_MARGIN) & (away <= 0))
        lit = seen & (away <= 0)
        green = 1 / (1 + np.exp(2.2 * fields["cover"]))
        wet = np.exp(0.12 * fields["moisture"])
        ripples = np.tanh(fields["ripples"])
        land_vv = (0.04 + 0.17 * green) * wet * (1.35 - 0.5 * local)
        land_vh = (0.006 + 0.05 * green) * wet * (1.2 - 0.3 * local)
        vv = np.where(land, land_vv, 0.008 * (1.4 + ripples))
        vh = np.where(land, land_vh, 0.0011 * (1.4 + ripples))
        area = self.scene.spec.pixel**2 / np.tan(np.maximum(local, 0.12))
        return {
            "VV": np.where(lit, np.maximum(vv, 1e-4), np.nan),
            "VH": np.where(lit, np.maximum(vh, 1e-5), np.nan),
            "ls_map": np.where(seen, bits, np.nan),
            "dem": ground["dem"],
            "inc_map": np.where(seen, local, np.nan),
            "area": np.where(seen, area, np.nan),
        }

    def scaled(self, parts: Fields) -> Fields:
        """Return the parts with backscatter in the product's scale and heights in whole meters."""
        result = dict(parts)
        for name in ("VV", "VH"):
            if name in parts and self.scene.spec.scale == "amplitude":
                result[name] = np.sqrt(parts[name])
            elif name in parts and self.scene.spec.scale == "decibel":
                result[name] = 10 * np.log10(parts[name])
        return result | {"dem": np.rint(parts["dem"])}

    def evaluate(self, longitude: np.ndarray, latitude: np.ndarray) -> Fields:
        """Return all layers but the picture at points, also beyond the raster."""
        return self.scaled(self.parts(self.fields(longitude, latitude)))


def sample(truth: BackscatterTruth, rng: np.random.Generator | None) -> tuple[Fields, Fields]:
    """Evaluate a product on its grid, with speckle if ``rng`` is given.

    Returns
    -------
    tuple
        Layers in the product's scale, and the same with backscatter as power.
    """
    place = truth.placement
    exact = rng is None or place.shape[0] * place.shape[1] <= EXACT_PIXELS
    kind = np.float64 if exact else np.float32
    names = ("VV", "VH", "ls_map", "dem", "inc_map", "area")
    parts: Fields = {name: np.empty(place.shape, kind) for name in names}
    for down, right, fields in blocks(
        place.transform, place.shape, place.epsg, truth.fields, exact
    ):
        values = truth.parts(fields)
        for name, array in parts.items():
            array[down, right] = values[name]
    if rng is not None:
        for name in ("VV", "VH"):
            parts[name] = noise.speckle(rng, parts[name], LOOKS)
    return truth.scaled(parts), parts
