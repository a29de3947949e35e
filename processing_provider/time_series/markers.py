"""Shows on the map where the points are."""

from qgis.core import QgsCsException
from qgis.gui import QgsVertexMarker
from qgis.PyQt.QtGui import QColor

_SIZE = 13
_WIDTH = 3


class Markers:
    """Crosses in the colors of the curves."""

    def __init__(self, canvas):
        self._canvas = canvas
        self._markers = []

    def show(self, points):
        """Replace all markers by those of ``points``."""
        self.clear()
        crs = self._canvas.mapSettings().destinationCrs()
        for point in points:
            try:
                place = point.to(crs)
            except QgsCsException:
                continue  # This map cannot show the place.
            marker = QgsVertexMarker(self._canvas)
            marker.setIconType(QgsVertexMarker.IconType.ICON_CROSS)
            marker.setIconSize(_SIZE)
            marker.setPenWidth(_WIDTH)
            marker.setColor(QColor(point.color))
            marker.setCenter(place)
            self._markers.append(marker)

    def clear(self):
        """Remove all markers."""
        for marker in self._markers:
            self._canvas.scene().removeItem(marker)
        self._markers.clear()
