"""Repair of unwrapping errors: whole cycles taken off islands of the pairs.

Islands need the whole map of a pair, the inversion whole series of pixels, so that a repair is a
pass of its own before the inversion:

1. For each pair, in any order and thread: ``find_islands(phase, pixel, reference, step,
   components)`` of :mod:`islands` on its referenced map, with ``step = sample_step(shape)``. It
   keeps the runs of the islands and the phase at sample points, not the map.
2. ``plan_repair(pairs, islands, method)`` with the islands of all pairs in their order decides how
   many cycles each island has too many, and reports what that mends.
3. For each block of the inversion: ``plan.apply(block, rows, columns)`` on referenced phase.

Bridges alone know nothing of the other pairs, and delays can make a true jump of half a cycle.
Triangles check them: only what makes more triangles close is taken off. If nearly all jumps are
near whole numbers, so that delays are small, bridges are also believed in pairs of no triangle; and
where most pairs are wrong all are, but for those that triangles contradict. Otherwise ``both`` does
without bridges.

Triangles also find errors by themselves: of all corrections of one island in one pair the one that
closes most of the network is made, then the next, until none helps; of solutions that close the
same the one with the fewest corrections (a greedy solution of min |C U + k| + a |U| for integer U;
Yunjun et al. 2019, equation 11, relax it to real numbers).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...network.pair_network import find_triangles
from .closure import CYCLE
from .islands import LARGEST_REST, Islands

SAMPLES = 25_000
"""Points at which the pairs are compared: 6 bytes each in each pair."""

_FEWEST_TRIANGLES = 2
"""In which an island of a pair must be to be corrected by closure alone: in a single one nothing
shows which of its pairs is wrong."""

_MUCH_LESS = 0.5
"""To believe bridges that triangles do not confirm one by one, together they must leave fewer
errors than this share of those left otherwise."""

_MOST_REFUSED = 0.2
"""Share of islands whose bridge is refused up to which bridges are believed: of jumps that delays
make at random 40 % are refused."""


def sample_step(shape: tuple[int, int]) -> int:
    """Return the distance of sample points in rows and columns for a grid."""
    return max(1, math.ceil(math.sqrt(shape[0] * shape[1] / SAMPLES)))


@dataclass(frozen=True)
class RepairPlan:
    """What a repair takes off, and what it mends."""

    # Cycles to take off each island of each pair, number 0 for pixels on none.
    cycles: tuple[NDArray[np.int64], ...]
    # Pair, row, first column, column behind the last, and cycles of the runs of pixels from which
    # cycles are taken; shape (runs, 5).
    runs: NDArray[np.int32]
    islands: int  # number of (pair, island) beside those of the reference
    # Number of (pair, island) from which cycles are taken for a bridge, for triangles, and not
    # taken because triangles do not confirm the bridge.
    bridged: int
    closed: int
    undone: int
    refused: int  # number of (pair, island) whose bridge is unsafe
    # Share of (triangle, sample point on islands) that do not close.
    errors_before: float
    errors_after: float
    is_applied: bool = True  # whether the run takes the cycles off, or only reports them

    def __str__(self) -> str:
        """Return what it does, in sentences."""
        if not (self.islands or self.errors_before):
            return "There are no islands of phase to repair."
        before, after = 100 * self.errors_before, 100 * self.errors_after
        how = f"{self.bridged} by bridges, {self.closed} by triangles"
        does = "Repair of unwrapping:" if self.is_applied else "What REPAIR would do:"
        return (
            f"{does} whole cycles are taken off {self.corrected} of {self.islands} islands of "
            f"phase in all pairs ({how}), after which {after:.2f} % of the triangles of pairs do "
            f"not close, {before:.2f} % before. {self.refused} bridges are unsafe, as phase does "
            f"not jump by whole cycles there; {self.undone} are not confirmed by triangles."
        )

    @property
    def corrected(self) -> int:
        """Number of (pair, island) from which cycles are taken."""
        return sum(int(np.count_nonzero(pair)) for pair in self.cycles)

    def apply(self, phase: NDArray[np.floating], rows: slice, columns: slice) -> None:
        """Take the cycles off a block.

        Parameters
        ----------
        phase
            Radians, shape (pairs, rows, columns); changed in place.
        rows, columns
            Where the block lies in the grid; both ends are given.
        """
        pair, row, first, last, cycles = self.runs.T
        inside = (row >= rows.start) & (row < rows.stop)
        inside &= (first < columns.stop) & (last > columns.start)
        height, width = rows.stop - rows.start, columns.stop - columns.start
        for number in np.unique(pair[inside]):
            chosen = inside & (pair == number)
            down = row[chosen] - rows.start
            change = np.zeros((height, width + 1), np.int32)
            # Cycles begin at the first column and end at the last: their sum along a row.
            start = np.maximum(first[chosen] - columns.start, 0)
            stop = np.minimum(last[chosen] - columns.start, width)
            np.add.at(change, (down, start), cycles[chosen])
            np.add.at(change, (down, stop), -cycles[chosen])
            phase[number] -= CYCLE * np.cumsum(change, axis=1)[:, :-1]


def plan_repair(pairs: NDArray[np.integer], islands: Sequence[Islands], method: str) -> RepairPlan:
    """Decide which cycles to take off.

    Parameters
    ----------
    pairs
        Indexes of the reference and secondary date of each pair, shape (pairs, 2).
    islands
        Of each pair.
    method
        ``none``, ``islands``, ``closure`` or ``both``; with ``none`` nothing is taken off.
    """
    network = _Equations(pairs, islands)
    before = network.errors
    proposed = bridged = closed = 0
    count = sum(one.cycles.size - 1 - (one.reference > 0) for one in islands)
    refused = sum(int(one.refused.sum()) for one in islands)
    trusted = refused <= _MOST_REFUSED * count
    if method == "islands" or (method == "both" and trusted):
        proposed = sum(int(np.count_nonzero(one.cycles)) for one in islands)
        network.bridge([one.cycles for one in islands], trusted)
        bridged = sum(int(np.count_nonzero(pair)) for pair in network.cycles)
    if method in ("closure", "both"):
        closed = network.close()
    return RepairPlan(
        cycles=tuple(network.cycles),
        runs=_changed_runs(islands, network.cycles),
        islands=count,
        bridged=bridged,
        closed=closed,
        undone=proposed - bridged,
        refused=refused,
        errors_before=before / max(network.checked, 1),
        errors_after=network.errors / max(network.checked, 1),
    )


def _changed_runs(
    islands: Sequence[Islands], cycles: Sequence[NDArray[np.int64]]
) -> NDArray[np.int32]:
    parts = [np.zeros((0, 5), np.int32)]
    for number, (one, taken) in enumerate(zip(islands, cycles, strict=True)):
        row, first, last, island = one.runs.T
        kept = taken[island] != 0
        pair = np.full(int(kept.sum()), number)
        columns = (pair, row[kept], first[kept], last[kept], taken[island[kept]])
        parts.append(np.stack(columns, axis=1).astype(np.int32))
    return np.concatenate(parts)


class _Equations:
    """Closures of triangles over the islands that three pairs have in common.

    An equation is one triangle and one island in each of its pairs: the sample points there have
    ``rest`` whole cycles too many after what has been taken off, and ``weight`` points.
    """

    def __init__(self, pairs: NDArray[np.integer], islands: Sequence[Islands]) -> None:
        self.cycles = [np.zeros_like(one.cycles) for one in islands]
        self._pairs = pairs
        self._fixed = [one.reference for one in islands]
        self.unknowns: list[tuple[tuple[int, int], ...]] = []
        rests, weights, triangles = [], [], []
        for number, sides in enumerate(find_triangles(pairs)):
            first, second, whole = (islands[side] for side in sides)
            closure = first.sampled_phase + second.sampled_phase - whole.sampled_phase
            common = np.stack([one.sampled_island for one in (first, second, whole)])
            seen = np.flatnonzero((common > 0).all(axis=0) & ~np.isnan(closure))
            if not seen.size:
                continue
            groups, member = np.unique(common[:, seen], axis=1, return_inverse=True)
            order = np.argsort(member.ravel(), kind="stable")
            for group, points in zip(
                groups.T, np.split(order, np.cumsum(np.bincount(member.ravel()))[:-1]), strict=True
            ):
                middle = float(np.median(closure[seen[points]])) / CYCLE
                if abs(middle - round(middle)) > LARGEST_REST:
                    continue
                self.unknowns.append(
                    tuple((int(s), int(i)) for s, i in zip(sides, group, strict=True))
                )
                rests.append(round(middle))
                weights.append(points.size)
                triangles.append(number)
        self.rest = np.array(rests, dtype=np.int64)
        self.weight = np.array(weights, dtype=np.int64)
        self._of: dict[tuple[int, int], list[tuple[int, int]]] = {}
        counted: dict[tuple[int, int], set[int]] = {}
        for equation, three in enumerate(self.unknowns):
            for unknown, sign in zip(three, (1, 1, -1), strict=True):
                pair, island = unknown
                if island != self._fixed[pair]:
                    self._of.setdefault(unknown, []).append((equation, sign))
                    counted.setdefault(unknown, set()).add(triangles[equation])
        self._sure = {key for key, found in counted.items() if len(found) >= _FEWEST_TRIANGLES}

    @property
    def checked(self) -> int:
        """Number of (triangle, sample point)."""
        return int(self.weight.sum())

    @property
    def errors(self) -> int:
        """Number of those that do not close."""
        return int(self.weight[self.rest != 0].sum())

    def bridge(self, cycles: Sequence[NDArray[np.int64]], trusted: bool) -> None:
        """Take the cycles that bridges found off the islands where triangles agree.

        If they are ``trusted``, also where no triangle shows it.
        """
        proposed = {
            (pair, int(island)): int(found[island])
            for pair, found in enumerate(cycles)
            for island in np.flatnonzero(found)
        }
        checked = {key: proposed[key] for key in proposed.keys() & self._of.keys()}
        taken = self._take_what_helps(checked)
        if not trusted:
            return
        for unknown in proposed.keys() - checked.keys():
            self._add(unknown, proposed[unknown])
        careful = self.errors
        for unknown in checked.keys() - taken:
            self._add(unknown, checked[unknown])
        undone = self._take_what_helps({key: -value for key, value in checked.items()})
        if self.errors >= _MUCH_LESS * careful:
            for unknown in checked.keys() - undone - taken:
                self._add(unknown, -checked[unknown])
            for unknown in undone & taken:
                self._add(unknown, checked[unknown])

    def _take_what_helps(self, changes: dict[tuple[int, int], int]) -> set[tuple[int, int]]:
        """Make the change that closes most, then the next; return which were made."""
        left = dict(changes)
        made = set()
        while left:
            best = max(left, key=lambda key: (self._gain(key, left[key]), key))
            if self._gain(best, left[best]) <= 0:
                break
            self._add(best, left.pop(best))
            made.add(best)
        return made

    def close(self) -> int:
        """Take or add cycles as long as more triangles close; return from how many islands."""
        before = {key: self._taken(key) for key in self._of}
        while True:
            self._close_singly()
            if not any([self._improves(move, before) for move in self._moves_of_dates()]):
                return sum(self._taken(key) != cycles for key, cycles in before.items())

    def _close_singly(self) -> None:
        moves = {key: self._best_move(key) for key in self._sure}
        while moves:
            best = max(moves, key=lambda key: (moves[key][0], key))
            gain, cycles = moves[best]
            if gain <= 0:
                return
            self._add(best, cycles)
            near = {other for equation, _ in self._of[best] for other in self.unknowns[equation]}
            for key in near & self._sure:
                moves[key] = self._best_move(key)

    def _moves_of_dates(self) -> Iterator[dict[tuple[int, int], int]]:
        """Yield changes by a cycle of one date, or of it and all later ones, on tied islands.

        Triangles close after them as before, but fewer corrections may be needed. Changes in only
        the earlier or the later pairs of a date lead out of solutions that no single one betters.
        """
        for date in np.unique(self._pairs):
            for later in (self._pairs == date, self._pairs >= date):
                signs = later[:, 1].astype(int) - later[:, 0]
                for group in self._tied_islands(signs):
                    if any(self._taken(key) for key in group):
                        for some in ((1, -1), (1,), (-1,)):
                            chosen = [key for key in group if signs[key[0]] in some]
                            yield from (
                                {key: cycles * int(signs[key[0]]) for key in chosen}
                                for cycles in (-1, 1)
                            )

    def _tied_islands(self, signs: NDArray[np.int64]) -> list[set[tuple[int, int]]]:
        """Return the islands of pairs with a sign, by whether triangles tie them to each other.

        Islands that are tied to that of the reference are left out.
        """
        groups: list[set[tuple[int, int]]] = []
        for three in self.unknowns:
            tied = {key for key in three if signs[key[0]]}
            if tied:
                for group in [group for group in groups if group & tied]:
                    groups.remove(group)
                    tied |= group
                groups.append(tied)
        return [group for group in groups if group <= self._sure]

    def _improves(
        self, move: dict[tuple[int, int], int], before: dict[tuple[int, int], int]
    ) -> bool:
        """Make a change if more triangles close, or as many with fewer corrections."""
        old = self.errors, sum(self._taken(key) != before[key] for key in move)
        for key, cycles in move.items():
            self._add(key, cycles)
        if (self.errors, sum(self._taken(key) != before[key] for key in move)) < old:
            return True
        for key, cycles in move.items():
            self._add(key, -cycles)
        return False

    def _best_move(self, unknown: tuple[int, int]) -> tuple[int, int]:
        """Return by how many points more would close, and after which change."""
        wanted = {sign * int(self.rest[equation]) for equation, sign in self._of[unknown]} - {0}
        return max(((self._gain(unknown, cycles), cycles) for cycles in wanted), default=(0, 0))

    def _gain(self, unknown: tuple[int, int], cycles: int) -> int:
        total = 0
        for equation, sign in self._of[unknown]:
            rest = int(self.rest[equation])
            closes = int(rest == sign * cycles) - int(rest == 0)
            total += closes * int(self.weight[equation])
        return total

    def _taken(self, unknown: tuple[int, int]) -> int:
        return int(self.cycles[unknown[0]][unknown[1]])

    def _add(self, unknown: tuple[int, int], cycles: int) -> None:
        """Take so many cycles more off an island."""
        self.cycles[unknown[0]][unknown[1]] += cycles
        for equation, sign in self._of.get(unknown, ()):
            self.rest[equation] -= sign * cycles
