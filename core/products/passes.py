"""Passes: frames that one satellite took one after the other along one orbit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from .product import Product

_LONGEST_GAP = timedelta(minutes=10)
"""Frames of a pass follow each other within half a minute; the next pass is 98 minutes later."""


def group_passes(products: Sequence[Product]) -> list[tuple[Product, ...]]:
    """Group backscatter products by pass.

    Parameters
    ----------
    products
        RTC products in the order of their times.

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
            if same and timedelta(0) < name.times[0] - last.times[0] < _LONGEST_GAP:
                group.append(product)
                break
        else:
            passes.append([product])
    return [tuple(group) for group in passes]
