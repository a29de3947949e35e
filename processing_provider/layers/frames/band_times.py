"""Which band is shown when: time ranges without gaps or overlaps.

Needs the standard library only, so that it is tested without QGIS.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from statistics import median

SAME_MIDDLE = timedelta(hours=12)
"""Pairs whose middles are this close share a cell of time, divided evenly among them.

Acquisitions of one orbit repeat to within seconds, so that the middles of (1, 4) and (2, 3) are
equal but for those; a range of seconds would never be seen.
"""

LONE_DATE = timedelta(days=12)
"""Length of the range of a single date: the repeat cycle of Sentinel-1."""


def band_ranges(
    begins: Sequence[datetime], ends: Sequence[datetime]
) -> list[tuple[datetime, datetime]]:
    """Return begin and end of the range of each band; the end belongs to the next one.

    ``begins`` and ``ends`` are the reference and secondary times of pairs, or twice the same dates.
    A date lasts until the next date. A pair is shown around its middle, up to half-way to the
    middles of its neighbors; the first begins with the earliest reference, the last ends with the
    latest secondary.
    """
    if not begins:
        return []
    middles = [begin + (end - begin) / 2 for begin, end in zip(begins, ends)]  # noqa: B905 - Python 3.9
    order = sorted(range(len(middles)), key=lambda index: (middles[index], index))
    groups = _groups(order, middles)
    if all(begin == end for begin, end in zip(begins, ends)):  # noqa: B905
        edges = [middles[group[0]] for group in groups]
        steps = [after - before for before, after in zip(edges, edges[1:])]  # noqa: B905
        edges.append(edges[-1] + (median(steps) if steps else LONE_DATE))
    else:
        edges = [min((*begins, *ends))]
        for group, following in zip(groups, groups[1:]):  # noqa: B905
            edges.append(_between(middles[group[-1]], middles[following[0]]))
        edges.append(max((*begins, *ends)))
    ranges: dict[int, tuple[datetime, datetime]] = {}
    for group, begin, end in zip(groups, edges, edges[1:]):  # noqa: B905
        for place, index in enumerate(group):
            ranges[index] = (
                begin + (end - begin) * place / len(group),
                begin + (end - begin) * (place + 1) / len(group),
            )
    return [ranges[index] for index in range(len(middles))]


def _groups(order: Sequence[int], middles: Sequence[datetime]) -> list[list[int]]:
    """Return the bands in the order of their middles, those with the same middle together."""
    groups: list[list[int]] = []
    for index in order:
        if groups and middles[index] - middles[groups[-1][0]] < SAME_MIDDLE:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _between(first: datetime, second: datetime) -> datetime:
    return first + (second - first) / 2
