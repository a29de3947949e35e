"""The acquisitions of a stack in time, and the pairs between them, drawn as SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

import numpy as np
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack
from ..pages.svg import label, line, ticks
from .overview import gaps
from .pictures import color

_WIDTH, _HEIGHT = 860, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 110, 18, 44
_MOST_TICKS = 8


@dataclass(frozen=True)
class Network:
    """What is drawn."""

    times: tuple[datetime, ...]  # UTC start of each acquisition
    # Perpendicular baseline against the first acquisition in meters, or share of valid pixels.
    heights: NDArray[np.float64]
    # Positions of reference and secondary in ``times``; empty for backscatter.
    pairs: tuple[tuple[int, int], ...]
    weights: NDArray[np.float64]  # quality of each pair from 0 to 1, NaN where it is not known
    measure: str = "mean coherence"  # what the quality is


def read_network(stack: WrittenStack) -> Network | None:
    """Read acquisitions and pairs of a stack, None where something is missing.

    Baselines of pairs are differences of positions; the positions are their least-squares solution
    with the first acquisition of each connected part near zero.
    """
    instants = stack.instants("acquisition_time" if stack.is_insar else "time")
    if instants is None or np.isnat(instants).any():
        return None
    try:
        times = tuple(datetime.fromisoformat(str(instant)) for instant in instants)
    except ValueError:  # beyond the calendar
        return None
    if not stack.is_insar:
        shares = stack.values("valid_fraction")
        if shares is None or shares.size != len(times):
            return None
        return Network(times, shares, (), np.empty(0))
    sides = [stack.values(f"{side}_acquisition") for side in ("reference", "secondary")]
    baselines = stack.values("perpendicular_baseline")
    if baselines is None or sides[0] is None or sides[1] is None:
        return None
    first, second = (
        np.nan_to_num(side, nan=0).astype(int) - 1 for side in sides if side is not None
    )
    if min(first.min(), second.min()) < 0 or max(first.max(), second.max()) >= len(times):
        return None
    known = ~np.isnan(baselines)
    design = np.zeros((int(known.sum()), len(times)))
    rows = np.arange(design.shape[0])
    design[rows, second[known]] = 1.0
    design[rows, first[known]] = -1.0
    heights = np.linalg.lstsq(design, baselines[known], rcond=None)[0]
    weights = stack.values("coherence_mean")
    if weights is None or weights.size != first.size:
        weights = np.full(first.size, np.nan)
    pairs = tuple(zip(first.tolist(), second.tolist(), strict=True))
    return Network(times, heights - heights[0], pairs, weights)


def draw_network(network: Network) -> str:
    """Return the plot as an SVG element."""
    is_insar = bool(network.pairs)
    days = np.array([(time - network.times[0]) / timedelta(days=1) for time in network.times])
    low, high = (float(network.heights.min()), float(network.heights.max())) if is_insar else (0, 1)
    margin = 0.08 * (high - low) or 1.0
    low, high = (low - margin, high + margin) if is_insar else (0.0, 1.0)
    span = float(days.max()) or 1.0

    def x(day: float) -> float:
        return _LEFT + (0.02 + 0.96 * day / span) * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{"Network of pairs" if is_insar else "Dates"}">',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{_HEIGHT - _TOP - _BOTTOM}" class="frame"/>',
    ]
    for begin, end, length in gaps(np.array(network.times, "datetime64[us]")):
        left, right = (
            x(float((np.datetime64(day) - np.datetime64(network.times[0], "D")).astype(int)))
            for day in (begin, end)
        )
        parts.append(
            f'<rect x="{left:.1f}" y="{_TOP}" width="{right - left:.1f}" '
            f'height="{_HEIGHT - _TOP - _BOTTOM}" class="gap">'
            f"<title>no acquisition from {begin} to {end} ({length} days)</title></rect>"
        )
    for value in ticks(low, high):
        parts.append(line(_LEFT, y(value), _WIDTH - _RIGHT, y(value), "grid"))
        parts.append(label(_LEFT - 8, y(value) + 4, f"{value:g}", "end"))
    step = max(1, math.ceil(len(days) / _MOST_TICKS))
    for number in range(0, len(days), step):
        parts.append(label(x(days[number]), _HEIGHT - 24, f"{network.times[number]:%Y-%m-%d}"))
    for number in _by_weight(network.weights):
        one, other = network.pairs[number]
        weight = network.weights[number]
        stroke = "#9aa5b1" if math.isnan(weight) else color(weight)
        title = f"{network.times[one]:%Y-%m-%d} to {network.times[other]:%Y-%m-%d}"
        if not math.isnan(weight):
            title += f", {network.measure} {weight:.2f}"
        parts.append(
            f'<line x1="{x(days[one]):.1f}" y1="{y(network.heights[one]):.1f}" '
            f'x2="{x(days[other]):.1f}" y2="{y(network.heights[other]):.1f}" '
            f'stroke="{stroke}" stroke-width="2"><title>{escape(title)}</title></line>'
        )
    for number, day in enumerate(days):
        here, value = x(day), float(network.heights[number])
        title = f"{network.times[number]:%Y-%m-%d %H:%M:%S} UTC"
        if not is_insar:
            title += f", {100 * value:.0f} % of the pixels"
            parts.append(line(here, y(0.0), here, y(value), "stem"))
        parts.append(
            f'<circle cx="{here:.1f}" cy="{y(value):.1f}" r="4.5" class="dot">'
            f"<title>{escape(title)}</title></circle>"
        )
    caption = "perpendicular baseline (m)" if is_insar else "share of pixels with data"
    middle = (_HEIGHT - _BOTTOM + _TOP) / 2
    parts.append(
        f'<text x="16" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 16 {middle})">{caption}</text>'
    )
    if is_insar and not np.isnan(network.weights).all():
        parts.append(_legend(network.measure))
    return "".join([*parts, "</svg>"])


def _by_weight(weights: NDArray[np.float64]) -> list[int]:
    """Return the order of drawing: coherent pairs on top."""
    return [int(number) for number in np.argsort(np.nan_to_num(weights, nan=-1.0), kind="stable")]


def _legend(measure: str) -> str:
    left, height = _WIDTH - _RIGHT + 28, 160
    steps = 40
    bars = [
        f'<rect x="{left}" y="{_TOP + 22 + height * n / steps:.1f}" width="14" '
        f'height="{height / steps + 0.5:.1f}" fill="{color(1 - n / (steps - 1))}"/>'
        for n in range(steps)
    ]
    labels = [
        label(left + 20, _TOP + 26 + height * (1 - value), f"{value:g}", "start")
        for value in (0, 0.5, 1)
    ]
    return "".join([label(_WIDTH, _TOP + 10, measure, "end"), *bars, *labels])
