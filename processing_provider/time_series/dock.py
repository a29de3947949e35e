"""The dock with the plot, the points and what can be done with them."""

from html import escape

from qgis.core import QgsApplication, QgsProject
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import QSize, Qt, QTimer, pyqtSignal
from qgis.PyQt.QtGui import QColor, QIcon, QPixmap
from qgis.PyQt.QtWidgets import (
    QAction,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QSplitter,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..layers.displacement_layers import shown_units
from ..layers.stack_description import StackFileError
from .export import copy, save
from .plot.plot import Curve, Plot
from .series.picking import COLORS, OUTSIDE, REFERENCE_COLOR, Point, can_invert, can_refer, read
from .series.point_analysis import MASKED
from .series.point_texts import describe_point, velocity_text
from .series.reader import Readers
from .stack_layers import series_layer, stack_layers

WINDOWS = (1, 3, 5, 7, 9, 15, 25)
_NAME_LENGTH = 16
_LEGEND_LENGTH = 30
_FIT_PARTS = 200
"""Straight parts that the line of a fit is drawn with."""


class TimeSeriesDock(QgsDockWidget):
    """Shows the series of some points in one layer.

    ``result`` is what is drawn, None where nothing could be read. ``reference`` is the place that
    series are relative to, None for the stack's own. ``points_changed`` says that points or the
    reference came or went.
    """

    points_changed = pyqtSignal()

    def __init__(self, pick_action, reference_action, frame_bar, parent=None):
        super().__init__("HyP3 Stack: time series", parent)
        self.setObjectName("hyp3StackTimeSeries")
        self.points = []
        self.reference = None
        self.result = None
        self._readers = Readers()
        self.frame_bar = frame_bar
        self._build(pick_action, reference_action)
        # QGIS announces new layers before they have their place in the tree.
        self._listing = QTimer(self)
        self._listing.setSingleShot(True)
        self._listing.setInterval(0)
        self._listing.timeout.connect(self.list_layers)
        for signal in self._signals():
            signal.connect(self._list_soon)
        project = QgsProject.instance()
        project.cleared.connect(self._forget)
        # Files of stacks that are not in the project any more may be replaced, even on Windows.
        project.layersRemoved.connect(self._close_files)
        self.closed.connect(self._close_files)
        self.opened.connect(self.refresh)
        self.list_layers()
        self.refresh()

    def detach(self):
        """Stop listening to the project, and close all files."""
        self._listing.stop()
        for signal in self._signals():
            signal.disconnect(self._list_soon)
        project = QgsProject.instance()
        project.cleared.disconnect(self._forget)
        project.layersRemoved.disconnect(self._close_files)
        self.frame_bar.detach()
        self._readers.clear()

    def _close_files(self, *ignored):
        self._readers.clear()

    @staticmethod
    def _signals():
        project, root = QgsProject.instance(), QgsProject.instance().layerTreeRoot()
        return (
            project.layersAdded,
            project.layersRemoved,
            root.addedChildren,
            root.removedChildren,
            root.nameChanged,
        )

    def _list_soon(self, *ignored):
        self._listing.start()

    def pick(self, place, crs, adding):
        """Take a point of the map; unless ``adding``, it replaces the others."""
        points = self.points if adding else []
        used = {point.color for point in points}
        free = [color for color in COLORS if color not in used]
        color = free[0] if free else COLORS[len(points) % len(COLORS)]
        self._set_points([*points, Point(place, crs, color)])

    def refer(self, place, crs):
        """Take the area around a point of the map for the reference of all series."""
        self._set_reference(Point(place, crs, REFERENCE_COLOR))

    def clear(self):
        """Remove all points."""
        self._set_points([])

    def _forget(self):
        self.reference = None
        self.clear()

    def choose(self, layer):
        """Draw another layer, if it is one of a stack; the displacement for a map of velocity."""
        layer = series_layer(layer)
        if layer is not None:
            self.list_layers()
            self.layers.setCurrentIndex(self.layers.findData(layer.id()))

    def layer(self):
        """Return the layer that is drawn, or None."""
        return QgsProject.instance().mapLayer(self.layers.currentData() or "")

    def window_size(self):
        """Return the side of the window that is averaged, in pixels."""
        return self.window.currentData()

    def list_layers(self):
        """Offer the layers of the project that are stacks, and keep the chosen one."""
        chosen = self.layers.currentData()
        self.layers.blockSignals(True)
        self.layers.clear()
        for layer, name in stack_layers():
            self.layers.addItem(name, layer.id())
        self.layers.setCurrentIndex(max(0, self.layers.findData(chosen)))
        self.layers.blockSignals(False)
        self.layers.setEnabled(self.layers.count() > 0)
        if self.layers.currentData() != chosen:
            self.refresh()

    def refresh(self, *ignored):
        """Read and draw again, unless nobody sees it."""
        layer, self.result, problem = self.layer(), None, ""
        self.frame_bar.set_layer(layer)
        if layer is not None and self.points and self.isUserVisible():
            # Without an array for series, a large stack takes a second or two.
            QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
            try:
                self.result = read(
                    self._readers,
                    layer,
                    self.points,
                    self.window_size(),
                    self.reference,
                    self.invert_action.isChecked(),
                )
            except StackFileError as error:
                problem = str(error)
            finally:
                QApplication.restoreOverrideCursor()
        self._show(layer, problem)

    def _set_points(self, points):
        self.points = points
        self.refresh()
        self.points_changed.emit()

    def _set_reference(self, reference):
        self.reference = reference
        self.refresh()
        self.points_changed.emit()

    def _show(self, layer, problem):
        self.legend.clear()
        result = self.result
        readable = result is not None and any(p.series is not None for p in result.points)
        for action in (self.copy_action, self.save_action):
            action.setEnabled(readable)
        self.clear_action.setEnabled(bool(self.points))
        self.remove_action.setEnabled(bool(self.points))
        self.invert_button.setVisible(can_invert(layer))
        self.reference_action.setVisible(can_refer(layer))
        self.own_reference_action.setVisible(can_refer(layer) and self.reference is not None)
        self.status.setText(problem)
        if result is None:
            self.plot.show_curves([], [], [], "", problem or self._hint(layer))
            self._describe()
            return
        for number, picked in enumerate(result.points, start=1):
            self.legend.addItem(_legend_item(number, picked, len(result.begins)))
        factor, units = shown_units(result.variable, result.units)
        curves = [
            _curve(number, picked, result, factor)
            for number, picked in enumerate(result.points, start=1)
        ]
        hint = _nothing_to_draw(result)
        self.plot.show_curves(
            result.begins,
            result.ends,
            curves,
            f"{result.variable} ({units})" if units else result.variable,
            hint,
            units,
        )
        place = f"{result.path.name}/{result.group}" if result.group else result.path.name
        self.status.setText(f"Read from {place}")
        self.status.setToolTip(f"<p>{escape(str(result.path))}</p>")
        self._describe()

    def _describe(self):
        """Say in words what is known of the chosen point, or of the last one."""
        points = [] if self.result is None else self.result.points
        chosen = self.legend.selectedItems()
        row = self.legend.row(chosen[-1]) if chosen else len(points) - 1
        texts = []
        if 0 <= row < len(points):
            texts = [describe_point(f"Point {row + 1}", points[row], self.result.units)]
            reference = self.result.reference
            if reference is not None:
                texts.append(
                    f"Relative to the area around {_place(reference)}, the square on the map."
                )
            if self.result.inverted:
                texts.append(self.result.inverted)
        self.description.setText(" ".join(text for text in texts if text))
        self.description.setVisible(bool(self.description.text()))

    def _hint(self, layer):
        if layer is None:
            return "Load a stack with Load stack of the Processing Toolbox first."
        return (
            "Click on the map to see what the stack holds there. Shift or Ctrl with the click "
            "compares one more point."
        )

    def _remove_chosen(self):
        rows = {self.legend.row(item) for item in self.legend.selectedItems()}
        rows = rows or {len(self.points) - 1}
        self._set_points([p for row, p in enumerate(self.points) if row not in rows])

    def _build(self, pick_action, reference_action):
        self.layers = QComboBox()
        self.layers.setToolTip("The layer of a stack that is drawn")
        self.layers.setMinimumContentsLength(_NAME_LENGTH)
        self.layers.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.layers.currentIndexChanged.connect(self.refresh)
        self.window = QComboBox()
        self.window.setToolTip(
            "How many pixels around the point are averaged; missing ones are left out"
        )
        for size in WINDOWS:
            text = "1 pixel" if size == 1 else f"{size} × {size} pixels"
            self.window.addItem(text, size)
        self.window.currentIndexChanged.connect(self.refresh)
        bar = QToolBar()
        bar.setIconSize(QSize(18, 18))
        bar.addAction(pick_action)
        self.reference_action = reference_action
        bar.addAction(reference_action)
        self.own_reference_action = self._action(
            bar,
            "mActionUndo",
            "Go back to the reference of the stack",
            lambda: self._set_reference(None),
        )
        bar.addSeparator()
        self.remove_action = self._action(
            bar, "mActionDeleteSelected", "Remove the chosen point", self._remove_chosen
        )
        self.clear_action = self._action(
            bar, "console/iconClearConsole", "Remove all points", self.clear
        )
        bar.addSeparator()
        self.copy_action = self._action(
            bar, "mActionEditCopy", "Copy the values as a table", lambda: copy(self.result)
        )
        self.save_action = self._action(
            bar, "mActionFileSave", "Save the values as CSV…", lambda: save(self.result, self)
        )
        self.invert_action = QAction("Displacement by date", self)
        self.invert_action.setCheckable(True)
        self.invert_action.setToolTip(
            "Solve the network of pairs at the points by least squares, weighted with coherence: "
            "at once what Invert stack does for all pixels"
        )
        self.invert_action.toggled.connect(self.refresh)
        # Beside the tool bar, which hides what a narrow window has no room for.
        self.invert_button = QToolButton()
        self.invert_button.setDefaultAction(self.invert_action)
        self.plot = Plot()
        self.description = QLabel()
        self.description.setTextFormat(Qt.TextFormat.PlainText)
        self.description.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.description.setWordWrap(True)
        self.legend = QListWidget()
        self.legend.itemSelectionChanged.connect(self._describe)
        self.legend.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.status = QLabel()
        # What reads like HTML in a name or in an error of GDAL is text.
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A long sentence does not widen the window; it stands in the plot as well.
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        top = QHBoxLayout()
        for widget, stretch in (
            (bar, 0),
            (self.invert_button, 0),
            (self.layers, 2),
            (self.window, 0),
            (self.status, 1),
        ):
            top.addWidget(widget, stretch)
        split = QSplitter()
        left = QWidget()
        beneath = QVBoxLayout(left)
        beneath.setContentsMargins(0, 0, 0, 0)
        beneath.addWidget(self.frame_bar)
        beneath.addWidget(self.plot, 1)
        beneath.addWidget(self.description)
        split.addWidget(left)
        split.addWidget(self.legend)
        split.setStretchFactor(0, 1)
        split.setCollapsible(0, False)
        # The names and counts of points fit into this.
        self.legend.setMinimumWidth(self.fontMetrics().horizontalAdvance("0" * _LEGEND_LENGTH))
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(split, 1)
        self.setWidget(content)

    def _action(self, bar, icon, text, call):
        action = QAction(QgsApplication.getThemeIcon(f"/{icon}.svg"), text, self)
        action.triggered.connect(lambda checked=False: call())
        bar.addAction(action)
        return action


def _nothing_to_draw(result):
    """Return what stands in the place of an empty plot."""
    reasons = [picked.reason for picked in result.points]
    if MASKED in reasons:
        return "This pixel is masked, for the reason that is given below."
    if all(picked.series is None for picked in result.points) and OUTSIDE in reasons:
        return "The point lies outside of the stack."
    return "The stack has no data at this point."


def _curve(number, picked, result, factor):
    """Return what is drawn of a point, in the unit that is shown."""
    if picked.series is None:
        return Curve(f"Point {number}", picked.point.color, [])
    line, residuals = [], []
    if picked.fit is not None:
        begin, span = result.begins[0], result.ends[-1] - result.begins[0]
        moments = [begin + span * part / _FIT_PARTS for part in range(_FIT_PARTS + 1)]
        line = [(moment, factor * picked.fit.at(moment)) for moment in moments]
        residuals = [factor * residual for residual in picked.fit.residuals]
    return Curve(
        f"Point {number}",
        picked.point.color,
        [factor * value for value in picked.series.values],
        [factor * error for error in result.errors],
        line,
        residuals,
    )


def _legend_item(number, picked, steps):
    count = picked.series.with_data if picked.series else 0
    state = picked.reason or f"{count} of {steps} with data"
    if picked.facts is not None and not picked.reason:
        state = velocity_text(picked.facts) or state
    pixmap = QPixmap(12, 12)
    pixmap.fill(QColor(picked.point.color))
    item = QListWidgetItem(QIcon(pixmap), f"Point {number}: {_place(picked)}\n{state}")
    item.setToolTip(f"Row {picked.row}, column {picked.column}")
    return item


def _place(picked):
    """Return the coordinates of a point in the CRS of the stack, which may be in degrees."""
    decimals = 5 if abs(picked.x) <= 360 and abs(picked.y) <= 360 else 0
    return f"{picked.x:.{decimals}f}, {picked.y:.{decimals}f}"
