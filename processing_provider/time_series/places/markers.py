"""Shows on the map where the places are."""

from qgis.core import Qgis, QgsCsException
from qgis.gui import QgsRubberBand, QgsVertexMarker
from qgis.PyQt.QtGui import QColor

_SIZE = 13
_WIDTH = 2
_FILL_ALPHA = 50


class Markers:
    """Dots and outlines in the colors of the curves, and a square for the reference."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._items = []

    def show(self, places, reference=None):
        """Replace all markers by those of ``places``, and of the reference if there is one."""
        self.clear()
        for place in places:
            self._mark(place, QgsVertexMarker.IconType.ICON_CIRCLE)
        if reference is not None:
            self._mark(reference, QgsVertexMarker.IconType.ICON_BOX)

    def _mark(self, place, icon):
        try:
            geometry = place.to(self._canvas.mapSettings().destinationCrs())
        except QgsCsException:
            return  # This map cannot show the place.
        item = self._outline(geometry, place) if place.is_area else self._dot(geometry, place, icon)
        self._items.append(item)

    def _dot(self, geometry, place, icon):
        marker = QgsVertexMarker(self._canvas)
        marker.setIconType(icon)
        marker.setIconSize(_SIZE)
        marker.setPenWidth(_WIDTH)
        marker.setFillColor(QColor(place.color))
        # An edge that shows on maps of the same color.
        marker.setColor(QColor("white"))
        marker.setCenter(geometry.asPoint())
        return marker

    def _outline(self, geometry, place):
        band = QgsRubberBand(self._canvas, Qgis.GeometryType.Polygon)
        band.setToGeometry(geometry)
        band.setWidth(_WIDTH)
        band.setStrokeColor(QColor(place.color))
        band.setSecondaryStrokeColor(QColor("white"))
        fill = QColor(place.color)
        fill.setAlpha(_FILL_ALPHA)
        band.setFillColor(fill)
        return band

    def clear(self):
        """Remove all markers."""
        for item in self._items:
            self._canvas.scene().removeItem(item)
        self._items.clear()
