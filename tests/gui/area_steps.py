"""Areas, zoom and coherence in the dock, as a user goes about them. Imported inside QGIS only."""

from qgis.PyQt.QtCore import QEvent, QPoint, QPointF, Qt
from qgis.PyQt.QtGui import QMouseEvent, QWheelEvent
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QApplication
from qgis.utils import iface

from .acting import click_map, place_in, settle, shoot, wait
from .noting import describe_dock, values_with_data

AREA = ((0.42, 0.4), (0.66, 0.45), (0.52, 0.64))
"""Shares of width and height of the corners."""

COHERENCE = 0.45


def areas(folder, facts, part, layer):
    """Compare an area with a point in a layer of pairs; both stay for the project to keep."""
    dock = part.dock
    iface.setActiveLayer(layer)
    iface.mapCanvas().setMapTool(part.tool)
    click_map(place_in(layer, 0.35, 0.66))
    part.area_tool.action().trigger()
    for corner in AREA:
        click_map(place_in(layer, *corner))
    click_map(place_in(layer, *AREA[0]), button=Qt.MouseButton.RightButton)
    settle()
    facts["corners"], facts["least_coherence"] = AREA, COHERENCE
    noted = facts["areas"] = []

    def note(name):
        settle()
        wait(lambda: len(dock.plot.dots()) == values_with_data(dock), "drawing the plot")
        series = dock.result.picked[-1].series
        noted.append(
            {
                "name": name,
                **describe_dock(dock),
                "counts": series.counts,
                "deviations": series.deviations,
                "size": series.size,
            }
        )

    note("drawn")
    shoot(folder, "area")
    dock.bar.coherence.setValue(COHERENCE)
    note("coherent")
    dock.bar.coherence.setValue(0.0)
    note("all again")
    dot = dock.plot.dots()[-2]
    _turn_wheel(dock.plot, _at(dot), 3)
    settle()
    facts["zoomed"] = [bool(dock.plot.view.times), len(dock.plot.dots())]
    dot = next(dot for dot in dock.plot.dots() if dot.curve == 1)
    QTest.mouseClick(dock.plot, Qt.MouseButton.LeftButton, pos=_at(dot))
    facts["clicked_step"], facts["frame_text"] = dot.step, dock.frame_bar.text.text()
    _hover(dock.plot, _at(dot))
    shoot(folder, "area_zoomed")
    menu = dock.plot.menu()
    facts["plot_menu"] = [action.text() for action in menu.actions() if action.text()]
    menu.popup(dock.plot.mapToGlobal(QPoint(200, 20)))
    settle()
    menu.grab().save(str(folder / "plot_menu.png"))
    menu.close()
    dock.plot.show_all()
    iface.mapCanvas().setMapTool(part.tool)


def _at(dot):
    return QPoint(round(dot.x), round(dot.y))


def _turn_wheel(plot, place, notches):
    wheel = QWheelEvent(
        QPointF(place),
        QPointF(plot.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(plot, wheel)


def _hover(plot, place):
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(plot, event)
