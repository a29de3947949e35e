"""What stands above the plot: which layer is drawn, how it is read, and what can be done."""

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSize, Qt, pyqtSignal
from qgis.PyQt.QtWidgets import (
    QAction,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

WINDOWS = (1, 3, 5, 7, 9, 15, 25)
_NAME_LENGTH = 16
_COHERENCE_STEP = 0.05


class DockBar(QWidget):
    """Emits ``changed`` when something else is to be drawn; the dock connects the actions.

    ``map_actions`` choose places, ``reference_action`` chooses the reference.
    """

    changed = pyqtSignal()

    def __init__(self, map_actions, reference_action, parent=None):
        super().__init__(parent)
        self.reference_action = reference_action
        self.own_reference_action = self._action(
            "mActionUndo", "Go back to the stack's own reference"
        )
        self.remove_action = self._action("mActionDeleteSelected", "Remove the chosen place")
        self.clear_action = self._action("console/iconClearConsole", "Remove all places")
        self.copy_action = self._action("mActionEditCopy", "Copy the values as a table")
        self.save_action = self._action("mActionFileSave", "Save the values as CSV…")
        self.copy_picture_action = self._action("mIconRaster", "Copy the plot as an image")
        self.save_picture_action = self._action(
            "mActionSaveMapAsImage", "Save the plot as PNG or SVG…"
        )
        self.invert_action = QAction("Displacement by date", self)
        self.invert_action.setCheckable(True)
        self.invert_action.setToolTip(
            "Solve the network of pairs at the places by least squares, weighted with coherence: "
            "at once what Invert stack does for all pixels"
        )
        self.invert_action.toggled.connect(self.changed)
        self.layers = self._make_layers()
        self.window = self._make_windows()
        self.coherence = self._make_coherence()
        # Beside the tool bar, which hides what a narrow window has no room for.
        self.invert_button = QToolButton()
        self.invert_button.setDefaultAction(self.invert_action)
        self.status = QLabel()
        # What reads like HTML in a name or in an error of GDAL is text.
        self.status.setTextFormat(Qt.TextFormat.PlainText)
        self.status.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A long sentence does not widen the window; it stands in the plot as well.
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._lay_out(map_actions)

    @property
    def result_actions(self):
        """What can be done with values that are drawn."""
        return [
            self.copy_action,
            self.save_action,
            self.copy_picture_action,
            self.save_picture_action,
        ]

    def offer_layers(self, named):
        """Offer (layer, name), keep the chosen one, and return whether it is another now."""
        chosen = self.layers.currentData()
        self.layers.blockSignals(True)
        self.layers.clear()
        for layer, name in named:
            self.layers.addItem(name, layer.id())
        self.layers.setCurrentIndex(max(0, self.layers.findData(chosen)))
        self.layers.blockSignals(False)
        self.layers.setEnabled(self.layers.count() > 0)
        return self.layers.currentData() != chosen

    def choose_layer(self, layer):
        """Choose one of the layers that are offered."""
        self.layers.setCurrentIndex(self.layers.findData(layer.id()))

    def _action(self, icon, text):
        return QAction(QgsApplication.getThemeIcon(f"/{icon}.svg"), text, self)

    def _make_layers(self):
        layers = QComboBox()
        layers.setToolTip("The layer of a stack that is drawn")
        layers.setMinimumContentsLength(_NAME_LENGTH)
        layers.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        layers.currentIndexChanged.connect(self.changed)
        return layers

    def _make_windows(self):
        window = QComboBox()
        window.setToolTip("How many pixels around a point are averaged; missing ones are left out")
        for size in WINDOWS:
            window.addItem("1 pixel" if size == 1 else f"{size} × {size} pixels", size)
        window.currentIndexChanged.connect(self.changed)
        return window

    def _make_coherence(self):
        box = QDoubleSpinBox()
        box.setRange(0.0, 1.0)
        box.setSingleStep(_COHERENCE_STEP)
        box.setPrefix("coherence ≥ ")
        box.setSpecialValueText("any coherence")
        box.setToolTip("Pixels of pairs with less coherence are left out")
        box.setKeyboardTracking(False)
        box.valueChanged.connect(self.changed)
        return box

    def _lay_out(self, map_actions):
        bar = QToolBar()
        bar.setIconSize(QSize(18, 18))
        bar.addActions(map_actions)
        bar.addSeparator()
        bar.addActions([self.reference_action, self.own_reference_action])
        bar.addSeparator()
        bar.addActions([self.remove_action, self.clear_action])
        bar.addSeparator()
        bar.addActions([self.copy_action, self.save_action, self.save_picture_action])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in (
            (bar, 0),
            (self.invert_button, 0),
            (self.layers, 2),
            (self.window, 0),
            (self.coherence, 0),
            (self.status, 1),
        ):
            row.addWidget(widget, stretch)
