"""Parts of plots in SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

_DATE = 96
"""Width that the label of a date takes."""


def ticks(low: float, high: float) -> list[float]:
    """Return at most seven round numbers between two."""
    size = 10 ** math.floor(math.log10((high - low) / 4))
    step = next(size * n for n in (1, 2, 5, 10) if (high - low) / (size * n) <= 6)
    return [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Return a line of a class of the page's style."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>'


def label(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """Return a text at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def date_labels(
    places: Iterable[float], days: Iterable[object], y: float, width: float
) -> list[str]:
    """Return the labels of those days, in their order from left to right, that have room."""
    labels, free = [], 0.0
    for place, day in zip(places, days, strict=True):
        if place >= free:
            free = place + _DATE
            labels.append(label(min(place, width - _DATE / 2), y, str(day)))
    return labels
