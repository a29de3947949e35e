"""Plots of an inversion's report, as SVG in the style of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from ...pages.svg import date_labels, label, line, ticks

Numbers = NDArray[np.float64]

_WIDTH = 860
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 18, 40


@dataclass(frozen=True)
class _Axes:
    """A frame of some size with scales from data to places in it."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int
    height: int

    @classmethod
    def around(cls, x: Numbers, y: Numbers, width: int, height: int) -> _Axes:
        """Leave some room around the data."""
        ends = []
        for values in (x, y):
            low, high = float(np.nanmin(values)), float(np.nanmax(values))
            room = 0.06 * (high - low) or 1.0
            ends.append((low - room, high + room))
        return cls(ends[0], ends[1], width, height)

    def right(self, value: float) -> float:
        low, high = self.x
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - _RIGHT)

    def down(self, value: float) -> float:
        low, high = self.y
        height = self.height - _TOP - _BOTTOM
        return self.height - _BOTTOM - (value - low) / (high - low) * height

    def wrap(self, about: str, unit: str, parts: Sequence[str]) -> str:
        """Return the plot with its frame, horizontal lines and unit."""
        middle = (self.height - _BOTTOM + _TOP) / 2
        frame = [
            f'<svg class="plot" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{escape(about)}">',
            f'<rect x="{_LEFT}" y="{_TOP}" width="{self.width - _LEFT - _RIGHT}" '
            f'height="{self.height - _TOP - _BOTTOM}" class="frame"/>',
        ]
        for value in ticks(*self.y):
            frame.append(
                line(_LEFT, self.down(value), self.width - _RIGHT, self.down(value), "grid")
            )
            frame.append(label(_LEFT - 8, self.down(value) + 4, f"{value:g}", "end"))
        frame.append(
            f'<text x="14" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 14 {middle})">{escape(unit)}</text>'
        )
        return "".join([*frame, *parts, "</svg>"])

    def dates(self, times: NDArray[np.datetime64], days: Numbers) -> list[str]:
        """Return the labels of some dates below the frame."""
        places = [self.right(day) for day in days]
        return date_labels(places, times.astype("datetime64[D]"), self.height - 20, self.width)


def draw_date_noise(
    times: NDArray[np.datetime64], millimeters: Numbers, outliers: NDArray[np.bool_]
) -> str:
    """Draw the noise of each date; outliers are named."""
    days = _days(times)
    axes = _Axes.around(days, np.append(millimeters, 0.0), _WIDTH, 240)
    axes = _Axes(axes.x, (0.0, axes.y[1]), _WIDTH, 240)
    parts = axes.dates(times, days)
    for day, value, time, is_outlier in zip(days, millimeters, times, outliers, strict=True):
        here, top = axes.right(day), axes.down(value)
        parts.append(line(here, axes.down(0.0), here, top, "stem"))
        title = f"{time.astype('datetime64[D]')}: {value:.1f} mm"
        parts.append(_dot(here, top, title, "#b3261e" if is_outlier else None))
    return axes.wrap("Residuals of the dates", "mm", parts)


def draw_histogram(counts: Numbers, low: float, high: float, limit: float, about: str) -> str:
    """Draw shares of pixels in bins of equal width; bins below a limit are gray."""
    shares = 100 * counts / max(float(counts.sum()), 1.0)
    axes = _Axes((low, high), (0.0, max(float(shares.max()) * 1.06, 1.0)), _WIDTH, 240)
    edges = np.linspace(low, high, counts.size + 1)
    parts = [label(axes.right(value), axes.height - 20, f"{value:g}") for value in ticks(low, high)]
    for share, left, right in zip(shares, edges, edges[1:], strict=False):
        fill = "#b8c2cc" if right <= limit + 1e-9 else "#3d5a80"
        parts.append(
            f'<rect x="{axes.right(left):.1f}" y="{axes.down(share):.1f}" '
            f'width="{axes.right(right) - axes.right(left) - 1:.1f}" '
            f'height="{axes.down(0.0) - axes.down(share):.1f}" fill="{fill}">'
            f"<title>{left:.2f} to {right:.2f}: {share:.1f} % of the pixels</title></rect>"
        )
    return axes.wrap(about, "% of pixels", parts)


def draw_series(
    times: NDArray[np.datetime64], millimeters: Numbers, velocity: float, about: str
) -> str:
    """Draw the displacement of a pixel and a line of its velocity (mm/year)."""
    days = _days(times)
    axes = _Axes.around(days, millimeters, 420, 220)
    parts = axes.dates(times, days)
    middle = days - days.mean()
    fitted = np.mean(millimeters) + velocity * middle / 365.25
    ends = [(axes.right(days[n]), axes.down(float(np.clip(fitted[n], *axes.y)))) for n in (0, -1)]
    parts.append(
        f'<line x1="{ends[0][0]:.1f}" y1="{ends[0][1]:.1f}" x2="{ends[1][0]:.1f}" '
        f'y2="{ends[1][1]:.1f}" stroke="#e0a030" stroke-width="2"/>'
    )
    for day, value, time in zip(days, millimeters, times, strict=True):
        title = f"{time.astype('datetime64[D]')}: {value:.1f} mm"
        parts.append(_dot(axes.right(day), axes.down(value), title))
    return axes.wrap(about, "mm", parts)


def _days(times: NDArray[np.datetime64]) -> Numbers:
    days: Numbers = (times - times[0]) / np.timedelta64(1, "D")
    return days


def _dot(x: float, y: float, title: str, fill: str | None = None) -> str:
    style = f' style="fill:{fill}"' if fill else ""
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="dot"{style}>'
        f"<title>{escape(title)}</title></circle>"
    )
