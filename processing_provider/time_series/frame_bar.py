"""Steps from pair to pair, or from date to date, of the layer that is drawn."""

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QSignalBlocker, Qt
from qgis.PyQt.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QSlider, QToolButton, QWidget

from ..layers.frames.map_frames import bands_in_time, frames_of, shown_band, step_of
from ..layers.frames.playing import show_band
from .frame_pictures import ask_and_save


class FrameBar(QWidget):
    """Previous, a slider, next, what the map shows now, and all frames as images.

    Hidden for a layer without steps.
    """

    def __init__(self, canvas, parent=None):
        super().__init__(parent)
        self._canvas = canvas
        self._layer = None
        self._bands = []
        self.previous_button = self._button("mActionAtlasPrev", lambda: self._step(-1))
        self.next_button = self._button("mActionAtlasNext", lambda: self._step(1))
        self.save_button = self._button("mActionSaveMapAsImage", self._save)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setPageStep(1)
        self.slider.valueChanged.connect(lambda place: self._show(self._bands[place]))
        self.text = QLabel()
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget, stretch in (
            (self.previous_button, 0),
            (self.slider, 1),
            (self.next_button, 0),
            (self.text, 3),
            (self.save_button, 0),
        ):
            layout.addWidget(widget, stretch)
        self._canvas.temporalRangeChanged.connect(self.follow)
        self.set_layer(None)

    def detach(self):
        """Stop following the map."""
        self._canvas.temporalRangeChanged.disconnect(self.follow)
        self.set_layer(None)

    def set_layer(self, layer):
        """Step through another layer, or through none."""
        if self._layer is not None:
            self._layer.willBeDeleted.disconnect(self._forget)
        self._layer = layer if layer is not None and frames_of(layer) else None
        if self._layer is not None:
            self._layer.willBeDeleted.connect(self._forget)
        self._bands = [] if self._layer is None else bands_in_time(layer)
        self.setVisible(bool(self._bands))
        if not self._bands:
            return
        step = step_of(layer)
        self.previous_button.setToolTip(f"Show the {step} before on the map")
        self.next_button.setToolTip(f"Show the next {step} on the map")
        self.save_button.setToolTip(f"Save the map of each {step} as an image, with its label")
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, len(self._bands) - 1)
        self.follow()

    def show_step(self, step):
        """Show a step of the stack on the map, counted from 0."""
        if step + 1 in self._bands:
            self._show(step + 1)

    def follow(self, *ignored):
        """Say which pair or date the map shows now."""
        if self._layer is None:
            return
        band = shown_band(self._layer, self._canvas.mapSettings())
        place = self._bands.index(band) if band in self._bands else -1
        self.previous_button.setEnabled(place > 0)
        self.next_button.setEnabled(place < len(self._bands) - 1)
        step = step_of(self._layer)
        if place < 0:
            self._say(f"The map shows no {step} of this layer.")
            return
        with QSignalBlocker(self.slider):
            self.slider.setValue(place)
        frame = frames_of(self._layer)[band - 1]
        texts = [f"{step.capitalize()} {band} of {len(self._bands)}: {frame.dates}", frame.details]
        self._say(", ".join(text for text in texts if text))

    def _say(self, text):
        self.text.setText(text)
        self.text.setToolTip(text)  # a narrow window cuts it off

    def _forget(self):
        self._layer = None  # it is on its way out and emits nothing more
        self.set_layer(None)

    def _show(self, band):
        show_band(self._layer, band, self._canvas)
        self.follow()

    def _step(self, change):
        self.slider.setValue(self.slider.value() + change)

    def _save(self):
        ask_and_save(self._layer, self._canvas, self.window())

    def _button(self, icon, slot):
        button = QToolButton()
        button.setIcon(QgsApplication.getThemeIcon(f"/{icon}.svg"))
        button.setAutoRaise(True)
        button.clicked.connect(lambda checked=False: slot())
        return button
