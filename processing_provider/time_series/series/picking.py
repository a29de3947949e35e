"""Turns places of the map into series of a layer."""

import math
from dataclasses import dataclass, field, replace

from qgis.core import QgsCsException

from ....core.products.layers import COHERENCE, UNWRAPPED_PHASE
from ...layers.displacement_layers import DISPLACEMENT, is_relative
from ...layers.layer_source import locate
from ...layers.stack_description import StackFileError
from ..places.place import Place
from .displacement_series import invert_places, is_referred_to_one_point, with_facts
from .reader import Quality

OUTSIDE = "outside of the stack"
TOO_SMALL = "without the center of a pixel"


@dataclass(frozen=True)
class Picked:
    """A place with its series, or with the reason why there is none.

    Coordinates and pixel are those of the point, or of the middle of the area. Where a series is a
    displacement, there are the functions of time that were fitted to it, and facts on its quality.
    """

    place: Place
    x: float = 0.0
    y: float = 0.0
    row: int = -1
    column: int = -1
    series: object = None
    reason: str = ""
    fit: object = None
    facts: object = None


@dataclass(frozen=True)
class Result:
    """The series of all places in one layer.

    ``errors`` are the standard errors of each step, none where they are not known. ``reference`` is
    the place whose series was subtracted from all others, None for the reference of the stack.
    ``inverted`` says how phases of pairs were made displacement, empty where they were not. Pixels
    with less coherence than ``least_coherence`` were left out; it is None where the stack has none.
    ``scale`` is that of backscatter, ``power``, ``amplitude`` or ``decibel``.
    """

    variable: str
    title: str
    units: str
    crs: str
    window: int
    begins: list
    ends: list
    path: object
    group: str
    picked: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    reference: object = None
    inverted: str = ""
    least_coherence: object = None
    scale: str = ""


def can_invert(layer):
    """Return whether a layer has phases of pairs, which least squares turn into displacement."""
    location = None if layer is None else locate(layer.source())
    return location is not None and location.variable == UNWRAPPED_PHASE


def can_refer(layer):
    """Return whether the values of a layer count from a reference area that may be another one."""
    location = None if layer is None else locate(layer.source())
    return location is not None and is_relative(location.variable)


def read(readers, layer, places, window=1, reference=None, inverted=False, least_coherence=0.0):
    """Return the series of ``places`` in a stack's layer; raises StackFileError.

    The series around ``reference``, a place, is subtracted where that makes sense. Phases of pairs
    are ``inverted`` to displacement by date if asked for. Pixels of pairs with less than the
    ``least_coherence`` are left out.
    """
    location = locate(layer.source())
    if location is None:
        raise StackFileError(f"{layer.name()} shows no stack.")
    reader = readers.get(location)
    if reader.shape != (layer.height(), layer.width()):
        raise StackFileError(
            f"{location.path} has changed since the layer was loaded; load it again."
        )
    variable, stack = reader.variable, reader.stack
    has_coherence = COHERENCE in stack.variables and stack.variables[COHERENCE].steps > 0
    inverted = inverted and variable.name == UNWRAPPED_PHASE
    coherence = quality = None
    if has_coherence and (inverted or least_coherence):
        coherence = readers.get(replace(location, variable=COHERENCE))
        quality = Quality(coherence, least_coherence) if least_coherence else None
    base = None
    if reference is not None and is_relative(variable.name):
        base = _reference(reader, layer, reference)
    found = Result(
        variable.name,
        variable.long_name,
        "" if variable.units == "1" else variable.units,
        layer.crs().authid() or layer.crs().toWkt(),
        window,
        stack.begins,
        stack.ends,
        reader.path,
        reader.group,
        [_pick(reader, layer, place, window, base, quality) for place in places],
        reference=base,
        least_coherence=least_coherence if has_coherence else None,
        scale=variable.attributes.get("scale", ""),
    )
    if variable.name == DISPLACEMENT:
        return with_facts(found, reader)
    if inverted:
        weights = [None] * len(places)
        if coherence is not None:
            weights = [_series(coherence, layer, picked, window) for picked in found.picked]
        return invert_places(found, weights, stack, is_referred_to_one_point(variable))
    return found


def _pick(reader, layer, place, window, base, quality):
    picked = _locate(layer, place)
    if picked.reason:
        return picked
    series = _series(reader, layer, picked, window, quality)
    if series is None:
        return replace(picked, reason=TOO_SMALL)
    if base is not None:
        series = _difference(series, base.series)
    return replace(picked, series=series, reason="" if series.with_data else "no data")


def _series(reader, layer, picked, window, quality=None):
    """Return what a layer has at a place that lies in it; None where no pixel's center does."""
    if picked.reason in (OUTSIDE, TOO_SMALL):
        return None
    if picked.place.is_area:
        return reader.read_area(picked.place.to(layer.crs()), layer.extent(), quality)
    return reader.read(picked.row, picked.column, window, quality)


def _locate(layer, place):
    """Return a place with its pixel, or with a reason where it has none."""
    try:
        geometry = place.to(layer.crs())
    except QgsCsException:
        return Picked(place, reason=OUTSIDE)
    extent, middle = layer.extent(), geometry.boundingBox().center()
    column = int((middle.x() - extent.xMinimum()) // (extent.width() / layer.width()))
    row = int((extent.yMaximum() - middle.y()) // (extent.height() / layer.height()))
    is_inside = 0 <= row < layer.height() and 0 <= column < layer.width()
    if place.is_area:
        is_inside = extent.intersects(geometry.boundingBox())
    return Picked(place, middle.x(), middle.y(), row, column, reason="" if is_inside else OUTSIDE)


def _reference(reader, layer, place):
    picked = _locate(layer, place)
    series = None if picked.reason else reader.read_reference(picked.row, picked.column)
    if series is None or not series.with_data:
        reason = picked.reason or "where the stack has no data"
        raise StackFileError(
            f"The reference area that you chose lies {reason}; choose another place, or go back to "
            "the reference of the stack."
        )
    return replace(picked, series=series)


def _difference(series, base):
    values = [value - other for value, other in zip(series.values, base.values)]  # noqa: B905
    counts = [
        count if math.isfinite(value) else 0
        for value, count in zip(values, series.counts)  # noqa: B905 - Python 3.9
    ]
    return replace(series, values=values, counts=counts)
