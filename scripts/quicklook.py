"""Draw each layer of a stack with QGIS's own renderer: ``quicklook.py STACK.nc FOLDER``.

Runs in the Python that QGIS uses, without a display. Writes one PNG a layer, up to six pairs on it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsColorRampShader,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsRasterLayer,
    QgsRasterShader,
    QgsRectangle,
    QgsSingleBandPseudoColorRenderer,
)
from qgis.PyQt.QtCore import QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QFont, QImage, QLinearGradient, QPainter

PANELS = 6
COLUMNS = 3
PANEL = 400
SINGLE = 700
MARGIN = 24
HEADER = 96
CAPTION = 34
BAR = 84
NO_DATA = QColor("#e4e4e4")

DIVERGING = ("#2166ac", "#67a9cf", "#f7f7f7", "#ef8a62", "#b2182b")
CYCLIC = ("#6e40aa", "#ee4395", "#ff8c38", "#aff05b", "#1ac7c2", "#6e40aa")
GRAY = ("#000000", "#ffffff")
SEQUENTIAL = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")
TERRAIN = ("#1a6b3c", "#93b85f", "#f0e6a0", "#b5794a", "#ffffff")
WATER = ("#4a90d9", "#d9c8a0")


def style(name: str, values: np.ndarray) -> tuple[tuple[str, ...], float, float]:
    """Return colors and range for a layer; ``values`` are its finite pixels."""
    low, high = (float(value) for value in np.percentile(values, (2, 98)))
    if name in ("unw_phase", "los_disp", "vert_disp"):
        limit = max(abs(low), abs(high))
        return DIVERGING, -limit, limit
    if name == "wrapped_phase":
        return CYCLIC, -np.pi, np.pi
    if name == "corr":
        return GRAY, 0.0, 1.0
    if name == "amp":
        return GRAY, low, high
    if name == "dem":
        return TERRAIN, low, high
    if name == "water_mask":
        return WATER, 0.0, 1.0
    return SEQUENTIAL, low, high


class Layer:
    """One variable of the NetCDF file as QGIS and GDAL see it."""

    def __init__(self, source: str, name: str):
        self.name = name
        self.dataset = gdal.Open(source)
        self.raster = QgsRasterLayer(source, name, "gdal")
        if not self.raster.isValid():
            raise SystemExit(f"QGIS cannot open {source}.")
        metadata = self.dataset.GetMetadata()
        self.units = metadata.get(f"{name}#units", "1")
        self.flags = metadata.get(f"{name}#flag_meanings", "")
        self.title = metadata.get(f"{name}#long_name", name)

    def bands(self) -> list[int]:
        """Return the bands to draw, spread over the stack."""
        count = self.raster.bandCount()
        wanted = min(count, PANELS)
        return [1 + round(index * (count - 1) / max(wanted - 1, 1)) for index in range(wanted)]

    def values(self) -> np.ndarray:
        """Return the valid pixels of the drawn bands, thinned out."""
        found = []
        for number in self.bands():
            band = self.dataset.GetRasterBand(number)
            size = (min(band.XSize, 500), min(band.YSize, 500))
            data = band.ReadAsArray(buf_xsize=size[0], buf_ysize=size[1])
            valid = np.isfinite(data)
            if band.GetNoDataValue() is not None:
                valid &= data != band.GetNoDataValue()
            found.append(data[valid].astype(float))
        values = np.concatenate(found)
        if values.size == 0:
            raise SystemExit(f"The layer {self.name} holds no valid pixel.")
        return values

    def size(self) -> QSize:
        """Return the size of a panel, in the shape of the layer as far as that is sensible."""
        width = PANEL if self.raster.bandCount() > 1 else SINGLE
        shape = self.raster.extent().height() / self.raster.extent().width()
        return QSize(width, round(width * min(max(shape, 0.4), 1.6)))

    def draw(self, band: int, colors: tuple[str, ...], low: float, high: float) -> QImage:
        """Return a picture of one band."""
        items = [
            QgsColorRampShader.ColorRampItem(
                low + (high - low) * index / (len(colors) - 1), QColor(color)
            )
            for index, color in enumerate(colors)
        ]
        ramp = QgsColorRampShader(low, high)
        ramp.setColorRampType(QgsColorRampShader.Type.Interpolated)
        ramp.setColorRampItemList(items)
        shader = QgsRasterShader()
        shader.setRasterShaderFunction(ramp)
        provider = self.raster.dataProvider()
        self.raster.setRenderer(QgsSingleBandPseudoColorRenderer(provider, band, shader))
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


def layers(path: Path) -> list[Layer]:
    """Return the gridded variables of the file, in its order."""
    found = []
    for source, _ in gdal.Open(str(path)).GetSubDatasets():
        name = source.rsplit(":", 1)[1]
        # Variables without a grid mapping are tables, such as the bounds of the times.
        if f"{name}#grid_mapping" in gdal.Open(source).GetMetadata():
            found.append(Layer(source, name))
    if not found:
        raise SystemExit(f"{path} holds no layer on a grid.")
    return found


def pair_labels(path: Path) -> list[str]:
    """Return the labels of the pairs, empty if the file has none."""
    group = gdal.OpenEx(str(path), gdal.OF_MULTIDIM_RASTER).GetRootGroup()
    array = group.OpenMDArray("pair_label")
    return list(array.Read()) if array is not None else []


def text(painter: QPainter, box: QRectF, size: int, words: str, alignment, bold=False) -> None:
    """Write one line into a box."""
    font = QFont("DejaVu Sans")
    font.setPixelSize(size)
    font.setBold(bold)
    painter.setFont(font)
    painter.setPen(QColor("#202020"))
    painter.drawText(box, int(alignment), words)


def sheet(layer: Layer, labels: list[str]) -> QImage:
    """Return the picture of one layer: title, panels with captions, color bar."""
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    middle = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter
    bands = layer.bands()
    colors, low, high = style(layer.name, layer.values())
    panel = layer.size()
    columns = min(COLUMNS, len(bands))
    rows = -(-len(bands) // columns)
    width = max(columns * (panel.width() + MARGIN) + MARGIN, SINGLE + 2 * MARGIN)
    height = HEADER + rows * (panel.height() + CAPTION) + BAR
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    inner = width - 2 * MARGIN
    text(painter, QRectF(MARGIN, 14, inner, 40), 28, layer.title, left, bold=True)
    total = layer.raster.bandCount()
    stack = f"{len(bands)} of {total} pairs, " if total > 1 else ""
    facts = f"{layer.name}, {stack}{layer.raster.width()} x {layer.raster.height()} pixels, "
    text(painter, QRectF(MARGIN, 54, inner, 28), 18, facts + layer.raster.crs().authid(), left)
    for index, band in enumerate(bands):
        x = MARGIN + (index % columns) * (panel.width() + MARGIN)
        y = HEADER + (index // columns) * (panel.height() + CAPTION)
        painter.drawImage(x, y, layer.draw(band, colors, low, high))
        if total > 1:
            caption = labels[band - 1] if band <= len(labels) else f"band {band}"
            text(
                painter, QRectF(x, y + panel.height(), panel.width(), CAPTION), 18, caption, middle
            )
    bar = QRectF(MARGIN + 100, image.height() - BAR + 24, inner - 200, 24)
    gradient = QLinearGradient(bar.left(), 0, bar.right(), 0)
    for index, color in enumerate(colors):
        gradient.setColorAt(index / (len(colors) - 1), QColor(color))
    painter.fillRect(bar, gradient)
    unit = layer.flags.replace(" ", ", ") or ("" if layer.units == "1" else layer.units)
    text(painter, QRectF(MARGIN, bar.top(), 94, 24), 18, f"{low:.4g}", right)
    text(painter, QRectF(bar.right() + 6, bar.top(), 94 + MARGIN, 24), 18, f"{high:.4g}", left)
    text(painter, QRectF(bar.left(), bar.bottom() + 4, bar.width(), 26), 16, unit, middle)
    painter.end()
    return image


def draw_all(stack: Path, folder: Path) -> None:
    """Draw every layer of ``stack`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = pair_labels(stack)
    for layer in layers(stack):
        path = folder / f"{layer.name}.png"
        if not sheet(layer, labels).save(str(path)):
            raise SystemExit(f"{path} cannot be written.")
        print(path)


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
