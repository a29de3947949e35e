"""Shows on the map where the points are."""

from qgis.core import QgsCsException
from qgis.gui import QgsVertexMarker
from qgis.PyQt.QtGui import QColor

_SIZE = 13
_WIDTH = 2


class Markers:
    """Dots in the colors of the curves, and a square for the reference."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._markers = []

    def show(self, points, reference=None):
        """Replace all markers by those of ``points``, and of the reference if there is one."""
        self.clear()
        for point in points:
            self._mark(point, QgsVertexMarker.IconType.ICON_CIRCLE)
        if reference is not None:
            self._mark(reference, QgsVertexMarker.IconType.ICON_BOX)

    def _mark(self, point, icon):
        try:
            place = point.to(self._canvas.mapSettings().destinationCrs())
        except QgsCsException:
            return  # This map cannot show the place.
        marker = QgsVertexMarker(self._canvas)
        marker.setIconType(icon)
        marker.setIconSize(_SIZE)
        marker.setPenWidth(_WIDTH)
        marker.setFillColor(QColor(point.color))
        # An edge that shows on maps of the same color.
        marker.setColor(QColor("white"))
        marker.setCenter(place)
        self._markers.append(marker)

    def clear(self):
        """Remove all markers."""
        for marker in self._markers:
            self._canvas.scene().removeItem(marker)
        self._markers.clear()
