"""The layers of one interferogram as HyP3 delivers them: as formulas and as arrays."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from pyproj import Transformer

from . import noise
from .network import Placement
from .sampling import EXACT_PIXELS, blocks
from .scene import PHASE_PER_METER, Fields, Insar

SMALLEST_PHASE = 1e-9


@dataclass(frozen=True)
class PairTruth:
    """The formulas of one product.

    ``isce`` selects the rules of ISCE products: every bright pixel is unwrapped, coherence comes
    from the filtered phase, nothing is subtracted. Otherwise ``constant`` is the phase (rad) at the
    reference point, which GAMMA products have subtracted.
    """

    insar: Insar
    placement: Placement
    isce: bool = False
    constant: float = 0.0

    def layers(self, parts: Fields) -> Fields:
        """Return all layers (NaN: no data) from the parts of the interferogram."""
        phase = parts["phase"] - self.constant
        phase = np.where(np.abs(phase) < SMALLEST_PHASE, 0, phase)
        kept = parts["unwrapped"]
        corr = parts["corr"]
        if self.isce:
            corr = 1 - (1 - corr) ** 1.6
            masked = self.insar.scene.spec.water_masked
            kept = parts["bright"] & parts["land"] if masked else parts["bright"]
        unwrapped = np.where(kept, phase, np.nan)
        towards = unwrapped / -PHASE_PER_METER
        turns = np.ceil((parts["phase"] - np.pi) / (2 * np.pi))
        wrapped = parts["phase"] - turns * (2 * np.pi)
        coherent = np.where(parts["land"], np.where(parts["north_side"], 2.0, 1.0), 3.0)
        component = np.where(parts["unwrapped"] & kept, coherent, np.nan)
        return parts | {
            "unw_phase": unwrapped,
            "corr": corr,
            "los_disp": towards,
            "vert_disp": towards / np.sin(parts["lv_theta"]),
            "wrapped_phase": np.where(parts["bright"], wrapped, np.nan),
            "water_mask": np.where(parts["land"], 1.0, 0.0),
            "conncomp": component,
        }

    def evaluate(self, longitude: np.ndarray, latitude: np.ndarray) -> Fields:
        """Return all layers at points, also beyond the raster."""
        return self.layers(self.insar.layers(self.insar.fields(longitude, latitude)))


@dataclass(frozen=True)
class Sampled:
    """The arrays of one product, NaN where it has no data."""

    truth: PairTruth
    reference: tuple[int, int]
    layers: Fields


def sample(
    truth: PairTruth, wanted: tuple[str, ...], looks: float, rng: np.random.Generator | None
) -> Sampled:
    """Evaluate a product on its grid, choose the reference point and add noise.

    Parameters
    ----------
    wanted
        Layers to return.
    looks
        Independent looks of a pixel.
    rng
        Source of noise; None leaves the truth alone.
    """
    shape = truth.placement.shape
    exact = rng is None or shape[0] * shape[1] <= EXACT_PIXELS
    kind = np.float64 if exact else np.float32
    pieces = {"phase": kind, "corr": kind, "amp": kind, "lv_theta": kind, "dem": kind}
    pieces |= {"lv_phi": kind, "inc_map": kind, "inc_map_ell": kind}
    switches = ("seen", "bright", "unwrapped", "land", "north_side")
    needed = {"phase", "corr", "lv_theta"} | set(wanted)
    parts: Fields = {name: np.empty(shape, kind) for name in pieces if name in needed}
    parts |= {name: np.empty(shape, bool) for name in switches}
    place = truth.placement
    for down, right, fields in blocks(
        place.transform, shape, place.epsg, truth.insar.fields, exact
    ):
        values = truth.insar.layers(fields)
        for name, array in parts.items():
            array[down, right] = values[name]
    candidates = np.where(parts["unwrapped"] & parts["land"], parts["corr"], -1)
    row, column = (int(part) for part in np.unravel_index(candidates.argmax(), shape))
    if not truth.isce:
        constant = float(parts["phase"][row, column])
        if not exact:
            constant = _phase_at(truth, row, column)
            parts["phase"][row, column] = constant
        truth = replace(truth, constant=constant)
    if rng is not None:
        _disturb(parts, rng, looks, (row, column))
    made = truth.layers(parts)
    return Sampled(truth, (row, column), {name: made[name] for name in wanted})


def _disturb(
    parts: Fields, rng: np.random.Generator, looks: float, reference: tuple[int, int]
) -> None:
    """Add noise to phase, coherence and amplitude, but none to the reference point's phase."""
    change = noise.phase_noise(rng, parts["corr"], looks)
    change[reference] = 0
    parts["phase"] += change
    corr = noise.coherence_noise(rng, parts["corr"], looks)
    corr[reference] = np.nanmax(corr)
    parts["corr"] = corr
    if "amp" in parts:
        parts["amp"] = noise.speckle(rng, parts["amp"], looks)


def _phase_at(truth: PairTruth, row: int, column: int) -> float:
    """Return the absolute phase at a pixel center."""
    place = truth.placement
    to_geographic = Transformer.from_crs(place.epsg, 4326, always_xy=True)
    x, y = place.transform * (column + 0.5, row + 0.5)
    longitude, latitude = to_geographic.transform(np.array([x]), np.array([y]))
    return float(truth.insar.layers(truth.insar.fields(longitude, latitude))["phase"][0])
