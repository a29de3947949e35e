"""A small map of where on Earth a stack lies, as SVG: land in outlines, the area in a color."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from ..pages.svg import label, line
from .overview import center

_Place = Callable[[float, float], tuple[float, float]]

_LAND = Path(__file__).resolve().with_name("land.json")
"""Outlines of land: Natural Earth (public domain), merged and simplified."""

_WIDTH, _HEIGHT = 420, 260
_DEGREES = 44.0
"""Degrees of latitude that are as long as the map is wide."""

_LINES = 10
"""Degrees from one line of the graticule to the next."""

_LEAST_PIXELS = 8.0
"""An area that looks smaller is marked with a ring."""

_NEAREST_POLE = 80.0


def draw_area(footprint: Sequence[tuple[float, float]]) -> str:
    """Return the map around an area."""
    middle = center(tuple(footprint))
    shrink = math.cos(math.radians(max(-_NEAREST_POLE, min(_NEAREST_POLE, middle[1]))))
    scale = _WIDTH / _DEGREES

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        x = _WIDTH / 2 + (longitude - middle[0]) * shrink * scale
        return x, _HEIGHT / 2 - (latitude - middle[1]) * scale

    parts = [
        f'<svg class="plot map" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        'aria-label="Where the stack lies">'
    ]
    for ring in _land():
        for turn in (-360.0, 0.0, 360.0):
            places = [place(x + turn, y) for x, y in ring]
            if _shows(places):
                parts.append(_polygon(places, "land"))
    parts += _graticule(middle, _DEGREES / 2 / shrink, place)
    places = [place(x, y) for x, y in footprint]
    parts.append(_polygon(places, "area"))
    size = max(max(values) - min(values) for values in zip(*places, strict=True))
    if size < _LEAST_PIXELS:
        x, y = place(*middle)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" class="ring"/>')
    return "".join([*parts, "</svg>"])


@lru_cache(maxsize=1)
def _land() -> tuple[tuple[tuple[float, float], ...], ...]:
    rings = json.loads(_LAND.read_text(encoding="utf-8"))["rings"]
    return tuple(
        tuple((x / 10, y / 10) for x, y in zip(ring[::2], ring[1::2], strict=True))
        for ring in rings
    )


def _shows(places: Sequence[tuple[float, float]]) -> bool:
    x, y = zip(*places, strict=True)
    return max(x) > 0 and min(x) < _WIDTH and max(y) > 0 and min(y) < _HEIGHT


def _polygon(places: Iterable[tuple[float, float]], kind: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polygon points="{points}" class="{kind}"/>'


def _graticule(middle: tuple[float, float], reach: float, place: _Place) -> list[str]:
    """Return lines of longitude and latitude with their labels."""
    parts = []
    for longitude in _rounds(middle[0], reach):
        x, _ = place(longitude, 0.0)
        parts.append(line(x, 0, x, _HEIGHT, "grid"))
        turned = (longitude + 180) % 360 - 180
        parts.append(label(x, _HEIGHT - 5, _degrees(turned, "E", "W")))
    for latitude in _rounds(middle[1], _DEGREES / 2 * _HEIGHT / _WIDTH):
        if abs(latitude) <= 90:
            _, y = place(0.0, latitude)
            parts.append(line(0, y, _WIDTH, y, "grid"))
            parts.append(label(5, y - 3, _degrees(latitude, "N", "S"), "start"))
    return parts


def _rounds(middle: float, reach: float) -> list[float]:
    step = _LINES if reach < 60 else 3 * _LINES
    first, last = math.ceil((middle - reach) / step), math.floor((middle + reach) / step)
    return [float(step * number) for number in range(first, last + 1)]


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}°{positive if value > 0 else negative if value < 0 else ''}"
