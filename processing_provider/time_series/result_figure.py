"""Makes a figure of the series of some places, in the units that are shown."""

from ..layers.displacement_layers import shown_units
from .place_list import coordinates
from .places.place import name_of
from .plot.figure import Curve, Figure
from .series.displacement_series import MASKED
from .series.picking import OUTSIDE, TOO_SMALL

_FIT_PARTS = 200
"""Straight parts that the line of a fit is drawn with."""


def figure_of(result):
    """Return the figure of a result."""
    factor, units = shown_units(result.variable, result.units)
    return Figure(
        result.begins,
        result.ends,
        [_curve(number, picked, result, factor) for number, picked in enumerate(result.picked, 1)],
        f"{result.variable} ({units})" if units else result.variable,
        units,
    )


def why_empty(result):
    """Return what stands in the place of an empty plot."""
    reasons = [picked.reason for picked in result.picked]
    one = "area" if result.picked[-1].place.is_area else "point"
    if MASKED in reasons:
        return "This pixel is masked, for the reason that is given below."
    if all(picked.series is None for picked in result.picked):
        if OUTSIDE in reasons:
            return f"The {one} lies outside of the stack."
        if TOO_SMALL in reasons:
            return "The center of no pixel lies in the area; draw a larger one."
    if result.least_coherence:
        return (
            f"The stack has no data at this {one} with a coherence of at least "
            f"{result.least_coherence:g}."
        )
    return f"The stack has no data at this {one}."


def _curve(number, picked, result, factor):
    """Return what is drawn of a place, in the unit that is shown."""
    name = f"{name_of(number, picked.place)} ({coordinates(picked)})"
    if picked.series is None:
        return Curve(name, picked.place.color, [])
    line, residuals = [], []
    if picked.fit is not None:
        begin, span = result.begins[0], result.ends[-1] - result.begins[0]
        moments = [begin + span * part / _FIT_PARTS for part in range(_FIT_PARTS + 1)]
        line = [(moment, factor * picked.fit.at(moment)) for moment in moments]
        residuals = [factor * residual for residual in picked.fit.residuals]
    errors = picked.series.deviations if picked.place.is_area else result.errors
    return Curve(
        name,
        picked.place.color,
        [factor * value for value in picked.series.values],
        [factor * error for error in errors],
        line,
        residuals,
    )
