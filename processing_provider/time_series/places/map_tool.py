"""The map tool that picks places."""

from qgis.gui import QgsMapTool
from qgis.PyQt.QtCore import Qt, pyqtSignal

_ADDING = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier


class PickTool(QgsMapTool):
    """Emits each left click: the point in the CRS of the map, and whether to keep the others."""

    picked = pyqtSignal(object, bool)

    def __init__(self, canvas):
        super().__init__(canvas)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def canvasReleaseEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton:
            adding = bool(event.modifiers() & _ADDING)
            self.picked.emit(event.mapPoint(), adding)
