"""What a reader wants to know of a stack first, and what of it needs attention."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack
from ..network.pair_network import PairNetwork

Numbers = NDArray[np.float64]

_POINT = re.compile(r"(-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?)")
_LISTED = 3
_LITTLE = 0.5
"""Share of the usual coverage below which that of a step is named."""

_LOW_COHERENCE = 0.25
_LONG_GAP = 2.5
"""Times the usual time between acquisitions that a gap is longer than."""


@dataclass(frozen=True)
class StepFacts:
    """A pair or a date in the table; NaN where something is not known."""

    # Days, written year-month-day; equal for a date.
    reference: str
    secondary: str
    days: float  # between the two
    baseline: float  # perpendicular, in meters
    coherence: float  # mean of all pixels
    valid: float  # share of the pixels of the grid that have data

    @property
    def label(self) -> str:
        """Both days, or the only one."""
        same = self.reference == self.secondary
        return self.reference if same else f"{self.reference} to {self.secondary}"


@dataclass(frozen=True)
class Overview:
    """What is said of a stack first."""

    facts: tuple[tuple[str, str], ...]  # names and values
    steps: tuple[StepFacts, ...]  # pairs or dates, in the order of the stack
    attention: tuple[str, ...]  # sentences on what a user should look at
    # Longitude and latitude of the corners of the area with data; empty where not known.
    footprint: tuple[tuple[float, float], ...]


def read_overview(stack: WrittenStack) -> Overview:
    """Read what a stack says of itself; whatever is missing or damaged is left out."""
    steps = _steps(stack)
    footprint = tuple(
        (float(x), float(y)) for x, y in _POINT.findall(stack.text("footprint").partition("((")[2])
    )
    if not all(abs(x) <= 360 and abs(y) <= 90 for x, y in footprint):
        footprint = ()
    return Overview(
        tuple(_facts(stack, steps, footprint)),
        tuple(steps),
        tuple(_attention(stack, steps)),
        footprint,
    )


def _steps(stack: WrittenStack) -> list[StepFacts]:
    count = stack.raw.sizes[stack.dimension]
    names = ("reference_time", "secondary_time") if stack.is_insar else ("time", "time")
    first, second = (stack.instants(name) for name in names)
    if first is None or second is None or {first.size, second.size} != {count}:
        return []
    days = [side.astype("datetime64[D]") for side in (first, second)]
    numbers = [
        _numbers(stack, name, count)
        for name in ("perpendicular_baseline", "coherence_mean", "valid_fraction")
    ]
    return [
        StepFacts(
            str(days[0][n]),
            str(days[1][n]),
            float((days[1][n] - days[0][n]) / np.timedelta64(1, "D")),
            *(float(values[n]) for values in numbers),
        )
        for n in range(count)
        if not (np.isnat(days[0][n]) or np.isnat(days[1][n]))
    ]


def _numbers(stack: WrittenStack, name: str, count: int) -> Numbers:
    """Return a number for each step, NaN where it is not known."""
    values = stack.values(name)
    if values is None or values.shape != (count,) or values.dtype.kind not in "iuf":
        return np.full(count, np.nan)
    return values.astype(np.float64)


def _facts(
    stack: WrittenStack, steps: list[StepFacts], footprint: tuple[tuple[float, float], ...]
) -> list[tuple[str, str]]:
    sizes, crs = stack.raw.sizes, stack.crs()
    bits = {name: stack.attribute("quantization_nsb", name) for name in stack.layers}
    rounded = [f"{name} to {kept} bits" for name, kept in bits.items() if kept is not None]
    noun = "Pairs" if stack.is_insar else "Dates"
    number = stack.text("number_of_acquisitions") or "an unknown number of"
    count = f"{sizes[stack.dimension]}"
    facts = [
        ("Area", _area(stack, footprint)),
        ("Period", _period(steps)),
        (noun, f"{count}, of {number} acquisitions" if stack.is_insar else count),
        ("Path, direction", _path(stack)),
        ("Satellite", stack.text("platform")),
        ("Data", _range([100 * step.valid for step in steps], "% of the pixels of each step")),
        ("Coherence", _range([step.coherence for step in steps], "on average of each pair", 2)),
        ("Product type", stack.text("product_type")),
        ("Layers", ", ".join(sorted(stack.layers))),
        ("Grid", f"{sizes['x']} x {sizes['y']} pixels of {stack.text('column_spacing')} m"),
        ("CRS", crs.name if crs else "none"),
        ("Form", stack.form),
        ("Rounded", ", ".join(rounded)),
    ]
    return [(name, text) for name, text in facts if text]


def _area(stack: WrittenStack, footprint: tuple[tuple[float, float], ...]) -> str:
    texts = []
    if footprint:
        x, y = center(footprint)
        sides = f"{abs(y):.2f}° {'N' if y >= 0 else 'S'}", f"{abs(x):.2f}° {'E' if x >= 0 else 'W'}"
        texts.append(", ".join(sides))
    box = np.ravel(stack.attribute("bounding_box"))
    crs = stack.crs()
    if box.size == 4 and box.dtype.kind in "iuf" and crs is not None and crs.is_projected:
        texts.append(f"{(box[2] - box[0]) / 1000:.0f} x {(box[3] - box[1]) / 1000:.0f} km")
    return "; ".join(texts)


def center(footprint: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    """Return longitude and latitude of the middle of an area."""
    x, y = (sorted(values) for values in zip(*footprint, strict=True))
    return (x[0] + x[-1]) / 2, (y[0] + y[-1]) / 2


def _period(steps: list[StepFacts]) -> str:
    if not steps:
        return ""
    first = min(step.reference for step in steps)
    last = max(step.secondary for step in steps)
    days = int((np.datetime64(last) - np.datetime64(first)) / np.timedelta64(1, "D"))
    return f"{first} to {last} ({days} days)"


def _path(stack: WrittenStack) -> str:
    paths = _distinct(stack, "orbit_relative")
    directions = _distinct(stack, "pass_direction")
    return ", ".join([*(f"path {path}" for path in paths), *directions])


def _distinct(stack: WrittenStack, name: str) -> list[str]:
    values, known = stack.values(name), stack.known(name)
    if values is None or known is None:
        return []
    words = _meanings(stack, name)
    texts = [
        value if isinstance(value, str) else words.get(float(value), f"{value:g}")
        for value in values[known].ravel()
    ]
    return list(dict.fromkeys(texts))


def _meanings(stack: WrittenStack, name: str) -> dict[float, str]:
    """Return the words for the values of a flag; none of other variables."""
    flags = np.ravel(stack.attribute("flag_values", name))
    words = stack.text("flag_meanings", name).split()
    if flags.dtype.kind not in "iuf" or flags.size != len(words):
        return {}
    return dict(zip(flags.astype(float).tolist(), words, strict=True))


def _range(values: list[float], what: str, decimals: int = 0) -> str:
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return ""
    low, high = (f"{end:.{decimals}f}" for end in (min(known), max(known)))
    return f"{low if low == high else f'{low} to {high}'} {what}"


def _attention(stack: WrittenStack, steps: list[StepFacts]) -> list[str]:
    found: list[str] = []
    if not steps:
        return found
    valid = np.array([step.valid for step in steps])
    if np.isfinite(valid).any():
        usual = float(np.nanmedian(valid))
        few = [step for step in steps if step.valid < _LITTLE * usual]
        found += _named(few, f"less than half as many pixels with data as usual ({usual:.0%})")
    found += _named(
        [step for step in steps if step.coherence < _LOW_COHERENCE],
        f"a mean coherence below {_LOW_COHERENCE:g}",
    )
    network = PairNetwork.of_pairs(
        np.array([step.reference for step in steps], "datetime64[D]"),
        np.array([step.secondary for step in steps], "datetime64[D]"),
    )
    found += [
        f"No acquisition from {begin} to {end} ({days} days)."
        for begin, end, days in gaps(network.times)
    ]
    if not stack.is_insar:
        return found
    if network.component_count > 1:
        found.append(
            f"The network has {network.component_count} parts that no pair connects: displacement "
            "between them is not known."
        )
    ends = np.bincount(np.concatenate([network.reference, network.secondary]))
    lone = network.times[ends == 1]
    if lone.size:
        verb = "is" if lone.size == 1 else "are"
        found.append(
            f"{_some([str(day) for day in lone])} {verb} in one pair only, whose errors nothing "
            "shows."
        )
    return found


def gaps(times: NDArray[np.datetime64]) -> list[tuple[str, str, int]]:
    """Return the days before and after long gaps between acquisitions, and their lengths."""
    days = np.unique(times.astype("datetime64[D]"))
    apart = np.diff(days) / np.timedelta64(1, "D")
    if not apart.size:
        return []
    long = np.flatnonzero(apart > _LONG_GAP * np.median(apart))
    return [(str(days[n]), str(days[n + 1]), int(apart[n])) for n in long]


def _named(steps: list[StepFacts], what: str) -> list[str]:
    if not steps:
        return []
    verb = "has" if len(steps) == 1 else "have"
    return [f"{_some([step.label for step in steps])} {verb} {what}."]


def _some(names: list[Any]) -> str:
    shown = ", ".join(names[:_LISTED])
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown
