"""Places whose series are drawn: points and areas of the map."""

from dataclasses import dataclass

from qgis.core import (
    Qgis,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsGeometry,
    QgsProject,
)

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
REFERENCE_COLOR = "#222222"


@dataclass(frozen=True)
class Place:
    """A point or polygon that was chosen, in the CRS that the map or layer had then."""

    geometry: QgsGeometry
    crs: QgsCoordinateReferenceSystem
    color: str

    @classmethod
    def at(cls, point, crs, color):
        """Return the place of a point."""
        return cls(QgsGeometry.fromPointXY(point), crs, color)

    @property
    def is_area(self):
        """Return whether it is a polygon."""
        return self.geometry.type() == Qgis.GeometryType.Polygon

    def to(self, crs):
        """Return the geometry in another CRS; raises QgsCsException."""
        geometry = QgsGeometry(self.geometry)
        geometry.transform(QgsCoordinateTransform(self.crs, crs, QgsProject.instance()))
        return geometry


def free_color(places):
    """Return a color that none of the places has, as long as there is one."""
    used = {place.color for place in places}
    free = [color for color in COLORS if color not in used]
    return free[0] if free else COLORS[len(places) % len(COLORS)]


def name_of(number, place):
    """Return what a place is called in the list and the plot."""
    return f"{'Area' if place.is_area else 'Point'} {number}"
