"""The paths (relative orbits) of products, also at the ascending node, where their number steps.

A frame or burst there bears the number of the orbit in which the granule around it began, so that
one ground has the path n in some products and n + 1 in others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from ..products.granules import (
    ORBIT_SECONDS,
    ORBITS_PER_CYCLE,
    orbits_of_burst,
    parse_granule,
    relative_orbit,
)
from ..products.parameter_file import SIDES
from .acquisition_times import acquisition_times

if TYPE_CHECKING:
    from ..products.product import Product

_SECONDS = 60.0
"""So far from the node lie bursts of a granule that crosses it; granules take half a minute."""

_APART = 2 * _SECONDS
"""Seconds between what bears the number of the orbit before the node, and what that after it."""

_LATITUDE = 5.0
"""Degrees; frames that cross the node reach to 3, as the radar looks across the flight."""

_DAY = 86400


@dataclass(frozen=True)
class Passage:
    """What is known about the place of a product along its orbit."""

    path: int | None  # relative orbit, 1..175; None where unknown
    start: datetime | None  # UTC start; None where no time of day is known
    at_node: bool | None  # whether it lies around the ascending node; None where unknown


def product_path(product: Product, side: int = 0) -> int | None:
    """Return the path (relative orbit) of a product, on side 1 of the secondary of a pair.

    Returns
    -------
    int or None
        From the product's name, else from the absolute orbit in its parameter file, which files
        made before hyp3-gamma 5.1 lack, else from the names of its source granules.
    """
    name = product.name
    path = name.relative_orbit
    if path is None and product.parameters is not None:
        absolute = product.parameters.integer(f"{SIDES[side]} Orbit Number")
        path = relative_orbit(name.platforms[side], absolute)
    if path is not None:
        return path
    for granule in product.granules(side):
        path = parse_granule(granule).path
        if path is not None:
            return path
    return None


def burst_numbers(product: Product, side: int = 0) -> tuple[int, ...]:
    """Return the bursts of a product, from its granules or else its name; none of frames."""
    scenes = map(parse_granule, product.granules(side))
    bursts = sorted({scene.burst for scene in scenes if scene.burst is not None})
    named = re.findall(r"(?<!\d)\d{6}(?=_IW|s\dn(?!00))", product.name.ground or "")
    return tuple(bursts or map(int, named))


def passage(product: Product, latitudes: tuple[float, float] | None) -> Passage:
    """Return where along its orbit a product lies.

    Parameters
    ----------
    latitudes
        Its southern and northern edge in degrees; None where they are not known.
    """
    start = acquisition_times(product)[0]
    has_time = not product.name.days_only or start != product.name.times[0]
    return Passage(
        product_path(product),
        start if has_time else None,
        is_at_node(burst_numbers(product), latitudes, product.is_ascending()),
    )


def is_at_node(
    bursts: Sequence[int], latitudes: tuple[float, float] | None, ascending: bool | None = None
) -> bool | None:
    """Return whether a product may lie around the ascending node; None where unknown.

    Parameters
    ----------
    bursts
        Relative numbers of its bursts; empty where they are not known.
    latitudes
        Southern and northern edge in degrees; None where they are not known.
    ascending
        Whether the satellite flew north; None where it is not known.
    """
    if ascending is False:
        return False
    share = _SECONDS / ORBIT_SECONDS
    if any(abs(orbits - round(orbits)) < share for orbits in map(orbits_of_burst, bursts)):
        return True
    if latitudes is not None:
        return abs(sum(latitudes) / 2) < _LATITUDE
    return False if bursts else None


def neighbors(path: int) -> tuple[int, int]:
    """Return the paths of the orbits before and after one of a path."""
    return (path - 2) % ORBITS_PER_CYCLE + 1, path % ORBITS_PER_CYCLE + 1


def paths_of_passages(passages: Sequence[Passage]) -> list[tuple[int, ...]]:
    """Return the paths on which the ground of each product is seen.

    Returns
    -------
    list of tuple
        The path of the product. Two of them, that before the node first (175 before 1), where
        others see what it sees on the neighboring path: around the node, at one time of the day.
        Paths one after the other reach the same latitude 99 minutes apart. Empty where the path is
        not known.
    """
    clocks: dict[int, set[int | None]] = {}
    for item in passages:
        if item.path is not None and item.at_node is not False:
            clocks.setdefault(item.path, set()).add(_clock(item))

    def paths(item: Passage) -> tuple[int, ...]:
        if item.path is None:
            return ()
        before, after = neighbors(item.path)
        for pair, other in (((before, item.path), before), ((item.path, after), after)):
            seen = clocks.get(other, ()) if item.at_node is not False else ()
            if any(_are_close(_clock(item), clock) for clock in seen):
                return pair
        return (item.path,)

    return [paths(item) for item in passages]


def _clock(item: Passage) -> int | None:
    """Return the second of the day; None where only the place is known."""
    if item.start is None:
        return None
    return (item.start.hour * 60 + item.start.minute) * 60 + item.start.second


def _are_close(one: int | None, other: int | None) -> bool:
    if one is None or other is None:
        return True
    apart = abs(one - other)
    return min(apart, _DAY - apart) <= _APART
