"""Turns series into displacement with a fit, and says what they rest on."""

import math
from dataclasses import replace

from ....core.products.sentinel1 import PHASE_TO_DISPLACEMENT
from ...layers.displacement_layers import DISPLACEMENT
from ..least_squares.point_inversion import invert, pass_starts
from ..least_squares.point_weights import known_looks, weigh
from ..least_squares.series_fit import fit, functions_of
from .displacement_facts import PointFacts

MASKED = "masked"


def with_facts(found, reader):
    """Add what the file says of pixels and dates, and fit the functions of time that it names.

    The velocity of the file is that of its own reference and of single pixels; that of anything
    else follows from the series that is drawn. Other facts are of points, not of areas.
    """
    functions = functions_of(reader.stack.variables, found.begins)
    as_in_file = found.reference is None and found.window == 1
    made = []
    for picked in found.picked:
        if picked.series is None:
            made.append(picked)
            continue
        is_area = picked.place.is_area
        facts = PointFacts() if is_area else reader.facts_at(picked.row, picked.column)
        fitted = fit(functions, found.begins, picked.series.values)
        if fitted is not None and not (as_in_file and math.isfinite(facts.velocity)):
            facts = replace(facts, velocity=fitted.velocity, velocity_error=fitted.velocity_error)
        reason = MASKED if picked.reason and facts.reasons else picked.reason
        made.append(replace(picked, fit=fitted, facts=facts, reason=reason))
    return replace(found, picked=made, errors=reader.date_errors())


def is_referred_to_one_point(variable):
    """Return whether all pairs of a stack are relative to the same point (REFERENCE_POINT)."""
    return "reference_point_x" in str(variable.attributes.get("comment", ""))


def invert_places(found, coherence, stack, has_reference):
    """Return displacement by date from the phases of pairs, weighted as hyp3:invertstack does.

    ``coherence`` are the series of the coherence at each place, None where it is not known.
    ``stack`` says how many looks the pairs have, ``has_reference`` whether they have one reference
    point.
    """
    made, times = [], sorted(set(pass_starts([*found.begins, *found.ends]).values()))
    looks, how = known_looks(stack.looks_range, stack.looks_azimuth), "none"
    for picked, known in zip(found.picked, coherence):  # noqa: B905 - Python 3.9
        solution = None
        if picked.series is not None:
            values = picked.series.values
            weights, how = weigh(None if known is None else known.values, looks)
            solution = invert(found.begins, found.ends, values, weights)
        if solution is None:
            made.append(replace(picked, series=None, reason=picked.reason or "no data"))
            continue
        values = [phase * PHASE_TO_DISPLACEMENT for phase in solution.phases]
        fitted = fit(functions_of((), times), times, values)
        facts = PointFacts(
            math.nan if fitted is None else fitted.velocity,
            math.nan if fitted is None else fitted.velocity_error,
            solution.temporal_coherence,
            solution.valid_pairs,
            solution.redundancy,
            solution.gap_count,
            len(found.begins),
        )
        series = replace(
            picked.series,
            values=values,
            counts=[max(picked.series.counts)] * len(values),
            deviations=[math.nan] * len(values),
        )
        made.append(replace(picked, series=series, fit=fitted, facts=facts, reason=""))
    remarks = [f"Least squares on the pairs, as Invert stack does with WEIGHTS={how}."]
    if found.reference is None and not has_reference:
        remarks.append(
            "Each pair is relative to a point of its own: choose a reference area for all of them."
        )
    return replace(
        found,
        variable=DISPLACEMENT,
        title="displacement by least squares",
        units="m",
        begins=times,
        ends=times,
        picked=made,
        inverted=" ".join(remarks),
    )
