"""Acts on QGIS's window as a user does: waits, clicks, looks. Imported inside QGIS only."""

import time

from qgis.core import QgsPointXY, QgsProject
from qgis.PyQt.QtCore import QCoreApplication, QEvent, QPoint, Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface

LIMIT_SECONDS = 180

clicked = []
"""What was clicked in this session: texts of menus, pages and buttons."""


def wait(condition, what):
    """Let QGIS work until ``condition()`` is true, and return that."""
    end = time.monotonic() + LIMIT_SECONDS
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not happen within {LIMIT_SECONDS} s")
        QCoreApplication.processEvents()
        time.sleep(0.05)


def settle(seconds=0.3):
    """Let QGIS lay out, draw and clean up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.02)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def shoot(folder, name, widget=None):
    """Save a picture of a window, without what QGIS complains of on a bare machine."""
    iface.messageBar().clearWidgets()
    settle()
    widget = widget or iface.mainWindow()
    widget.grab().save(str(folder / f"{name}.png"))


def after_drawing(action):
    """Do something that draws the map anew, and return when the map is complete."""
    canvas, done = iface.mapCanvas(), []
    canvas.mapCanvasRefreshed.connect(lambda: done.append(True))
    action()
    wait(lambda: done and not canvas.isDrawing(), "drawing the map")
    settle(0.1)


def zoom(extent):
    """Show ``extent``, given in the CRS of the map."""

    def show():
        iface.mapCanvas().setExtent(extent)
        iface.mapCanvas().refresh()

    after_drawing(show)


def when_open(is_wanted, act):
    """Act on a window once it is open; as long as it is, QGIS goes on only there."""
    window = QApplication.activeModalWidget()
    if window is not None and is_wanted(window):
        act(window)
    else:
        QTimer.singleShot(50, lambda: when_open(is_wanted, act))


def click_map(place, modifier=Qt.KeyboardModifier.NoModifier, button=Qt.MouseButton.LeftButton):
    """Click where the map shows ``place``, given in the CRS of the map."""
    canvas = iface.mapCanvas()
    pixel = canvas.mapSettings().mapToPixel().transform(place)
    at = QPoint(round(pixel.x()), round(pixel.y()))
    QTest.mouseClick(canvas.viewport(), button, modifier, at)
    QCoreApplication.processEvents()


def click(button):
    """Click a button; what does not show or is disabled cannot be clicked."""
    if not (button.isVisible() and button.isEnabled()):
        raise RuntimeError(f"{button.objectName()} cannot be clicked")
    press(button, button.text(), button.rect().center())
    QCoreApplication.processEvents()


def press(widget, text, place):
    """Click a place of a widget that shows ``text``."""
    clicked.append(text.replace("&", ""))
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)


def layers_of(group):
    """Return the layers of a group of the layer tree by the variable in their source."""
    node = QgsProject.instance().layerTreeRoot().findGroup(group)
    layers = [child.layer() for child in node.findLayers()] if node is not None else []
    return {variable_of(layer.source()): layer for layer in layers}


def variable_of(source):
    """Return the variable's name in a layer's source."""
    return source.rpartition("/")[2].rpartition(":")[2].removesuffix(".vrt")


def place_without_data(layer):
    """Return shares of width and height at a corner of the grid that no product covers."""
    for across in (0.01, 0.99):
        for down in (0.01, 0.99):
            place = place_in(layer, across, down)
            found = [
                layer.dataProvider().sample(place, band)[1]
                for band in range(1, layer.bandCount() + 1)
            ]
            if not any(found):
                return across, down
    raise RuntimeError("every corner has data")


def place_in(layer, across, down):
    """Return the center of a pixel, at a share of the layer's width and height."""
    extent = layer.extent()
    column, row = int(layer.width() * across), int(layer.height() * down)
    return QgsPointXY(
        extent.xMinimum() + (column + 0.5) * extent.width() / layer.width(),
        extent.yMaximum() - (row + 0.5) * extent.height() / layer.height(),
    )
