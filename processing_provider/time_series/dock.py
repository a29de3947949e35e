"""The dock with the plot, the places and what can be done with them."""

from html import escape

from qgis.core import QgsProject
from qgis.gui import QgsDockWidget
from qgis.PyQt.QtCore import Qt, QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QApplication,
    QLabel,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from ..layers.stack_description import StackFileError
from .dock_bar import DockBar
from .export import copy, copy_picture, save, save_picture
from .place_list import PlaceList, coordinates
from .places.place import REFERENCE_COLOR, Place, free_color, name_of
from .places.project_places import keep, kept_places
from .plot.figure import Figure
from .plot.plot import Plot
from .result_figure import figure_of, why_empty
from .series.picking import can_invert, can_refer, read
from .series.place_texts import describe_place
from .series.reader import Readers
from .stack_layers import series_layer, stack_layers


class TimeSeriesDock(QgsDockWidget):
    """Shows the series of some places in one layer.

    ``result`` is what is drawn, None where nothing could be read. ``reference`` is the place that
    series are relative to, None for the stack's own. ``places_changed`` says that places or the
    reference came or went. Both are kept with the project.
    """

    places_changed = pyqtSignal()

    def __init__(self, map_actions, reference_action, frame_bar, parent=None):
        super().__init__("HyP3 Stack: time series", parent)
        self.setObjectName("hyp3StackTimeSeries")
        self.places = []
        self.reference = None
        self.result = self._kept = None
        self._readers = Readers()
        self.frame_bar = frame_bar
        self._build(map_actions, reference_action)
        # QGIS announces new layers before they have their place in the tree.
        self._listing = QTimer(self)
        self._listing.setSingleShot(True)
        self._listing.setInterval(0)
        self._listing.timeout.connect(self._list_again)
        for signal, call in self._connections():
            signal.connect(call)
        self.closed.connect(self._close_files)
        self.opened.connect(self.refresh)
        self.list_layers()
        self._restore()

    def detach(self):
        """Stop listening to the project, and close all files."""
        self._listing.stop()
        for signal, call in self._connections():
            signal.disconnect(call)
        self.frame_bar.detach()
        self._readers.clear()

    def _connections(self):
        """Return the signals of the project, and what they call."""
        project, root = QgsProject.instance(), QgsProject.instance().layerTreeRoot()
        return (
            (project.layersAdded, self._list_soon),
            (project.layersRemoved, self._list_soon),
            (root.addedChildren, self._list_soon),
            (root.removedChildren, self._list_soon),
            (root.nameChanged, self._list_soon),
            # Files of stacks that are not in the project any more may be replaced, even on Windows.
            (project.layersRemoved, self._close_files),
            (project.cleared, self._forget),
            (project.readProject, self._restore),
            # Only now is it known where the project is, from which paths count.
            (project.writeProject, self._keep),
        )

    def _close_files(self, *ignored):
        self._readers.clear()

    def _list_soon(self, *ignored):
        self._listing.start()

    def _list_again(self):
        self.list_layers()
        self._choose_kept()
        self._kept = None

    def pick(self, point, crs, adding):
        """Take a point of the map; unless ``adding``, it replaces all other places."""
        places = self.places if adding else []
        self._set_places([*places, Place.at(point, crs, free_color(places))])

    def add_areas(self, polygons, crs):
        """Take more areas of the map."""
        places = list(self.places)
        for polygon in polygons:
            places.append(Place(polygon, crs, free_color(places)))
        self._set_places(places)

    def refer(self, point, crs):
        """Take the area around a point of the map for the reference of all series."""
        self._set_reference(Place.at(point, crs, REFERENCE_COLOR))

    def clear(self):
        """Remove all places."""
        self._set_places([])

    def _forget(self):
        self.places, self.reference = [], None
        self._after_change()

    def _keep(self, *ignored):
        keep(QgsProject.instance(), self.places, self.reference, self.layer())

    def _restore(self, *ignored):
        """Show what the project keeps, in the layer that was drawn."""
        self._kept = kept_places(QgsProject.instance())
        self.places, self.reference = list(self._kept.places), self._kept.reference
        self.list_layers()
        self._choose_kept()
        self._after_change()
        # QGIS makes some layer the active one afterwards, which the dock follows.
        self._listing.start()

    def _choose_kept(self):
        for layer, _ in stack_layers():
            if self._kept is not None and self._kept.is_of(layer):
                self.bar.choose_layer(layer)
                return

    def choose(self, layer):
        """Draw another layer, if it is one of a stack; the displacement for a map of velocity."""
        layer = series_layer(layer)
        if layer is not None:
            self.list_layers()
            self.bar.choose_layer(layer)

    def layer(self):
        """Return the layer that is drawn, or None."""
        return QgsProject.instance().mapLayer(self.bar.layers.currentData() or "")

    def list_layers(self):
        """Offer the layers of the project that are stacks, and keep the chosen one."""
        if self.bar.offer_layers(stack_layers()):
            self.refresh()

    def refresh(self, *ignored):
        """Read and draw again, unless nobody sees it."""
        layer, self.result, problem = self.layer(), None, ""
        self.frame_bar.set_layer(layer)
        if layer is not None and self.places and self.isUserVisible():
            # Without an array for series, a large stack takes a second or two.
            QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
            try:
                self.result = read(
                    self._readers,
                    layer,
                    self.places,
                    self.bar.window.currentData(),
                    self.reference,
                    self.bar.invert_action.isChecked(),
                    self.bar.coherence.value(),
                )
            except StackFileError as error:
                problem = str(error)
            finally:
                QApplication.restoreOverrideCursor()
        self._show(layer, problem)

    def _set_places(self, places):
        self.places = places
        QgsProject.instance().setDirty(True)
        self._after_change()

    def _set_reference(self, reference):
        self.reference = reference
        QgsProject.instance().setDirty(True)
        self._after_change()

    def _after_change(self):
        self.refresh()
        self.places_changed.emit()

    def _show(self, layer, problem):
        result, bar = self.result, self.bar
        self.places_list.show_result(result)
        readable = result is not None and any(p.series is not None for p in result.picked)
        for action in bar.result_actions:
            action.setEnabled(readable)
        for action in (bar.clear_action, bar.remove_action):
            action.setEnabled(bool(self.places))
        bar.invert_button.setVisible(can_invert(layer))
        bar.reference_action.setVisible(can_refer(layer))
        bar.own_reference_action.setVisible(can_refer(layer) and self.reference is not None)
        bar.coherence.setVisible(result is not None and result.least_coherence is not None)
        bar.status.setText(problem)
        if result is None:
            self.plot.show_figure(Figure(), problem or self._hint(layer))
        else:
            self.plot.show_figure(figure_of(result), why_empty(result))
            place = f"{result.path.name}/{result.group}" if result.group else result.path.name
            bar.status.setText(f"Read from {place}")
            bar.status.setToolTip(f"<p>{escape(str(result.path))}</p>")
        self._describe()

    def _describe(self):
        """Say in words what is known of the chosen place, or of the last one."""
        result, texts = self.result, []
        row = self.places_list.chosen_rows()[-1]
        if row >= 0:
            picked = result.picked[row]
            name = name_of(row + 1, picked.place)
            texts = [describe_place(name, picked, result.variable, result.units)]
            if result.reference is not None:
                texts.append(
                    f"Relative to the area around {coordinates(result.reference)}, the square on "
                    "the map."
                )
            if result.inverted:
                texts.append(result.inverted)
        self.description.setText(" ".join(text for text in texts if text))
        self.description.setVisible(bool(self.description.text()))

    def _show_on_map(self, step):
        """Show the pair or date that was clicked; dates of an inversion are no frames."""
        if self.result is not None and not self.result.inverted:
            self.frame_bar.show_step(step)

    def _hint(self, layer):
        if layer is None:
            return "Load a stack first: Plugins > HyP3 Stack > Load stack."
        return (
            "Click on the map to see what the stack holds there. Hold Shift or Ctrl to add points "
            "for comparison; the buttons above also draw areas."
        )

    def _remove_chosen(self):
        rows = self.places_list.chosen_rows()
        # Nothing is listed where nothing could be read.
        rows = rows if rows != [-1] else [len(self.places) - 1]
        self._set_places([place for row, place in enumerate(self.places) if row not in rows])

    def _build(self, map_actions, reference_action):
        self.bar = bar = DockBar(map_actions, reference_action)
        bar.changed.connect(self.refresh)
        self.plot = Plot()
        self.plot.step_clicked.connect(self._show_on_map)
        self.plot.addActions(bar.result_actions)
        for action, call in (
            (bar.own_reference_action, lambda: self._set_reference(None)),
            (bar.remove_action, self._remove_chosen),
            (bar.clear_action, self.clear),
            (bar.copy_action, lambda: copy(self.result)),
            (bar.save_action, lambda: save(self.result, self)),
            (bar.copy_picture_action, lambda: copy_picture(self.plot)),
            (bar.save_picture_action, lambda: save_picture(self.result, self.plot, self)),
        ):
            action.triggered.connect(lambda checked=False, call=call: call())
        self.description = QLabel()
        self.description.setTextFormat(Qt.TextFormat.PlainText)
        self.description.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.description.setWordWrap(True)
        self.places_list = PlaceList()
        self.places_list.itemSelectionChanged.connect(self._describe)
        split = QSplitter()
        left = QWidget()
        beneath = QVBoxLayout(left)
        beneath.setContentsMargins(0, 0, 0, 0)
        beneath.addWidget(self.frame_bar)
        beneath.addWidget(self.plot, 1)
        beneath.addWidget(self.description)
        split.addWidget(left)
        split.addWidget(self.places_list)
        split.setStretchFactor(0, 1)
        split.setCollapsible(0, False)
        content = QWidget()
        layout = QVBoxLayout(content)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.setSpacing(3)
        layout.addWidget(bar)
        layout.addWidget(split, 1)
        self.setWidget(content)
