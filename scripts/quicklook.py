"""Draw the layers of a stack as the plugin styles them: ``-m scripts.quicklook STACK FOLDER``.

Runs in the Python that QGIS uses, without a display. Writes one PNG a layer, up to six pairs on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsColorRampShader,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsPalettedRasterRenderer,
    QgsRasterRenderer,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QLinearGradient, QPainter

from tests import checkout  # noqa: F401 - registers the package hyp3_stack

from hyp3_stack.processing_provider.layers.raster_layers import make_layer  # isort: skip
from hyp3_stack.processing_provider.layers.frames.map_frames import dates_of_bands  # isort: skip
from hyp3_stack.processing_provider.layers.stack_description import (  # isort: skip
    StackFile,
    Variable,
    open_stack,
)

PANELS = 6
COLUMNS = 3
PANEL = 400
SINGLE = 700
MARGIN = 24
HEADER = 96
CAPTION = 34
BAR = 84
KEY = 30
NO_DATA = QColor("#e4e4e4")

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
MIDDLE = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter


class Layer:
    """One variable as the plugin shows it."""

    def __init__(self, stack: StackFile, variable: Variable):
        self.name = variable.name
        self.title = variable.long_name
        self.units = "" if variable.units == "1" else variable.units
        self.raster = make_layer(stack, variable)
        renderer = self.raster.renderer()
        self.classes, self.stops = [], []
        if isinstance(renderer, QgsPalettedRasterRenderer):
            self.classes = renderer.classes()
        else:
            items = renderer.shader().rasterShaderFunction().colorRampItemList()
            self.stops = [(item.value, QColor(item.color)) for item in items]

    def bands(self) -> list[int]:
        """Return the bands to draw, spread over the stack."""
        count = self.raster.bandCount()
        wanted = min(count, PANELS)
        return [1 + round(index * (count - 1) / max(wanted - 1, 1)) for index in range(wanted)]

    def size(self) -> QSize:
        """Return the size of a panel, in the shape of the layer as far as that is sensible."""
        width = PANEL if self.raster.bandCount() > 1 else SINGLE
        shape = self.raster.extent().height() / self.raster.extent().width()
        return QSize(width, round(width * min(max(shape, 0.4), 1.6)))

    def draw(self, band: int) -> QImage:
        """Return a picture of one band."""
        self.raster.setRenderer(self._renderer(band))
        settings = QgsMapSettings()
        settings.setLayers([self.raster])
        settings.setDestinationCrs(self.raster.crs())
        settings.setBackgroundColor(NO_DATA)
        settings.setOutputSize(self.size())
        settings.setExtent(QgsRectangle(self.raster.extent()))
        job = QgsMapRendererSequentialJob(settings)
        job.start()
        job.waitForFinished()
        if job.errors():
            raise SystemExit(f"QGIS could not draw {self.name}: {job.errors()[0].message}")
        return job.renderedImage()

    def _renderer(self, band: int) -> QgsRasterRenderer:
        provider = self.raster.dataProvider()
        if self.classes:
            return QgsPalettedRasterRenderer(provider, band, self.classes)
        ramp = QgsColorRampShader(self.stops[0][0], self.stops[-1][0])
        ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
        ramp.setColorRampItemList(
            [QgsColorRampShader.ColorRampItem(value, color) for value, color in self.stops]
        )
        shader = QgsRasterShader()
        shader.setRasterShaderFunction(ramp)
        return QgsSingleBandPseudoColorRenderer(provider, band, shader)


def text(painter: QPainter, box: QRectF, size: int, words: str, alignment, bold=False) -> None:
    """Write one line into a box."""
    font = QFont("DejaVu Sans")
    font.setPixelSize(size)
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(QColor("#202020"))
    painter.drawText(box, int(alignment), words)


def draw_bar(painter: QPainter, layer: Layer, top: float, width: float) -> None:
    """Draw the colors of a continuous layer with their range and unit."""
    low, high = layer.stops[0][0], layer.stops[-1][0]
    bar = QRectF(MARGIN + 100, top, width - 200, 24)
    gradient = QLinearGradient(bar.left(), 0, bar.right(), 0)
    for value, color in layer.stops:
        gradient.setColorAt((value - low) / (high - low), color)
    painter.fillRect(bar, gradient)
    text(painter, QRectF(MARGIN, top, 94, 24), 18, f"{low:.4g}", RIGHT)
    text(painter, QRectF(bar.right() + 6, top, 94 + MARGIN, 24), 18, f"{high:.4g}", LEFT)
    text(painter, QRectF(bar.left(), bar.bottom() + 4, bar.width(), 26), 16, layer.units, MIDDLE)


def draw_key(painter: QPainter, layer: Layer, top: float, width: float) -> None:
    """Draw the color and the meaning of each class."""
    cell = width / COLUMNS
    for index, entry in enumerate(layer.classes):
        x, y = MARGIN + (index % COLUMNS) * cell, top + (index // COLUMNS) * KEY
        painter.fillRect(QRectF(x, y + 4, 22, 22), NO_DATA)
        painter.fillRect(QRectF(x, y + 4, 22, 22), entry.color)
        text(painter, QRectF(x + 30, y, cell - 30, KEY), 16, entry.label, LEFT)


def sheet(layer: Layer, captions: list[str]) -> QImage:
    """Return the picture of one layer: title, panels with captions, and what the colors mean."""
    bands = layer.bands()
    panel = layer.size()
    columns = min(COLUMNS, len(bands))
    rows = -(-len(bands) // columns)
    width = max(columns * (panel.width() + MARGIN) + MARGIN, SINGLE + 2 * MARGIN)
    bottom = HEADER + rows * (panel.height() + CAPTION)
    height = bottom + max(BAR, MARGIN * 2 + KEY * -(-len(layer.classes) // COLUMNS))
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    inner = width - 2 * MARGIN
    text(painter, QRectF(MARGIN, 14, inner, 40), 28, layer.title, LEFT, bold=True)
    total = layer.raster.bandCount()
    stack = f"{len(bands)} of {total} pairs, " if total > 1 else ""
    facts = f"{layer.name}, {stack}{layer.raster.width()} x {layer.raster.height()} pixels, "
    text(painter, QRectF(MARGIN, 54, inner, 28), 18, facts + layer.raster.crs().authid(), LEFT)
    for index, band in enumerate(bands):
        x = MARGIN + (index % columns) * (panel.width() + MARGIN)
        y = HEADER + (index // columns) * (panel.height() + CAPTION)
        painter.drawImage(x, y, layer.draw(band))
        if total > 1:
            caption = QRectF(x, y + panel.height(), panel.width(), CAPTION)
            text(painter, caption, 18, captions[band - 1], MIDDLE)
    draw = draw_key if layer.classes else draw_bar
    draw(painter, layer, bottom + MARGIN, inner)
    painter.end()
    return image


def draw_all(path: Path, folder: Path) -> None:
    """Draw every layer of a stack into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    stack = open_stack(path)
    captions = dates_of_bands(stack)
    for variable in stack.variables.values():
        picture = folder / f"{variable.name}.png"
        if not sheet(Layer(stack, variable), captions).save(str(picture)):
            raise SystemExit(f"{picture} cannot be written.")
        print(picture)


def main(stack: Path, folder: Path) -> None:
    """Start QGIS without a window, draw, and end QGIS after the last layer is gone."""
    gdal.UseExceptions()
    # No statistics in a file next to the stack.
    gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
    application = QgsApplication([], False)
    application.initQgis()
    try:
        draw_all(stack, folder)
    finally:
        application.exitQgis()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
