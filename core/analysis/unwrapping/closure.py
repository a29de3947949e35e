"""Closure of triangles: what the pairs of a network say about each other's unwrapping.

Around a triangle of dates a, b, c the phases ab + bc - ac of one pixel add up to about zero. A
whole number of cycles that remains is an error of unwrapping in one of the three; a small rest
comes from multilooking and filtering, and from changes of the ground that fade (Zheng et al. 2022).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...network.pair_network import find_triangles

CYCLE = 2 * np.pi

SHORT_DAYS = 36.0
"""Longest pair of the triangles whose mean closure is reported: three repeats of one satellite."""

FADING = 0.3
"""Mean closure of short triangles (rad) from which fading is worth a warning: 0.3 rad in each
triangle of two 12-day pairs is some 20 mm a year at C-band."""


CLOSURE_SUMS = (
    "pixels",
    "wrong",
    "never_right",
    "triangle_pixels",
    "triangle_errors",
    "triangle_sum",
)
"""What adds up over blocks of pixels, by name of the attribute of :class:`ClosureStatistics`."""


def whole_cycles(closure: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the whole number of cycles in closures (rad), as Yunjun et al. (2019), equation 8."""
    cycles: NDArray[np.floating] = np.rint(closure / CYCLE)
    return cycles


@dataclass(frozen=True)
class PixelClosure:
    """The closure of some pixels."""

    # Triangles whose closure holds a whole number of cycles, shape (pixels,).
    errors: NDArray[np.int32]
    checked: NDArray[np.int32]  # triangles with phase in all of their pairs, likewise
    # Mean closure (rad) of the short triangles without whole cycles, NaN without one; shape
    # (pixels,).
    fading: NDArray[np.float32]

    @property
    def share(self) -> NDArray[np.float32]:
        """Share of the triangles with an error, NaN where none could be checked."""
        return _ratio(self.errors, self.checked).astype(np.float32)


class ClosureStatistics:
    """Counts of closure errors by pair and triangle, gathered block by block.

    Blocks may come in any order and in several objects, which ``merge`` brings together.

    Parameters
    ----------
    pairs
        Indexes of the reference and secondary date of each pair, shape (pairs, 2).
    days
        Days of the dates since any instant, shape (dates,).
    """

    def __init__(
        self,
        pairs: NDArray[np.integer],
        days: NDArray[np.floating],
    ) -> None:
        self.triangles = find_triangles(pairs)
        spans = np.asarray(days, float)[pairs[:, 1]] - np.asarray(days, float)[pairs[:, 0]]
        self.short = spans[self.triangles[:, 2]] <= SHORT_DAYS + 0.5
        count, triangles = len(pairs), len(self.triangles)
        self.pixels = np.zeros(count, np.int64)
        """Pixels of each pair that at least one triangle checks."""
        self.wrong = np.zeros(count, np.int64)
        """Those in which at least one triangle of the pair does not close."""
        self.never_right = np.zeros(count, np.int64)
        """Those in which none of the pair's triangles closes: the pair itself is to blame."""
        self.triangle_pixels = np.zeros(triangles, np.int64)
        self.triangle_errors = np.zeros(triangles, np.int64)
        self.triangle_sum = np.zeros(triangles)
        """Sum of the closures (rad) without whole cycles over the pixels of each triangle."""

    def add(self, phase: NDArray[np.floating]) -> PixelClosure:
        """Count a block of pixels and return what each of them shows.

        Parameters
        ----------
        phase
            Unwrapped phase in radians, referenced, NaN where a pair has none; shape
            (pairs, pixels).
        """
        pixels = phase.shape[1]
        checked, wrong, right = (np.zeros(phase.shape, bool) for _ in range(3))
        errors, counted, short = (np.zeros(pixels, np.int32) for _ in range(3))
        rests = np.zeros(pixels)
        for number, (first, second, whole) in enumerate(self.triangles):
            closure = phase[first] + phase[second] - phase[whole]
            cycles = whole_cycles(closure)
            valid = ~np.isnan(closure)
            good = cycles == 0
            bad = valid & ~good
            rest = np.where(valid, closure - CYCLE * cycles, 0)
            errors += bad
            counted += valid
            if self.short[number]:
                rests += rest
                short += valid
            for side in (first, second, whole):
                checked[side] |= valid
                wrong[side] |= bad
                right[side] |= good
            self.triangle_pixels[number] += np.count_nonzero(valid)
            self.triangle_errors[number] += np.count_nonzero(bad)
            self.triangle_sum[number] += rest.sum(dtype=float)
        self.pixels += checked.sum(axis=1)
        self.wrong += wrong.sum(axis=1)
        self.never_right += (wrong & ~right).sum(axis=1)
        return PixelClosure(errors, counted, _ratio(rests, short).astype(np.float32))

    def merge(self, other: ClosureStatistics) -> None:
        """Add the counts of other blocks of the same network."""
        for name in CLOSURE_SUMS:
            getattr(self, name)[...] += getattr(other, name)

    @property
    def errors(self) -> int:
        """Number of (triangle, pixel) that do not close."""
        return int(self.triangle_errors.sum())

    @property
    def share(self) -> float:
        """Share of (triangle, pixel) that do not close; 0 where nothing could be checked."""
        return self.errors / max(int(self.triangle_pixels.sum()), 1)

    @property
    def pair_share(self) -> NDArray[np.float64]:
        """Share of each pair's pixels in triangles that do not close, NaN for pairs without one."""
        return _ratio(self.wrong, self.pixels)

    @property
    def blame(self) -> NDArray[np.float64]:
        """Share of each pair's pixels in which none of its triangles closes, NaN likewise.

        An error in one pair spoils all triangles of this pair, but only one or two of any other.
        """
        return _ratio(self.never_right, self.pixels)

    @property
    def unchecked(self) -> NDArray[np.intp]:
        """Pairs that are in no triangle, so that nothing shows their errors."""
        return np.setdiff1d(np.arange(len(self.pixels)), self.triangles)

    @property
    def fading(self) -> float:
        """Mean closure (rad) of all short triangles without whole cycles, NaN without any."""
        total = self.triangle_sum[self.short].sum(keepdims=True)
        return float(_ratio(total, self.triangle_pixels[self.short].sum(keepdims=True))[0])

    def worst_pairs(self) -> Iterator[int]:
        """Yield the pairs with errors, the one most to blame first."""
        order = np.lexsort((-np.nan_to_num(self.pair_share), -np.nan_to_num(self.blame)))
        return (int(pair) for pair in order if self.wrong[pair])


def _ratio(part: NDArray[Any], whole: NDArray[np.integer]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
