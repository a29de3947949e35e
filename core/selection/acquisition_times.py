"""When the acquisitions of products began, by which they are known again in other products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar

from ..products.granules import parse_granule
from ..products.sentinel1 import LONGEST_GAP

if TYPE_CHECKING:
    from ..products.product import Product

_Item = TypeVar("_Item")


def acquisition_times(product: Product) -> tuple[datetime, ...]:
    """Return the UTC start times of a product's acquisitions, reference first.

    Midnight of the named day stands where no granule is known.

    Parameters
    ----------
    product
        One product. The names of GAMMA products hold the times. Those of ISCE products hold the
        first day of the reference and the last day of the secondary; there either began with the
        earliest granule of the parameter file, also where that was before midnight.
    """
    return tuple(
        min(starts, default=day)
        for starts, day in zip(_granule_starts(product), product.name.times, strict=True)
    )


def shared_times(products: Sequence[Product]) -> list[tuple[datetime, ...]]:
    """Return the start times of the acquisitions of products that make one stack.

    Returns
    -------
    list of tuple
        As :func:`acquisition_times` gives them. Where a product has no more than the day of an
        acquisition, that of the other products on this day stands, if there is just one.
    """
    starts_of = [_granule_starts(product) for product in products]
    began: dict[date, set[datetime]] = defaultdict(set)
    for starts in (starts for sides in starts_of for starts in sides):
        for day in {start.date() for start in starts}:
            began[day].add(min(starts))

    def known(product: Product, starts: Sequence[datetime], named: datetime) -> datetime:
        others = began[named.date()] if product.name.days_only else set()
        return min(starts or (others if len(others) == 1 else ()), default=named)

    return [
        tuple(known(product, *side) for side in zip(sides, product.name.times, strict=True))
        for product, sides in zip(products, starts_of, strict=True)
    ]


def in_step_order(items: Iterable[_Item], product_of: Callable[[_Item], Product]) -> list[_Item]:
    """Return what belongs to products in the order of the steps: by time, then by name."""
    listed = list(items)
    products = [product_of(item) for item in listed]
    keys = [
        (times, product.name.text)
        for times, product in zip(shared_times(products), products, strict=True)
    ]
    return [listed[place] for place in sorted(range(len(listed)), key=keys.__getitem__)]


def product_identity(product: Product) -> tuple[object, ...]:
    """Return what two products share when one is a re-run of the other."""
    return product.name.identity_of(acquisition_times(product))


def _granule_starts(product: Product) -> list[list[datetime]]:
    """Return when the granules of each side began; none of another pass than the name says.

    Nothing where the name holds the times.
    """
    if not product.name.days_only:
        return [[] for _ in product.name.times]
    found = []
    for side, day in enumerate(product.name.times):
        scenes = map(parse_granule, product.granules(side))
        starts = [scene.start for scene in scenes if scene.start is not None]
        named = [start for start in starts if start.date() == day.date()]
        found.append([start for start in starts if named and abs(start - named[0]) < LONGEST_GAP])
    return found
