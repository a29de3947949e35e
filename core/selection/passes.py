"""Passes: frames that one satellite took one after the other along one orbit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..products.names import ProductName
from ..products.sentinel1 import LONGEST_GAP

if TYPE_CHECKING:
    from ..products.product import Product


def group_passes(products: Sequence[Product]) -> list[tuple[Product, ...]]:
    """Group backscatter products, in the order of their times, by pass.

    Returns
    -------
    list of tuple
        The frames of each pass, in order. A frame belongs to the pass of the frame before it where
        platform and polarization are the same and less than ten minutes lie between them.
    """
    passes: list[list[Product]] = []
    for product in products:
        name = product.name
        for group in reversed(passes):
            last = group[-1].name
            same = (last.platforms, last.polarization) == (name.platforms, name.polarization)
            if same and timedelta(0) < name.times[0] - last.times[0] < LONGEST_GAP:
                group.append(product)
                break
        else:
            passes.append([product])
    return [tuple(group) for group in passes]


def pass_starts(names: Iterable[ProductName]) -> dict[str, datetime]:
    """Return by name when the pass of each frame began, which may have been on the day before.

    Parameters
    ----------
    names
        Names of backscatter products, in any order; re-runs may be among them.
    """
    starts: dict[str, datetime] = {}
    last: dict[tuple[object, ...], ProductName] = {}
    for name in sorted(names, key=lambda name: name.times):
        before = last.get(kind := (name.platforms, name.polarization))
        follows = before is not None and name.times[0] - before.times[0] < LONGEST_GAP
        starts[name.text] = starts[before.text] if before and follows else name.times[0]
        last[kind] = name
    return starts
