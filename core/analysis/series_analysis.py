"""What becomes of the series of pixels: phases of pairs in, displacement with its quality out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network.pair_network import PairNetwork
from ..products.sentinel1 import PHASE_TO_DISPLACEMENT
from .corrections import NO_CORRECTIONS, Corrections, Places
from .solver.inversion import Inversion, Solution
from .solver.pair_weights import variance_weights
from .solver.time_functions import Fit, TimeFunctions, larger_error
from .unwrapping.closure import CLOSURE_SUMS, ClosureStatistics, PixelClosure

Floats = NDArray[np.float32]

NO_VALID_PAIR, LOW_TEMPORAL_COHERENCE, NO_GEOMETRY = 1, 2, 4
"""Bits of the mask; 0 is a pixel with displacement."""

COHERENCE_BINS = 50
"""Of the histogram of temporal coherence, from 0 to 1."""


@dataclass(frozen=True)
class SeriesAnalysis:
    """Turns the series of any pixels into displacement; can be pickled, and shared by threads."""

    network: PairNetwork  # acquisitions and pairs
    functions: TimeFunctions  # functions of time that are fitted
    # Phase of each pair at the reference area, radians; shape (M,).
    reference_phase: NDArray[np.float64]
    weights: str = "variance"  # ``variance``, ``coherence`` or ``none``
    looks: NDArray[np.intp] | None = None  # independent looks of each pair; shape (M,)
    linear_gaps: bool = False  # see :class:`.inversion.Inversion`
    min_coherence: float = 0.0  # pairs of less are taken for missing, pixel by pixel
    min_temporal_coherence: float = 0.7  # pixels of less are masked
    corrections: Corrections = NO_CORRECTIONS  # what is taken off the displacement

    @property
    def needs_coherence(self) -> bool:
        """Whether anything depends on the coherence of pairs."""
        return self.weights != "none" or self.min_coherence > 0.0

    def run(
        self, phase: Floats, coherence: Floats | None, places: Places | None = None
    ) -> tuple[dict[str, Floats | NDArray[np.uint8]], dict[str, NDArray[Any]]]:
        """Analyze pixels.

        Parameters
        ----------
        phase
            Unwrapped phase of each pair as the stack has it, radians; shape (M, pixels), NaN where
            missing.
        coherence
            Likewise; None where nothing depends on it.
        places
            Of the pixels; None where nothing is corrected.

        Returns
        -------
        values : dict
            By name of the variable, shape (N, pixels) or (pixels,); NaN where missing.
        sums : dict
            What adds up over all pixels, by name.
        """
        phase = phase - self.reference_phase[:, np.newaxis].astype(np.float32)
        if self.min_coherence and coherence is not None:
            phase[~(coherence >= self.min_coherence)] = np.nan
        solution = self._inversion.solve(phase, self._weights(coherence))
        closure = ClosureStatistics(self._pairs, self.network.years * 365.25)
        pixels = closure.add(phase)
        series = solution.phase * PHASE_TO_DISPLACEMENT
        corrected = {} if places is None else self.corrections.take_off(series, places)
        fit = self.functions.fit(series)
        mask = self._mask(solution, series)
        sums = self._sums(solution, fit, mask)
        sums |= {f"closure_{name}": getattr(closure, name) for name in CLOSURE_SUMS}
        return self._values(solution, series, corrected, fit, pixels, mask), sums

    @property
    def _pairs(self) -> NDArray[np.intp]:
        return np.stack([self.network.reference, self.network.secondary], axis=1)

    @cached_property
    def _inversion(self) -> Inversion:
        functional = self.functions.velocity_functional[np.newaxis]
        return Inversion(self.network, self.linear_gaps, functional)

    def _weights(self, coherence: Floats | None) -> Floats | None:
        if coherence is None or self.weights == "none":
            return None
        if self.weights == "coherence":
            return coherence
        if self.looks is None:
            raise ValueError("the variance needs the number of looks")
        weights = np.empty_like(coherence)
        for looks in np.unique(self.looks):
            pairs = self.looks == looks
            weights[pairs] = variance_weights(coherence[pairs], int(looks))
        return weights

    def _mask(self, solution: Solution, series: NDArray[np.float64]) -> NDArray[np.uint8]:
        # A network without redundancy fits any phase, so that its temporal coherence means nothing.
        is_checked = solution.redundancy > 0
        is_low = is_checked & (solution.temporal_coherence < self.min_temporal_coherence)
        mask = np.where(is_low, LOW_TEMPORAL_COHERENCE, 0)
        # What a correction needs and is not known leaves no displacement.
        mask = np.where(np.isnan(series[-1]), NO_GEOMETRY, mask)
        return np.where(solution.valid_pairs == 0, NO_VALID_PAIR, mask).astype(np.uint8)

    def _values(
        self,
        solution: Solution,
        series: NDArray[np.float64],
        corrected: dict[str, NDArray[np.float64]],
        fit: Fit,
        closure: PixelClosure,
        mask: NDArray[np.uint8],
    ) -> dict[str, Floats | NDArray[np.uint8]]:
        is_empty = solution.valid_pairs == 0
        error = larger_error(fit.velocity_variance, solution.variance[0] * PHASE_TO_DISPLACEMENT**2)
        measured = {
            "displacement": series,
            "velocity": fit.coefficients[1],
            "velocity_standard_error": error,
            **self.functions.parameters(fit),
            **corrected,
        }
        corrections_made = {
            "temporal_coherence": solution.temporal_coherence,
            "closure_error_share": closure.share,
            **{
                name: np.where(is_empty, np.nan, getattr(solution, name))
                for name in ("redundancy", "gap_count")
            },
            "valid_pairs": solution.valid_pairs,
        }
        values: dict[str, Floats | NDArray[np.uint8]] = {
            name: np.where(mask == 0, item, np.nan).astype(np.float32)
            for name, item in measured.items()
        }
        values |= {name: item.astype(np.float32) for name, item in corrections_made.items()}
        return values | {"mask": mask}

    def _sums(
        self, solution: Solution, fit: Fit, mask: NDArray[np.uint8]
    ) -> dict[str, NDArray[Any]]:
        is_kept = mask == 0
        residual = solution.residual[:, is_kept].astype(np.float64)
        bins = np.linspace(0.0, 1.0, COHERENCE_BINS + 1)
        coherence = np.minimum(solution.temporal_coherence, 1.0)
        return {
            "pair_squares": np.nansum(residual**2, axis=1),
            "pair_pixels": np.isfinite(residual).sum(axis=1),
            "date_squares": (fit.residual[:, is_kept] ** 2).sum(axis=1),
            "mask_pixels": np.bincount(mask, minlength=NO_GEOMETRY + 1),
            "gap_pixels": np.array([np.count_nonzero(is_kept & (solution.gap_count > 0))]),
            "coherence_histogram": np.histogram(coherence[mask != NO_VALID_PAIR], bins)[0],
        }
