"""Sets of bursts that can be processed together: consecutive ones, side by side."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ...products.granules import Granule, burst_orbit

_ID = re.compile(r"\d{3}_(?P<number>\d{6})_IW(?P<swath>[123])")


def burst_id(number: int, swath: int) -> str:
    """Return the full id of a burst, such as ``087_186245_IW2``, by number and subswath."""
    return f"{burst_orbit(number)[0]:03d}_{number:06d}_IW{swath}"


def burst_of(granule: Granule) -> str:
    """Return the full id of the burst that a granule shows, empty for a frame."""
    if granule.burst is None or granule.swath is None:
        return ""
    return burst_id(granule.burst, int(granule.swath[-1]))


def contiguous_superset(bursts: Iterable[str]) -> tuple[str, ...]:
    """Return the smallest set that holds some bursts and can be processed together, in order.

    The rule is that of ASF's processing of multi-bursts: numbers within a subswath are
    consecutive, subswaths are neighbors, and first and last numbers of neighboring subswaths differ
    by at most 1.

    Raises
    ------
    ValueError
        If an id is not one of a burst of the mode IW.
    """
    numbers: dict[int, list[int]] = {}
    for name in bursts:
        match = _ID.fullmatch(name)
        if match is None:
            raise ValueError(f"{name} is not the full id of a burst")
        numbers.setdefault(int(match["swath"]), []).append(int(match["number"]))
    spans = {swath: (min(held), max(held)) for swath, held in numbers.items()}
    if {1, 3} == spans.keys():
        between = spans[1], spans[3]
        first, last = max(one[0] for one in between), min(one[1] for one in between)
        spans[2] = min(first, last), max(first, last)
    for _ in spans:  # a change reaches the next subswath in each round
        for swath, (first, last) in list(spans.items()):
            beside = [spans[other] for other in (swath - 1, swath + 1) if other in spans]
            firsts, lasts = [one[0] + 1 for one in beside], [one[1] - 1 for one in beside]
            spans[swath] = min([first, *firsts]), max([last, *lasts])
    chosen = {
        (number, swath)
        for swath, (first, last) in spans.items()
        for number in range(first, last + 1)
    }
    return tuple(burst_id(number, swath) for number, swath in sorted(chosen))


def are_contiguous(bursts: Iterable[str]) -> bool:
    """Return whether bursts can be processed together, see :func:`contiguous_superset`."""
    given = set(bursts)
    return len(contiguous_superset(given)) == len(given)
