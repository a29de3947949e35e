"""Least squares on a network of interferograms, for many pixels at once.

The normal matrix is the weighted Laplacian of the network (Berardino et al. 2002; Pepe and Lanari
2006 for the temporal coherence). One order of elimination serves all pixels: each step of a sparse
LDL^T factorization works on a vector of pixels, so that weights and gaps may differ in each.

Where pairs are missing, so that a pixel's network falls apart, virtual pairs between consecutive
acquisitions, of phase 0 and with a tiny weight that falls with the square of the time between them,
lead to the solution of least velocities: the limit is the minimum-norm solution for velocities.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ...network.pair_network import PairNetwork
from .elimination import Elimination, eliminate

Numbers = NDArray[np.float64]

_VIRTUAL_WEIGHT = 1e-8
"""Of a virtual pair, relative to the mean weight of the pixel's pairs. Less costs digits."""

BATCH = 2048
"""Pixels that are solved at once: the factor of that many stays in the processor's cache."""


@dataclass(frozen=True)
class Solution:
    """What the inversion says about pixels."""

    # Phase at each acquisition relative to the first, radians; shape (N, pixels). NaN where no pair
    # is valid.
    phase: Numbers
    # Phase of each pair less that of the solution, radians; shape (M, pixels), float32, NaN where
    # the pair is missing.
    residual: NDArray[np.float32]
    temporal_coherence: NDArray[np.float32]  # 0 to 1, float32; shape (pixels,)
    # Number of valid pairs, that less the rank of the network, and the number of components of the
    # pixel's network less one; int16, shape (pixels,).
    valid_pairs: NDArray[np.int16]
    redundancy: NDArray[np.int16]
    gap_count: NDArray[np.int16]
    # Propagated variance of each linear functional asked for; shape (functionals, pixels), float64.
    # NaN where nothing is redundant.
    variance: Numbers


class Inversion:
    """Solves the network of a stack for blocks of pixels; instances may be shared by threads.

    Parameters
    ----------
    linear_gaps
        Bridge gaps so that the phases come closest to a straight line in time (Lopez-Quiroz et al.
        2009), instead of by least velocities.
    functionals
        Linear functionals of the phases whose variance is propagated; shape (functionals, N).
    """

    def __init__(
        self,
        network: PairNetwork,
        linear_gaps: bool = False,
        functionals: Numbers | None = None,
    ) -> None:
        self.network = network
        self._linear_gaps = linear_gaps
        count = network.date_count
        self._functionals = np.empty((0, count)) if functionals is None else functionals
        pairs = list(zip(network.reference.tolist(), network.secondary.tolist(), strict=True))
        chain = [(date, date + 1) for date in range(count - 1)]
        # The first acquisition is left out of the system: its phase is 0.
        self._plan = eliminate([*pairs, *chain], range(1, count))
        self._pairs = [
            (one, other, self._plan.entry_of.get((min(one, other), max(one, other))))
            for one, other in pairs
        ]
        self._chain = [(one, other, self._plan.entry_of.get((one, other))) for one, other in chain]
        steps = np.diff(network.years)
        self._chain_weights = (steps.mean() / steps) ** 2

    def solve(self, phase: NDArray[np.float32], weights: NDArray[np.float32] | None) -> Solution:
        """Solve for the phases of any number of pixels.

        Parameters
        ----------
        phase
            Unwrapped phase of each pair relative to the reference area, radians; shape (M, pixels).
            NaN is a missing pair.
        weights
            Of each pair, of the same shape; 0 or not finite is a missing pair, None weights all
            alike.
        """
        parts = [
            self._solve(phase[:, begin:end], None if weights is None else weights[:, begin:end])
            for begin, end in _batches(phase.shape[1])
        ]
        return Solution(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)
                for name in Solution.__dataclass_fields__
            )
        )

    def _solve(self, phase: NDArray[np.float32], weights: NDArray[np.float32] | None) -> Solution:
        weight = np.ones(phase.shape) if weights is None else weights.astype(np.float64)
        valid = np.isfinite(phase)
        valid &= (weight > 0.0) & (weight < np.inf)  # not so for NaN
        weight[~valid] = 0.0
        observed = phase.astype(np.float64)
        observed[~valid] = 0.0
        valid_pairs = valid.sum(axis=0)
        components = self._component_count(valid)
        redundancy = valid_pairs - (self.network.date_count - components)

        tiny = _VIRTUAL_WEIGHT * weight.sum(axis=0) / np.maximum(valid_pairs, 1)
        tiny[valid_pairs == 0] = 1.0
        factor = self._factor(weight, tiny)
        right = self._right_side(weight, observed)
        respond = factor.solve
        if self._linear_gaps:
            line = _Line(self.network.years, factor, tiny, valid_pairs == 0)
            respond = line.respond
            solution = line.solve(right)
        else:
            solution = factor.solve(right)
            # It gives way to the virtual pairs a little; a second solution takes that back.
            solution += factor.solve(self._virtual_side(solution, tiny))
        residual = self._residual(observed, solution)
        residual[~valid] = np.nan
        solution[:, valid_pairs == 0] = np.nan
        return Solution(
            solution,
            residual,
            _temporal_coherence(residual, valid, valid_pairs),
            valid_pairs.astype(np.int16),
            redundancy.astype(np.int16),
            (components - 1).astype(np.int16),
            self._propagate(respond, weight, residual, redundancy),
        )

    def _factor(self, weight: Numbers, tiny: Numbers) -> _Factor:
        """Assemble and factor the normal matrices of all pixels."""
        pixels = weight.shape[1]
        diagonal = np.zeros((self.network.date_count, pixels))
        entries = np.zeros((self._plan.entry_count, pixels))

        def add(one: int, other: int, entry: int | None, value: Numbers) -> None:
            diagonal[one] += value
            diagonal[other] += value
            if entry is not None:
                entries[entry] -= value

        for (one, other, entry), value in zip(self._pairs, weight, strict=True):
            add(one, other, entry, value)
        if self._linear_gaps:
            diagonal += tiny
        else:
            for (one, other, entry), share in zip(self._chain, self._chain_weights, strict=True):
                add(one, other, entry, share * tiny)
        return _Factor(self._plan, diagonal, entries)

    # Pair by pair, as arrays of all pairs would leave the processor's cache.

    def _right_side(self, weight: Numbers, phase: Numbers) -> Numbers:
        """Return the sums of weighted phases at each acquisition; shape (N, pixels)."""
        sums = np.zeros((self.network.date_count, weight.shape[1]))
        for (one, other, _), share, value in zip(self._pairs, weight, phase, strict=True):
            weighted = share * value
            sums[one] -= weighted
            sums[other] += weighted
        return sums

    def _virtual_side(self, solution: Numbers, tiny: Numbers) -> Numbers:
        """Return the same of the virtual pairs, if a solution were their phase."""
        sums = np.zeros(solution.shape)
        for (one, other, _), share in zip(self._chain, self._chain_weights, strict=True):
            weighted = share * tiny * (solution[other] - solution[one])
            sums[one] -= weighted
            sums[other] += weighted
        return sums

    def _residual(self, phase: Numbers, solution: Numbers) -> NDArray[np.float32]:
        """Return phases of pairs less those of a solution; shape (M, pixels)."""
        residual = np.empty(phase.shape, np.float32)
        for row, (one, other, _), value in zip(residual, self._pairs, phase, strict=True):
            row[:] = value - (solution[other] - solution[one])
        return residual

    def _propagate(
        self,
        respond: Callable[[Numbers], Numbers],
        weight: Numbers,
        residual: NDArray[np.float32],
        redundancy: Numbers,
    ) -> Numbers:
        """Return the variance of each functional, from the residuals and the weights of the pairs.

        The covariance of the phases is that of a least-squares solution, scaled by the weighted sum
        of squared residuals over the redundancy. ``respond`` gives the phases to a right side, as
        the solution does: also across gaps they follow the pairs.
        """
        variance = np.empty((len(self._functionals), weight.shape[1]))
        if not variance.size:
            return variance
        squares = np.zeros(weight.shape[1])
        for share, row in zip(weight, np.nan_to_num(residual), strict=True):
            squares += share * np.square(row, dtype=np.float64)
        scale = np.where(redundancy > 0, squares / np.maximum(redundancy, 1), np.nan)
        for result, functional in zip(variance, self._functionals, strict=True):
            right = np.repeat(functional[:, np.newaxis], weight.shape[1], axis=1)
            effect = respond(right)
            result[:] = 0.0
            for (one, other, _), share in zip(self._pairs, weight, strict=True):
                result += share * (effect[other] - effect[one]) ** 2
            result *= scale
        return variance

    def _component_count(self, valid: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the number of components of each pixel's network; eight pixels in a byte.

        The same elimination on truth values: a vertex without neighbors left is the last one of its
        component.
        """
        plan = self._whole_plan
        packed = np.packbits(valid, axis=1)
        linked = np.zeros((plan.entry_count, packed.shape[1]), np.uint8)
        for one, other, bits in zip(
            self.network.reference.tolist(), self.network.secondary.tolist(), packed, strict=True
        ):
            linked[plan.entry_of[min(one, other), max(one, other)]] |= bits
        last = np.empty((len(plan.columns), packed.shape[1]), np.uint8)
        for position, column in enumerate(plan.columns):
            entries = linked[column.begin : column.end]
            linked[column.fill] |= entries[column.left] & entries[column.right]
            np.bitwise_or.reduce(entries, axis=0, out=last[position])
        free = np.unpackbits(~last, axis=1, count=valid.shape[1])
        return free.sum(axis=0, dtype=np.intp)

    @cached_property
    def _whole_plan(self) -> Elimination:
        """The elimination with the first acquisition, without virtual pairs."""
        pairs = zip(self.network.reference.tolist(), self.network.secondary.tolist(), strict=True)
        return eliminate(pairs, range(self.network.date_count))


class _Factor:
    """The factors L and D of the normal matrices of many pixels.

    Parameters
    ----------
    plan
        Where the entries are.
    diagonal, entries
        The normal matrices, shapes (N, pixels) and (entries, pixels); they become the factors.
    """

    def __init__(self, plan: Elimination, diagonal: Numbers, entries: Numbers) -> None:
        self._columns = plan.columns
        self._diagonal = diagonal
        self._entries = entries
        # Entry by entry, as arrays of many would leave the processor's cache.
        for column in plan.columns:
            own = entries[column.begin : column.end]
            scaled = own / diagonal[column.vertex]
            for neighbor, one, other in zip(column.neighbors.tolist(), scaled, own, strict=True):
                diagonal[neighbor] -= one * other
            places = column.left.tolist(), column.right.tolist(), column.fill.tolist()
            for left, right, fill in zip(*places, strict=True):
                entries[fill] -= scaled[left] * own[right]
            own[...] = scaled

    def solve(self, right: Numbers) -> Numbers:
        """Solve for a right side of shape (N, pixels), which is overwritten; row 0 becomes 0."""
        right[0] = 0.0
        for column in self._columns:
            own = self._entries[column.begin : column.end]
            for neighbor, entry in zip(column.neighbors.tolist(), own, strict=True):
                right[neighbor] -= entry * right[column.vertex]
        right[1:] /= self._diagonal[1:]
        for column in reversed(self._columns):
            own = self._entries[column.begin : column.end]
            for neighbor, entry in zip(column.neighbors.tolist(), own, strict=True):
                right[column.vertex] -= entry * right[neighbor]
        return right


def _temporal_coherence(
    residual: NDArray[np.float32], valid: NDArray[np.bool_], valid_pairs: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Return the magnitude of the mean unit vector of the residuals; NaN without a valid pair."""
    known = np.where(valid, residual, np.float32(0.0))
    # Missing pairs count as cosine 1, which is taken off again.
    missing = valid.shape[0] - valid_pairs
    real = np.cos(known).sum(axis=0, dtype=np.float64) - missing
    imaginary = np.sin(known).sum(axis=0, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.hypot(real, imaginary) / valid_pairs).astype(np.float32)


def _batches(count: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, max(count, 1), BATCH):
        yield begin, min(begin + BATCH, count)


class _Line:
    """Slope and offset of a line in each pixel, to which its phases come closest across gaps.

    They are unknowns beside the phases, with tiny weights; the system of these two that is left per
    pixel is solved here.

    Parameters
    ----------
    years
        Of the acquisitions, shape (N,).
    factor
        The normal matrices, with the tiny weights on their diagonals.
    tiny
        Weight of the distance from the line; shape (pixels,).
    is_empty
        Pixels without a valid pair; shape (pixels,).
    """

    def __init__(
        self, years: Numbers, factor: _Factor, tiny: Numbers, is_empty: NDArray[np.bool_]
    ) -> None:
        self._factor, self._tiny = factor, tiny
        self._functions = np.stack([years, np.ones(years.size)])
        self._reactions = [
            factor.solve(tiny * np.broadcast_to(part[:, np.newaxis], (years.size, tiny.size)))
            for part in self._functions
        ]
        corner = np.array(
            [
                [
                    np.einsum("n,np->p", one, part[:, np.newaxis] - reaction)
                    for one in self._functions
                ]
                for part, reaction in zip(self._functions, self._reactions, strict=True)
            ]
        )
        # Nothing is known of these pixels, nor of their line.
        corner[:, :, is_empty] = np.eye(2)[:, :, np.newaxis]
        self._corner = np.moveaxis(corner, 2, 0)

    def solve(self, right: Numbers) -> Numbers:
        """Solve for a right side of shape (N, pixels), which is overwritten."""
        solution, line = self._closest(right)
        # It gives way to the line a little; a second solution takes that back.
        solution += self._closest(self._tiny * (solution - line))[0]
        return solution

    def respond(self, right: Numbers) -> Numbers:
        """Solve once, with an error as small as the weights of the line."""
        return self._closest(right)[0]

    def _closest(self, right: Numbers) -> tuple[Numbers, Numbers]:
        """Return a solution and its line, each of shape (N, pixels)."""
        solution = self._factor.solve(right)
        sums = (self._functions @ solution).T[:, :, np.newaxis]
        slope_offset = np.linalg.solve(self._corner, sums)[:, :, 0].T
        for coefficient, reaction in zip(slope_offset, self._reactions, strict=True):
            solution += coefficient * reaction
        return solution, self._functions.T @ slope_offset
