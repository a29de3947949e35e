"""Says on the map, and in the legend, which pair or date it shows."""

from qgis.core import QgsRasterLayer, QgsSingleBandPseudoColorRenderer
from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QFont, QFontMetricsF, QPen

from ..layers.frames.map_frames import frames_of, shown_band, step_of
from ..layers.layer_source import locate
from ..layers.layer_tree import stack_group

_MARGIN = 10
_PADDING = 7
_CORNER = 4
_PAPER = QColor(255, 255, 255, 225)
_INK = QColor(30, 30, 30)
_FAINT = QColor(90, 90, 90)


def frame_texts(settings, root):
    """Return (first line, second line) for each stack on a map.

    ``root`` is the tree of layers, whose groups tell stacks apart.
    """
    shown = _shown_layers(settings)
    texts = []
    for layer in shown:
        frames, band, step = frames_of(layer), shown_band(layer, settings), step_of(layer)
        name = layer.name().partition(":")[0]
        if len(shown) > 1:
            node = root.findLayer(layer.id())
            group = None if node is None else stack_group(node)
            name = name if group is None else f"{group.name()}, {name}"
        if 1 <= band <= len(frames):
            frame = frames[band - 1]
            # QGIS calls a band of a NetCDF file by its number.
            number = f"{step} {band} of {len(frames)}"
            details = f"{number}, {frame.details}" if frame.details else number
            texts.append((f"{name}: {frame.dates}", details))
        else:
            span = settings.temporalRange()
            days = " to ".join(end.toString("yyyy-MM-dd") for end in (span.begin(), span.end()))
            texts.append((f"{name}: no {step} in this frame", f"The frame is {days}."))
    return texts


def draw_texts(painter, texts, font):
    """Draw the lines of each stack into a box in the upper left corner."""
    if not texts:
        return
    bold = QFont(font)
    bold.setBold(True)
    lines = []
    for first, second in texts:
        lines += [(first, bold, _INK), (second, font, _FAINT)]
    metrics = [QFontMetricsF(font) for _, font, _ in lines]
    width = max(m.horizontalAdvance(line[0]) for m, line in zip(metrics, lines))  # noqa: B905
    height = sum(m.lineSpacing() for m in metrics)
    box = QRectF(_MARGIN, _MARGIN, width + 2 * _PADDING, height + 2 * _PADDING)
    painter.save()
    painter.resetTransform()
    painter.setPen(QPen(_FAINT, 0.5))
    painter.setBrush(_PAPER)
    painter.drawRoundedRect(box, _CORNER, _CORNER)
    y = box.top() + _PADDING
    for metric, (text, line_font, color) in zip(metrics, lines):  # noqa: B905 - Python 3.9
        painter.setFont(line_font)
        painter.setPen(color)
        painter.drawText(QPointF(box.left() + _PADDING, y + metric.ascent()), text)
        y += metric.lineSpacing()
    painter.restore()


def _shown_layers(settings):
    """Return the uppermost layer of each stack that has steps, unless a map without covers it."""
    shown, maps = {}, []
    for layer in settings.layers():
        if not (isinstance(layer, QgsRasterLayer) and layer.isValid()):
            continue
        location = locate(layer.source())
        if frames_of(layer):
            covers = (map for map in maps if map.crs() == layer.crs())
            if not any(map.extent().contains(layer.extent()) for map in covers):
                shown.setdefault(getattr(location, "path", layer.id()), layer)
        elif location and isinstance(layer.renderer(), QgsSingleBandPseudoColorRenderer):
            maps.append(layer)
    return list(shown.values())


class FrameLabel:
    """Draws a label onto each finished map, for the uppermost visible layer of each stack.

    What it says is kept with the layers, so that it is there in a project that is opened again.
    """

    def __init__(self, interface):
        self._interface = interface
        self._canvas = interface.mapCanvas()
        self._canvas.renderComplete.connect(self._draw)

    def unload(self):
        """Draw no more."""
        self._canvas.renderComplete.disconnect(self._draw)
        self._canvas.refresh()

    def texts(self):
        """Return (first line, second line) for each stack on the map."""
        return frame_texts(self._canvas.mapSettings(), self._root())

    def _draw(self, painter):
        draw_texts(painter, self.texts(), self._interface.mainWindow().font())
        self._caption_legend()

    def _caption_legend(self):
        """Let the legend name what is shown instead of all; this is not saved with the project."""
        model = self._interface.layerTreeView().layerTreeModel()
        settings, root = self._canvas.mapSettings(), self._root()
        for layer in settings.layers():
            frames = frames_of(layer) if isinstance(layer, QgsRasterLayer) else []
            node = root.findLayer(layer.id()) if frames else None
            nodes = [] if node is None else model.layerLegendNodes(node)
            if not nodes:
                continue
            band = shown_band(layer, settings)
            step = step_of(layer)
            text = f"no {step} in this frame"
            if 1 <= band <= len(frames):
                text = f"{step} {band} of {len(frames)}: {frames[band - 1].dates}"
            if nodes[0].data(Qt.ItemDataRole.DisplayRole) != text:
                nodes[0].setUserLabel(text)

    def _root(self):
        return self._interface.layerTreeView().layerTreeModel().rootGroup()
