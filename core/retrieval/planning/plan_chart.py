"""A planned network by date and perpendicular baseline: as lines of a layer, and as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...pages.svg import date_labels, label, line, ticks
from ...parameters.network_parameters import RULE_COLORS
from .pair_plan import PairPlan, StackPlan, stack_area
from .pair_rules import Pair

_WIDTH, _HEIGHT = 860, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 18, 62
_UNKNOWN = _HEIGHT - _BOTTOM + 14
"""Where dates without a baseline are drawn, below the frame."""
_LEAST_DEGREES = 0.05
_BETWEEN = 1.15
"""Heights of a box from the top of one to that of the next."""


@dataclass(frozen=True)
class ChartPlaces:
    """Where the dates of a network are drawn."""

    across: NDArray[np.float64]  # time since the first date as a share of the whole, shape (dates,)
    # Perpendicular baseline against the first date that has one, NaN where unknown; shape (dates,).
    meters: NDArray[np.float64]

    @classmethod
    def of(cls, plan: StackPlan) -> ChartPlaces:
        """Place the dates of a network."""
        days = np.array([day.toordinal() for day in plan.network.days], "float64")
        known = np.flatnonzero(~np.isnan(np.diagonal(plan.network.baselines)))
        meters = plan.network.baselines[known[0] if known.size else 0]
        return cls((days - days[0]) / (days[-1] - days[0]), meters)

    @property
    def limits(self) -> tuple[float, float]:
        """Lowest and highest baseline, with some room."""
        if np.isnan(self.meters).all():
            return -1.0, 1.0
        low, high = float(np.nanmin(self.meters)), float(np.nanmax(self.meters))
        room = 0.08 * (high - low) or 1.0
        return low - room, high + room

    @property
    def up(self) -> NDArray[np.float64]:
        """Baseline as a share of the limits; 0 where unknown."""
        low, high = self.limits
        return np.nan_to_num((self.meters - low) / (high - low), nan=0.0)


def pair_lines(plan: PairPlan) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the line of each pair, by the names of all its scenes, as GeoJSON has it.

    The network is drawn over the area of its stack: time from west to east, perpendicular baseline
    from south to north. Networks of further stacks are drawn below the first.
    """
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    top = None
    for item in plan.stacks:
        area = stack_area(item.stack)
        west, south, east, north = area.outline.bounds if area else (-0.5, -0.5, 0.5, 0.5)
        width, height = max(east - west, _LEAST_DEGREES), max(north - south, _LEAST_DEGREES)
        top = north if top is None else max(top - _BETWEEN * height, -90 + height)
        places = ChartPlaces.of(item)
        for first, second in item.network.pairs:
            ends = [
                [
                    round(west + places.across[position] * width, 6),
                    round(top - (1 - places.up[position]) * height, 6),
                ]
                for position in (first, second)
            ]
            days = [item.network.days[position] for position in (first, second)]
            names = (scene.granule for day in days for scene in item.stack.passes[day])
            lines[tuple(names)] = {"type": "LineString", "coordinates": ends}
    return lines


def draw_plan(item: StackPlan) -> str:
    """Return the network of a stack as an SVG element, dates without a baseline hollow below it."""
    network, places = item.network, ChartPlaces.of(item)
    low, high = places.limits
    bottom = _HEIGHT - _BOTTOM

    def x(position: int) -> float:
        return float(_LEFT + (0.02 + 0.96 * places.across[position]) * (_WIDTH - _LEFT - _RIGHT))

    def y(position: int) -> float:
        if np.isnan(places.meters[position]):
            return float(_UNKNOWN)
        return float(bottom - places.up[position] * (bottom - _TOP))

    parts = [
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="Network of pairs, {escape(item.stack.label)}">',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" '
        f'height="{bottom - _TOP}" class="frame"/>',
    ]
    for value in ticks(low, high):
        down = bottom - (value - low) / (high - low) * (bottom - _TOP)
        parts.append(line(_LEFT, down, _WIDTH - _RIGHT, down, "grid"))
        parts.append(label(_LEFT - 8, down + 4, f"{value:g}", "end"))
    parts += date_labels(map(x, range(len(network.days))), network.days, _HEIGHT - 24, _WIDTH)

    def text(pair: Pair) -> str:
        first, second = (network.days[position] for position in pair)
        baseline = network.baselines[pair]
        baseline_text = "baseline unknown" if np.isnan(baseline) else f"{baseline:.0f} m"
        return f"{first} to {second}: {(second - first).days} days, {baseline_text}, {rules[pair]}"

    rules = network.rule_of
    # What is rare is drawn last, so that it is seen.
    for pair in sorted(network.pairs, key=lambda pair: list(RULE_COLORS).index(rules[pair])):
        first, second = pair
        parts.append(
            f'<line x1="{x(first):.1f}" y1="{y(first):.1f}" x2="{x(second):.1f}" '
            f'y2="{y(second):.1f}" stroke="{RULE_COLORS[rules[pair]]}" stroke-width="1.6">'
            f"<title>{escape(text(pair))}</title></line>"
        )
    for position, day in enumerate(network.days):
        is_known = not np.isnan(places.meters[position])
        hollow = "" if is_known else ' style="fill:none;stroke:#5b6875;stroke-width:2"'
        baseline_text = f"{places.meters[position]:.0f} m" if is_known else "baseline unknown"
        parts.append(
            f'<circle cx="{x(position):.1f}" cy="{y(position):.1f}" r="4.5" class="dot"{hollow}>'
            f"<title>{day}, {baseline_text}</title></circle>"
        )
    middle = (bottom + _TOP) / 2
    parts.append(
        f'<text x="16" y="{middle}" text-anchor="middle" '
        f'transform="rotate(-90 16 {middle})">perpendicular baseline (m)</text>'
    )
    used = [rule for rule in RULE_COLORS if rule in rules.values()]
    for number, rule in enumerate(used):
        left = _LEFT + 110 * number
        parts.append(
            f'<line x1="{left}" y1="{_HEIGHT - 8}" x2="{left + 22}" y2="{_HEIGHT - 8}" '
            f'stroke="{RULE_COLORS[rule]}" stroke-width="3"/>'
        )
        parts.append(label(left + 28, _HEIGHT - 4, rule, "start"))
    if np.isnan(places.meters).any():
        parts.append(label(_WIDTH - _RIGHT, _HEIGHT - 4, "hollow: baseline unknown", "end"))
    return "".join([*parts, "</svg>"])
