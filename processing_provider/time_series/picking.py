"""Turns points of the map into series of a layer."""

from dataclasses import dataclass, field

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsPointXY,
    QgsProject,
)

from ..layers.layer_source import locate
from ..layers.stack_description import StackFileError

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
    """A point with its series, or with the reason why there is none."""

    point: Point
    x: float = 0.0
    y: float = 0.0
    row: int = -1
    column: int = -1
    series: object = None
    reason: str = ""


@dataclass(frozen=True)
class Result:
    """The series of all points in one layer."""

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


def read(readers, layer, points, window):
    """Return the series of ``points`` in a stack's layer; raises StackFileError."""
    location = locate(layer.source())
    if location is None:
        raise StackFileError(f"{layer.name()} shows no stack.")
    reader = readers.get(location)
    if reader.shape != (layer.height(), layer.width()):
        raise StackFileError(
            f"{location.path} has changed since the layer was loaded; load it again."
        )
    variable, stack = reader.variable, reader.stack
    return Result(
        variable.name,
        variable.long_name,
        "" if variable.units == "1" else variable.units,
        layer.crs().authid() or layer.crs().toWkt(),
        window,
        stack.begins,
        stack.ends,
        reader.path,
        reader.group,
        [_pick(reader, layer, point, window) for point in points],
    )


def _pick(reader, layer, point, window):
    outside = "outside of the stack"
    try:
        place = point.to(layer.crs())
    except QgsCsException:
        return Picked(point, reason=outside)
    extent = layer.extent()
    column = int((place.x() - extent.xMinimum()) // (extent.width() / layer.width()))
    row = int((extent.yMaximum() - place.y()) // (extent.height() / layer.height()))
    if not (0 <= row < layer.height() and 0 <= column < layer.width()):
        return Picked(point, place.x(), place.y(), row, column, reason=outside)
    series = reader.read(row, column, window)
    reason = "" if series.with_data else "no data"
    return Picked(point, place.x(), place.y(), row, column, series, reason)
