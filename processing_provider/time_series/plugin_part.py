"""What the plugin adds to QGIS's window for time series."""

from pathlib import Path

from qgis.core import Qgis, QgsApplication, QgsVectorLayer
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QAction

from .dock import TimeSeriesDock
from .frame_bar import FrameBar
from .places.area_tool import AreaTool
from .places.map_tool import PickTool
from .places.markers import Markers

_ICON = str(Path(__file__).with_name("icon.svg"))

_MOST_SELECTED = 8
"""More curves than colors cannot be told apart."""


class TimeSeries:
    """The action, and what it opens: the dock and the map tool, made at first use."""

    def __init__(self, interface, menu):
        self._interface = interface
        self._menu = menu
        self.dock = self.tool = self.area_tool = self.reference_tool = self._markers = None
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
            for tool in self._tools():
                canvas.unsetMapTool(tool)
            canvas.destinationCrsChanged.disconnect(self._mark)
            self._interface.currentLayerChanged.disconnect(self.dock.choose)
            self._markers.clear()
            self.dock.detach()
            self._interface.removeDockWidget(self.dock)
            self.dock.deleteLater()
            for tool in self._tools():
                tool.deleteLater()
            self.dock = self.tool = self.area_tool = self.reference_tool = self._markers = None
        self.action.deleteLater()

    def _make(self):
        canvas = self._interface.mapCanvas()
        self._markers = Markers(canvas)
        self.tool = PickTool(canvas)
        self.tool.setAction(self.action)
        self.tool.picked.connect(self._pick)
        self.area_tool = AreaTool(canvas)
        area_action = self._make_tool_action(
            self.area_tool,
            "mActionCapturePolygon",
            "Draw an area",
            "Click the corners of an area, and finish with a right click: mean and standard "
            "deviation of the pixels inside are drawn",
        )
        self.area_tool.setAction(area_action)
        self.area_tool.drawn.connect(self._add_area)
        self.reference_tool = PickTool(canvas)
        reference_action = self._make_tool_action(
            self.reference_tool,
            "mActionPinLabels",
            "Choose another reference area",
            "Click a place that does not move: all series become relative to the median of the "
            "pixels around it. The maps stay as they are",
        )
        self.reference_tool.setAction(reference_action)
        self.reference_tool.picked.connect(self._refer)
        self._selected_action = QAction(
            QgsApplication.getThemeIcon("/mActionToggleSelectedLayers.svg"),
            "Use the selected polygons",
            self.area_tool,
        )
        self._selected_action.setToolTip(
            "Each polygon that is selected in the active layer becomes an area"
        )
        self._selected_action.triggered.connect(self._add_selected)
        self.dock = TimeSeriesDock(
            [self.action, area_action, self._selected_action],
            reference_action,
            FrameBar(canvas),
            self._interface.mainWindow(),
        )
        self.dock.places_changed.connect(self._mark)
        self.dock.opened.connect(self._mark)
        self.dock.closed.connect(self._close)
        canvas.destinationCrsChanged.connect(self._mark)
        self._interface.currentLayerChanged.connect(self.dock.choose)
        self._interface.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self.dock)

    def _make_tool_action(self, tool, icon, text, tip):
        action = QAction(QgsApplication.getThemeIcon(f"/{icon}.svg"), text, tool)
        action.setCheckable(True)
        action.setToolTip(tip)
        action.triggered.connect(lambda: self._canvas.setMapTool(tool))
        return action

    def _tools(self):
        return self.tool, self.area_tool, self.reference_tool

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

    def _add_area(self, polygon):
        self.dock.add_areas([polygon], self._canvas.mapSettings().destinationCrs())

    def _add_selected(self):
        """Take the selected polygons of the active layer, and say so where there are none."""
        layer = self._interface.activeLayer()
        chosen = layer.selectedFeatures() if isinstance(layer, QgsVectorLayer) else []
        polygons = [item.geometry() for item in chosen]
        polygons = [item for item in polygons if item.type() == Qgis.GeometryType.Polygon]
        if polygons:
            self.dock.add_areas(polygons[:_MOST_SELECTED], layer.crs())
        else:
            self._interface.messageBar().pushInfo(
                "HyP3 Stack",
                "Select polygons of a vector layer first, and make that layer the active one.",
            )

    def _mark(self):
        self._markers.show(self.dock.places, self.dock.reference)

    def _close(self):
        self._markers.clear()
        for tool in self._tools():
            self._canvas.unsetMapTool(tool)
