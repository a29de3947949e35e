"""Turns points of the map into series of a layer."""

import math
from dataclasses import dataclass, field, replace

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
)

from ....core.products.layers import COHERENCE, UNWRAPPED_PHASE
from ...layers.displacement_layers import DISPLACEMENT, is_relative
from ...layers.layer_source import locate
from ...layers.stack_description import StackFileError
from .point_analysis import invert_points, is_referred_to_one_point, with_facts
from .reader import Series

COLORS = (
    "#1f77b4",
    "#d62728",
    "#2ca02c",
    "#ff7f0e",
    "#9467bd",
    "#17becf",
    "#8c564b",
    "#e377c2",
)
OUTSIDE = "outside of the stack"
REFERENCE_COLOR = "#222222"


@dataclass(frozen=True)
class Point:
    """A place that was clicked, in the CRS that the map had then."""

    place: QgsPointXY
    crs: QgsCoordinateReferenceSystem
    color: str

    def to(self, crs):
        """Return the place in another CRS; raises QgsCsException."""
        transform = QgsCoordinateTransform(self.crs, crs, QgsProject.instance())
        return transform.transform(self.place)


@dataclass(frozen=True)
class Picked:
    """A point with its series, or with the reason why there is none.

    Where a series is a displacement, there are the functions of time that were fitted to it, and
    facts on its quality.
    """

    point: Point
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
    """The series of all points in one layer.

    ``errors`` are the standard errors of each step, none where they are not known. ``reference`` is
    the place whose series was subtracted from all others, None for the reference of the stack.
    ``inverted`` says how phases of pairs were made displacement, empty where they were not.
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
    points: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    reference: object = None
    inverted: str = ""


def can_invert(layer):
    """Return whether a layer has phases of pairs, which least squares turn into displacement."""
    location = None if layer is None else locate(layer.source())
    return location is not None and location.variable == UNWRAPPED_PHASE


def can_refer(layer):
    """Return whether the values of a layer count from a reference area that may be another one."""
    location = None if layer is None else locate(layer.source())
    return location is not None and is_relative(location.variable)


def read(readers, layer, points, window, reference=None, inverted=False):
    """Return the series of ``points`` in a stack's layer; raises StackFileError.

    The series around ``reference``, a point, is subtracted where that makes sense. Phases of pairs
    are ``inverted`` to displacement by date if asked for.
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
        [_pick(reader, layer, point, window, base) for point in points],
        reference=base,
    )
    if variable.name == DISPLACEMENT:
        return with_facts(found, reader)
    if inverted and variable.name == UNWRAPPED_PHASE:
        coherence = None
        if COHERENCE in stack.variables:
            coherence = readers.get(replace(location, variable=COHERENCE))
        return invert_points(found, coherence, is_referred_to_one_point(variable))
    return found


def _pick(reader, layer, point, window, base):
    picked = _locate(layer, point)
    if picked.reason:
        return picked
    series = reader.read(picked.row, picked.column, window)
    if base is not None:
        series = _difference(series, base.series)
    return replace(picked, series=series, reason="" if series.with_data else "no data")


def _locate(layer, point):
    """Return a point with its pixel, or with a reason where it has none."""
    try:
        place = point.to(layer.crs())
    except QgsCsException:
        return Picked(point, reason=OUTSIDE)
    extent = layer.extent()
    column = int((place.x() - extent.xMinimum()) // (extent.width() / layer.width()))
    row = int((extent.yMaximum() - place.y()) // (extent.height() / layer.height()))
    is_inside = 0 <= row < layer.height() and 0 <= column < layer.width()
    return Picked(point, place.x(), place.y(), row, column, reason="" if is_inside else OUTSIDE)


def _reference(reader, layer, point):
    picked = _locate(layer, point)
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
    return Series(values, counts)
