"""Checks that numbers along the steps and of the scene can be what they say they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack
from ..products.product_types import PRODUCT_TYPES

LIMITS: dict[str, tuple[float, float]] = {
    "perpendicular_baseline": (-5_000.0, 5_000.0),
    "parallel_baseline": (-5_000.0, 5_000.0),
    "heading": (0.0, 360.0),
    "slant_range_near": (700e3, 1_100e3),
    "slant_range_center": (700e3, 1_100e3),
    "slant_range_far": (700e3, 1_100e3),
    "looks_range": (1.0, 1_000.0),
    "looks_azimuth": (1.0, 1_000.0),
    "phase_filter_parameter": (0.0, 1.0),
    "dem_spacing": (1.0, 1_000.0),
    "hyp3_reference_longitude": (-180.0, 180.0),
    "hyp3_reference_latitude": (-90.0, 90.0),
    "scene_center_longitude": (-180.0, 180.0),
    "scene_center_latitude": (-90.0, 90.0),
    "spacecraft_height": (600e3, 800e3),
    "earth_radius": (6_350e3, 6_385e3),
    "incidence_near": (15.0, 60.0),
    "incidence_center": (15.0, 60.0),
    "incidence_far": (15.0, 60.0),
    "radiation_wavelength": (0.055, 0.056),
    "radar_frequency": (5.4e9, 5.41e9),
    "coherence_mean": (0.0, 1.0),
    "coherence_std": (0.0, 1.0),
    "valid_fraction": (0.0, 1.0),
}
"""Least and largest value of numbers that are not pixels, in the units of :data:`UNITS`.

Orbits and looks are those of Sentinel-1 (693 km high, its baselines kept within a tube of some
hundred meters; modes IW and EW); coherence and shares are what they are by definition.
"""

UNITS = {
    "m": "perpendicular_baseline parallel_baseline slant_range_near slant_range_center "
    "slant_range_far dem_spacing spacecraft_height earth_radius radiation_wavelength",
    "degree": "heading hyp3_reference_longitude hyp3_reference_latitude scene_center_longitude "
    "scene_center_latitude incidence_near incidence_center incidence_far",
    "1": "looks_range looks_azimuth phase_filter_parameter coherence_mean coherence_std "
    "valid_fraction orbit_absolute orbit_relative",
    "radian": "hyp3_reference_phase",
    "day": "temporal_baseline",
    "Hz": "radar_frequency",
}
"""Units of numbers that are not pixels."""

_ROUNDING = 1e-6
_UNIT_LENGTH = 1e-3
"""Largest deviation of a unit vector's length from 1."""


def limits(stack: WrittenStack) -> Iterator[str]:
    """Yield numbers that are beyond what Sentinel-1 and the definition of a quantity allow."""
    for name, (low, high) in LIMITS.items():
        values = stack.values(name)
        if values is None or values.dtype.kind != "f":
            continue
        room = _ROUNDING * (high - low)
        known = values[~np.isnan(values)]
        wrong = known[~((known >= low - room) & (known <= high + room))]
        if wrong.size:
            yield f"{name} is {wrong.flat[0]:g}, which is not from {low:g} to {high:g}"
    for names in (
        ("slant_range_near", "slant_range_center", "slant_range_far"),
        ("incidence_near", "incidence_center", "incidence_far"),
    ):
        yield from _ascending(stack, names)


def _ascending(stack: WrittenStack, names: tuple[str, ...]) -> Iterator[str]:
    """Yield neighbors of which the latter is less."""
    present = [(name, values) for name in names if (values := stack.values(name)) is not None]
    for (one, lower), (other, upper) in zip(present, present[1:], strict=False):
        if (np.subtract(upper, lower) < -_ROUNDING).any():
            yield f"{one} is larger than {other}"


def units(stack: WrittenStack) -> Iterator[str]:
    """Yield numbers and layers that are not in the units of their quantity."""
    for unit, names in UNITS.items():
        for name in names.split():
            stated = stack.text("units", name)
            if stated and stated != unit:
                yield f"{name} is in {stated!r} instead of {unit!r}"
    row = PRODUCT_TYPES.get(stack.text("product_type"))
    table = {} if row is None else row.by_name
    for name in stack.layers:
        stated = stack.text("units", name)
        # Backscatter may be in decibels, which its own scale says.
        if name in table and not stack.text("scale", name) and stated != table[name].units:
            yield f"{name} is in {stated!r} instead of {table[name].units!r}"


def flags(stack: WrittenStack) -> Iterator[str]:
    """Yield flags along the steps that are none of the values with a meaning."""
    for name in map(str, stack.raw.variables):
        values = stack.values(name)
        if name in stack.layers or values is None or values.dtype.kind != "f":
            continue
        yield from unknown_flags(stack, name, values)


def unknown_flags(stack: WrittenStack, name: str, values: NDArray[Any]) -> Iterator[str]:
    """Yield what is wrong with values of a variable that has flags; missing ones are NaN."""
    meant, masks = stack.attribute("flag_values", name), stack.attribute("flag_masks", name)
    known = values[~np.isnan(values)]
    if meant is not None and np.asarray(meant).dtype.kind in "iuf":
        wrong = known[~np.isin(known, np.asarray(meant, "float64"))]
    elif masks is not None and np.asarray(masks).dtype.kind in "iu":
        wrong = known[(known < 0) | (known > int(np.bitwise_or.reduce(np.atleast_1d(masks))))]
    else:
        return
    if wrong.size:
        yield f"{name} is {wrong.flat[0]:g} somewhere, a flag without a meaning"


def vectors(stack: WrittenStack) -> Iterator[str]:
    """Yield look vectors that are not unit vectors."""
    for prefix in ("", "scene_center_"):
        parts = [stack.values(f"{prefix}look_vector_{axis}") for axis in "xyz"]
        if any(part is None for part in parts):
            continue
        length = np.sqrt(sum(np.square(part) for part in parts if part is not None))
        if (np.abs(length - 1.0) > _UNIT_LENGTH).any():
            yield f"{prefix}look_vector has a length of {float(np.max(length)):.3f} instead of 1"
