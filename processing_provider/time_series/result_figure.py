"""Makes a figure of the series of some places, in the units that are shown."""

import math
from dataclasses import replace

from ..layers.displacement_layers import shown_units
from ..layers.styles import DECIBELS
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
    curves = [
        _curve(number, picked, result, factor) for number, picked in enumerate(result.picked, 1)
    ]
    if result.scale in DECIBELS:
        units = "dB"
        curves = [_in_decibels(curve, DECIBELS[result.scale]) for curve in curves]
    return Figure(
        result.begins,
        result.ends,
        curves,
        f"{result.variable} ({units})" if units else result.variable,
        units,
    )


def _in_decibels(curve, of_ten):
    """Return a curve of backscatter as the map shows it, with errors to first order."""
    errors = [
        of_ten / math.log(10.0) * error / value if value > 0.0 else math.nan
        for value, error in zip(curve.values, curve.errors)  # noqa: B905 - Python 3.9
    ]
    values = [of_ten * math.log10(value) if value > 0.0 else math.nan for value in curve.values]
    return replace(curve, values=values, errors=errors)


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
