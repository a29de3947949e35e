"""Puts what QGIS's window shows into numbers and words. Imported inside QGIS only."""

import hashlib

from qgis.core import QgsMapRendererSequentialJob
from qgis.gui import QgsVertexMarker
from qgis.PyQt.QtGui import QImage
from qgis.utils import iface

LABEL_HEIGHT = 100


def map_image(folder):
    """Return what stands for the pixels of the map."""
    path = str(folder / "map.png")
    iface.mapCanvas().saveAsImage(path)
    return _digest(QImage(path))


def images_of_bands(folder, layer):
    """Draw each band as the map would, without time."""
    images = []
    for band in range(1, layer.bandCount() + 1):
        copy = layer.clone()
        copy.temporalProperties().setIsActive(False)
        copy.renderer().setInputBand(band)
        settings = iface.mapCanvas().mapSettings()
        settings.setIsTemporal(False)
        settings.setLayers([copy])
        job = QgsMapRendererSequentialJob(settings)
        job.start()
        job.waitForFinished()
        images.append(_digest(job.renderedImage()))
    return images


def _digest(image):
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    # Above is the label, which only the map has.
    image = image.copy(0, LABEL_HEIGHT, image.width(), image.height() - LABEL_HEIGHT)
    return hashlib.sha256(image.constBits().asstring(image.sizeInBytes())).hexdigest()


def describe_layer(layer):
    """Return what the test asks of a layer."""
    ranges = layer.temporalProperties().fixedRangePerBand()
    return {
        "valid": layer.isValid(),
        "bands": layer.bandCount(),
        "renderer": layer.renderer().type(),
        "active": layer.temporalProperties().isActive(),
        "ranges": [
            [band, item.begin().toMSecsSinceEpoch(), item.end().toMSecsSinceEpoch()]
            for band, item in ranges.items()
        ],
    }


def describe_dock(dock):
    """Return what the dock shows."""
    if dock.result is None:
        return {"hint": dock.plot.hint(), "points": []}
    return {
        "variable": dock.result.variable,
        "units": dock.result.units,
        "window": dock.result.window,
        "group": dock.result.group,
        "hint": dock.plot.hint(),
        "description": dock.description.text(),
        "legend": [dock.places_list.item(row).text() for row in range(dock.places_list.count())],
        "dots": len(dock.plot.dots()),
        "markers": count_markers(),
        "points": [
            {
                "row": point.row,
                "column": point.column,
                "color": point.place.color,
                "reason": point.reason,
                "values": [
                    value if value == value else None
                    for value in (point.series.values if point.series else [])
                ],
            }
            for point in dock.result.picked
        ],
    }


def values_with_data(dock):
    """Return the number of values that the dock has to draw."""
    points = dock.result.picked if dock.result is not None else []
    return sum(point.series.with_data for point in points if point.series is not None)


def count_markers():
    """Return the number of points that the map shows."""
    items = iface.mapCanvas().scene().items()
    return sum(isinstance(item, QgsVertexMarker) and item.isVisible() for item in items)
