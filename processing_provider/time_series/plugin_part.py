"""What the plugin adds to QGIS's window for time series."""

from pathlib import Path

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from .dock import TimeSeriesDock
from .frame_bar import FrameBar
from .places.map_tool import PickTool
from .places.markers import Markers

_ICON = str(Path(__file__).with_name("icon.svg"))


class TimeSeries:
    """The action, and what it opens: the dock and the map tool, made at first use."""

    def __init__(self, interface, menu):
        self._interface = interface
        self._menu = menu
        self.dock = self.tool = self.reference_tool = self._markers = None
        self.action = QAction(QIcon(_ICON), "Time series on a click", interface.mainWindow())
        self.action.setObjectName("hyp3StackTimeSeries")
        self.action.setCheckable(True)
        self.action.setToolTip("Draw what a stack holds at the points that you click")
        self.action.triggered.connect(self.open)
        interface.addPluginToMenu(menu, self.action)
        interface.addToolBarIcon(self.action)

    def open(self, *ignored):
        """Show the dock and pick points from now on."""
        if self.dock is None:
            self._make()
        self.dock.setUserVisible(True)
        self.dock.choose(self._interface.activeLayer())
        self._interface.mapCanvas().setMapTool(self.tool)
        # A click on it while the tool is active has unchecked it.
        self.action.setChecked(True)

    def unload(self):
        """Remove everything."""
        self._interface.removePluginMenu(self._menu, self.action)
        self._interface.removeToolBarIcon(self.action)
        if self.dock is not None:
            canvas = self._interface.mapCanvas()
            canvas.unsetMapTool(self.tool)
            canvas.unsetMapTool(self.reference_tool)
            canvas.destinationCrsChanged.disconnect(self._mark)
            self._interface.currentLayerChanged.disconnect(self.dock.choose)
            self._markers.clear()
            self.dock.detach()
            self._interface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            self.tool.deleteLater()
            self.reference_tool.deleteLater()
            self.dock = self.tool = self.reference_tool = self._markers = None
        self.action.deleteLater()

    def _make(self):
        canvas = self._interface.mapCanvas()
        self._markers = Markers(canvas)
        self.tool = PickTool(canvas)
        self.tool.setAction(self.action)
        self.tool.picked.connect(self._pick)
        self.reference_tool = PickTool(canvas)
        reference_action = self._make_reference_action()
        self.reference_tool.setAction(reference_action)
        self.reference_tool.picked.connect(self._refer)
        self.dock = TimeSeriesDock(
            self.action, reference_action, FrameBar(canvas), self._interface.mainWindow()
        )
        self.dock.points_changed.connect(self._mark)
        self.dock.opened.connect(self._mark)
        self.dock.closed.connect(self._close)
        canvas.destinationCrsChanged.connect(self._mark)
        self._interface.currentLayerChanged.connect(self.dock.choose)
        self._interface.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)

    def _make_reference_action(self):
        icon = QgsApplication.getThemeIcon("/mActionPinLabels.svg")
        action = QAction(icon, "Choose another reference area", self.reference_tool)
        action.setCheckable(True)
        action.setToolTip(
            "Click a place that does not move: all series become relative to the median of the "
            "pixels around it. The maps stay as they are"
        )
        action.triggered.connect(lambda: self._canvas.setMapTool(self.reference_tool))
        return action

    @property
    def _canvas(self):
        return self._interface.mapCanvas()

    def _refer(self, place, adding):
        self.dock.refer(place, self._canvas.mapSettings().destinationCrs())
        # The next click picks a point again.
        self._canvas.setMapTool(self.tool)

    def _pick(self, place, adding):
        crs = self._interface.mapCanvas().mapSettings().destinationCrs()
        self.dock.setUserVisible(True)
        self.dock.pick(place, crs, adding)

    def _mark(self):
        self._markers.show(self.dock.points, self.dock.reference)

    def _close(self):
        self._markers.clear()
        self._canvas.unsetMapTool(self.tool)
        self._canvas.unsetMapTool(self.reference_tool)
