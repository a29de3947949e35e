"""The map tool that draws areas."""

from qgis.core import Qgis, QgsGeometry
from qgis.gui import QgsMapTool, QgsRubberBand
from qgis.PyQt.QtCore import Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor

_LEAST_CORNERS = 3
_WIDTH = 2
_FILL_ALPHA = 40


class AreaTool(QgsMapTool):
    """Each left click is a corner; a right click or Return ends, Backspace takes a corner back.

    ``drawn`` passes on the polygon in the CRS of the map.
    """

    drawn = pyqtSignal(object)

    def __init__(self, canvas):
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._corners = []
        self._band = None

    def canvasReleaseEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton:
            self._corners.append(event.mapPoint())
            self._show(event.mapPoint())
        elif event.button() == Qt.MouseButton.RightButton:
            self._end()

    def canvasDoubleClickEvent(self, event):
        # Its first click was the last corner.
        self._end()

    def canvasMoveEvent(self, event):
        if self._corners:
            self._show(event.mapPoint())

    def keyPressEvent(self, event):
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._end()
        elif event.key() == Qt.Key.Key_Escape:
            self._forget()
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete) and self._corners:
            self._corners.pop()
            self._show()
        else:
            return
        event.accept()

    def deactivate(self):
        self._forget()
        super().deactivate()

    def _end(self):
        corners = self._corners
        if len(corners) >= _LEAST_CORNERS:
            self._forget()
            self.drawn.emit(QgsGeometry.fromPolygonXY([[*corners, corners[0]]]).makeValid())

    def _show(self, *cursor):
        if self._band is None:
            self._band = QgsRubberBand(self.canvas(), Qgis.GeometryType.Polygon)
            color = QColor("black")
            self._band.setColor(color)
            self._band.setWidth(_WIDTH)
            color.setAlpha(_FILL_ALPHA)
            self._band.setFillColor(color)
        self._band.reset(Qgis.GeometryType.Polygon)
        for corner in [*self._corners, *cursor]:
            self._band.addPoint(corner)

    def _forget(self):
        self._corners = []
        if self._band is not None:
            self.canvas().scene().removeItem(self._band)
            self._band = None
