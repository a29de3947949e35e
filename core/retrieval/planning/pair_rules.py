"""Which dates are paired: near ones, over gaps, over years; connected, and closed by triangles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...errors import InvalidParameterError
from ...network.pair_network import PairNetwork, find_triangles

NEIGHBOR, BRIDGE, YEAR, TRIANGLE = "neighbor", "bridge", "year", "triangle"
"""Why a pair is in the network: TRIANGLE ones close others or give a date its second pair."""

GAPS, YEARS, NO_BRIDGES = "gaps", "years", "none"
"""What BRIDGES can be."""

_YEAR_DAYS = 365
_YEAR_MARGIN = 30
"""Days by which a pair over a year may be longer or shorter."""


@dataclass(frozen=True)
class PairRules:
    """What is asked of a network."""

    # Each date is paired with so many of the later ones that are nearest and within the limits.
    neighbors: int = 3
    # Limits of these pairs in days and meters; a baseline that is not known is within them.
    max_days: int = 48
    max_baseline: float = 400.0
    # ``gaps``: parts of the network without pairs between them are connected over the limits.
    # ``years``: in addition, one date a month is paired with those a year later. ``none``: a
    # network in parts is refused.
    bridges: str = GAPS


Pair = tuple[int, int]
"""Positions of the earlier and the later date."""


class PlannedNetwork:
    """Pairs between dates, by rule.

    Parameters
    ----------
    days
        UTC days, increasing and each once; shape (N,).
    baselines
        Perpendicular baseline (m) of each date as secondary (column) against each as reference
        (row), NaN where unknown; shape (N, N).

    Attributes
    ----------
    rule_of : dict
        Why each pair is in the network; the same dates give the same pairs.

    Raises
    ------
    InvalidParameterError
        If there are fewer than two dates, or the network falls apart and no bridges are wanted.
    """

    def __init__(
        self, days: Sequence[date], baselines: NDArray[np.float64], rules: PairRules
    ) -> None:
        if len(days) < 2:
            raise InvalidParameterError(
                f"A network needs at least two dates, but there {_are(len(days))} that can be used."
            )
        self.days = tuple(days)
        self.baselines = baselines
        self.rule_of: dict[Pair, str] = {}
        self._partners: list[set[int]] = [set() for _ in days]
        ordinals = np.array([day.toordinal() for day in days])
        self._spans = np.abs(ordinals[:, None] - ordinals[None, :])
        # Of two pairs as long as each other, the one of the smaller baseline; unknown ones last.
        self._lengths = np.nan_to_num(np.abs(baselines), nan=np.inf)
        is_long = np.nan_to_num(np.abs(baselines), nan=0.0) > rules.max_baseline
        self._allowed = (self._spans <= rules.max_days) & ~is_long
        self._add_neighbors(rules.neighbors)
        if rules.bridges == YEARS:
            self._add_years(is_long)
        self._connect(rules)
        self._close(rules.neighbors > 1)

    @property
    def pairs(self) -> list[Pair]:
        """All pairs in the order of time."""
        return sorted(self.rule_of)

    @property
    def network(self) -> PairNetwork:
        """The network as a graph, of at least one pair."""
        first, second = np.array(self.pairs, "intp").reshape(-1, 2).T
        return PairNetwork(np.array(self.days, "datetime64[s]"), first, second)

    @cached_property
    def triangle_counts(self) -> dict[Pair, int]:
        """Number of triangles that each pair is a side of."""
        pairs = self.pairs
        sides = np.bincount(find_triangles(np.array(pairs)).ravel(), minlength=len(pairs))
        return dict(zip(pairs, sides.tolist(), strict=True))

    def partners(self, position: int) -> list[int]:
        """Return the dates that a date is paired with."""
        return sorted(self._partners[position])

    def _add(self, one: int, other: int, rule: str) -> None:
        self._partners[one].add(other)
        self._partners[other].add(one)
        self.rule_of.setdefault((min(one, other), max(one, other)), rule)

    def _add_neighbors(self, count: int) -> None:
        for first in range(len(self.days)):
            later = np.flatnonzero(self._allowed[first, first + 1 :]) + first + 1
            for second in later[:count].tolist():
                self._add(first, second, NEIGHBOR)

    def _add_years(self, is_long: NDArray[np.bool_]) -> None:
        """Pair the first date of each month with the two dates nearest to a year later."""
        months = set()
        for first, day in enumerate(self.days):
            if (day.year, day.month) in months:
                continue
            months.add((day.year, day.month))
            off = np.abs(self._spans[first] - _YEAR_DAYS)
            near = [
                second
                for second in range(first + 1, len(self.days))
                if off[second] <= _YEAR_MARGIN and not is_long[first, second]
            ]
            for second in sorted(near, key=lambda position: (off[position], position))[:2]:
                self._add(first, second, YEAR)

    def _connect(self, rules: PairRules) -> None:
        """Add pairs between parts of the network: the shortest one, and two that close it."""
        while True:
            part = np.arange(len(self.days))
            if self.rule_of:
                part = self.network.component_of
            if part.max() == 0:
                return
            if rules.bridges == NO_BRIDGES:
                last = int(np.flatnonzero(part == part[0]).max())
                following = int(np.flatnonzero(part != part[0]).min())
                raise InvalidParameterError(
                    f"The network falls into {part.max() + 1} parts, the first from "
                    f"{self.days[0]} to {self.days[last]} and the next from "
                    f"{self.days[following]} on; raise MAX_DAYS or MAX_BASELINE, or set "
                    f"BRIDGES={GAPS}."
                )
            one, other = self._shortest(part[:, None] < part[None, :])
            ends = self.partners(one), self.partners(other)
            self._add(one, other, BRIDGE)
            for beside, end in zip(ends, (other, one), strict=True):
                if beside:
                    self._add(self._nearest(end, beside), end, BRIDGE)

    def _close(self, with_triangles: bool) -> None:
        """Give each date two pairs, and each pair a triangle where that is wanted."""
        for position in range(len(self.days)):
            partners = self.partners(position)
            if len(partners) == 1:
                others = [far for far in self.partners(partners[0]) if far != position]
                if others:
                    self._add(position, self._nearest(position, others), TRIANGLE)
        if not with_triangles:
            return
        for first, second in self.pairs:
            around, beyond = self._partners[first], self._partners[second]
            if around & beyond:
                continue
            wanted = [
                *((far, second) for far in around - {second}),
                *((far, first) for far in beyond - {first}),
            ]
            if wanted:
                self._add(*min(wanted, key=self._cost), TRIANGLE)

    def _cost(self, pair: Pair) -> tuple[float, float, Pair]:
        one, other = min(pair), max(pair)
        return float(self._spans[one, other]), float(self._lengths[one, other]), (one, other)

    def _nearest(self, end: int, among: Sequence[int]) -> int:
        return min(among, key=lambda position: self._cost((position, end)))

    def _shortest(self, among: NDArray[np.bool_]) -> Pair:
        """Return the shortest of some pairs, by days, then by baseline, then by time."""
        least = self._spans[among].min()
        candidates = np.argwhere(among & (self._spans == least)).tolist()
        return min(((one, other) for one, other in candidates), key=self._cost)


def read_seasons(words: Sequence[str]) -> frozenset[int]:
    """Return the months of some ranges, such as ``5-10`` or, over the new year, ``11-3``.

    Parameters
    ----------
    words
        Ranges or single months; empty for all months.

    Raises
    ------
    InvalidParameterError
        If one is not a range of months.
    """
    months: set[int] = set()
    for word in words:
        ends = [part.strip() for part in word.split("-")]
        numbers = [int(part) for part in ends if part.isdecimal() and part.isascii()]
        if len(numbers) != len(ends) or len(ends) > 2 or not all(1 <= n <= 12 for n in numbers):
            raise InvalidParameterError(
                f"SEASONS has {word!r}, but each entry has to be a range of months like 5-10 or "
                "11-3."
            )
        months.update(_months(numbers[0], numbers[-1]))
    return frozenset(months or range(1, 13))


def _months(first: int, last: int) -> Iterator[int]:
    return ((first + step - 1) % 12 + 1 for step in range((last - first) % 12 + 1))


def _are(count: int) -> str:
    return f"{'is' if count == 1 else 'are'} {count or 'none'}"
