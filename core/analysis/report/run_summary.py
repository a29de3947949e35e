"""What a run of an inversion says of its result."""

from __future__ import annotations

import numpy as np

from ...network.pair_network import YEAR_DAYS
from ...run.reporter import Reporter
from ..inversion_run import Inverted
from ..series_analysis import LOW_TEMPORAL_COHERENCE, NO_GEOMETRY, NO_VALID_PAIR
from ..unwrapping.closure import CLOSURE_SUMS, FADING, ClosureStatistics

_NAMED = 5

_REMEDIES = {
    NO_VALID_PAIR: "no pair has phase and coherence there; lower MIN_COHERENCE, or choose WEIGHTS "
    "none",
    LOW_TEMPORAL_COHERENCE: "their temporal_coherence is too low; lower MIN_TEMPORAL_COHERENCE, or "
    "choose another REFERENCE_AREA",
    NO_GEOMETRY: "the layer dem lacks their heights; leave TROPOSPHERE out",
}
"""Why pixels have no displacement, and what helps."""


def report_result(inverted: Inverted, reporter: Reporter) -> None:
    """Report how many pixels have displacement, and why others have none."""
    sums = inverted.sums
    if not sums:
        return
    counts = sums["mask_pixels"]
    total = max(int(counts.sum()), 1)
    reporter.info(
        f"{100 * counts[0] / total:.1f} % of the pixels have displacement; "
        f"{100 * counts[NO_VALID_PAIR] / total:.1f} % have no valid pair, "
        f"{100 * counts[LOW_TEMPORAL_COHERENCE] / total:.1f} % too little temporal coherence"
        + (f", {100 * counts[NO_GEOMETRY] / total:.1f} % no height" * bool(counts[NO_GEOMETRY]))
        + "."
    )
    if not counts[0]:
        reporter.warning(
            "No pixel has displacement, mostly because "
            f"{_REMEDIES[max(_REMEDIES, key=counts.item)]}."
        )
    _report_closure(inverted, reporter)
    gaps = int(sums["gap_pixels"][0])
    if gaps:
        reporter.warning(
            f"In {gaps:,} pixels with displacement the network has gaps, across which it is "
            "assumed; gap_count shows where."
        )


def _report_closure(inverted: Inverted, reporter: Reporter) -> None:
    """Report what triangles of pairs know of unwrapping and fading."""
    network, sums = inverted.network, inverted.sums
    pairs = np.stack([network.reference, network.secondary], axis=1)
    closure = ClosureStatistics(pairs, network.years * YEAR_DAYS)
    for name in CLOSURE_SUMS:
        getattr(closure, name)[...] = sums[f"closure_{name}"]
    days = network.times.astype("datetime64[D]")

    def named(numbers: list[int]) -> str:
        shown = [f"{days[pairs[n, 0]]} to {days[pairs[n, 1]]}" for n in numbers[:_NAMED]]
        more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
        return ", ".join(shown) + more

    if closure.errors:
        reporter.info(
            f"{100 * closure.share:.2f} % of the triangles of pairs do not close by whole cycles; "
            f"most to blame: {named(list(closure.worst_pairs())[:3])}."
        )
    if closure.unchecked.size:
        reporter.info(f"No triangle checks the unwrapping of {named(closure.unchecked.tolist())}.")
    if abs(closure.fading) > FADING:
        reporter.warning(
            f"Triangles of short pairs miss closing by {closure.fading:.2f} rad in the mean, a "
            "sign of soil or plants whose change fades, which short pairs take for motion; longer "
            "pairs lower the error of the velocity."
        )
