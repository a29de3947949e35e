"""The widget with the plot: wheel and mouse zoom and move it, and values show under the cursor."""

import math
from datetime import timedelta

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from qgis.PyQt.QtGui import QColor, QPainter, QPalette, QPen
from qgis.PyQt.QtWidgets import QAction, QApplication, QMenu, QSizePolicy, QWidget

from .axes import kept_inside, moved, zoomed
from .figure import DOT, Figure, View
from .value_limits import ValueLimitsDialog

_NEAR = 12
"""Pixels from the cursor to a value that is meant."""
_ZOOM_PER_NOTCH = 0.8
_NOTCH = 120
"""What Qt calls a notch of a wheel."""
_LEAST_DAYS = 2
_MOST_ZOOM = 1000.0
_PADDING = 6


class Plot(QWidget):
    """A figure that can be zoomed and moved.

    The wheel zooms in time; over the axis of values, or with Ctrl, it zooms values. Dragging moves,
    a double click shows all. ``step_clicked`` passes on the number of the clicked step. What is
    added as an action stands in the context menu.
    """

    step_clicked = pyqtSignal(int)

    def __init__(self, parent=None):
        super().__init__(parent)
        self.figure, self.view = Figure(), View()
        self._hint = ""
        self._axes, self._dots = None, []
        self._step = None
        self._pressed = self._axes_pressed = None
        self._is_dragged = False
        self._all = QAction("Show all", self)
        self._all.triggered.connect(self.show_all)
        self._limits = QAction("Limits of the values…", self)
        self._limits.triggered.connect(self._ask_for_limits)
        self.setMouseTracking(True)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self):
        return QSize(560, 220)

    def show_figure(self, figure, hint=""):
        """Draw a figure; ``hint`` is written where there is nothing to draw.

        What is shown of times and of values stays as long as the figure has the same of them.
        """
        before = self.figure
        self.view = View(
            self.view.times
            if (figure.begins, figure.ends) == (before.begins, before.ends)
            else None,
            self.view.values if figure.title == before.title else None,
        )
        self.figure, self._hint, self._step = figure, hint, None
        self.update()

    def curves(self):
        """Return what is drawn."""
        return list(self.figure.curves)

    def hint(self):
        """Return what is written where there is nothing to draw."""
        return self._hint

    def dots(self):
        """Return the values that show, with their places in pixels of the widget."""
        return list(self._dots)

    def show_all(self, *ignored):
        """Show all times and values."""
        self.set_view(View())

    def set_view(self, view):
        """Show some of the times and values."""
        self.view = view
        self.update()

    def menu(self):
        """Return the context menu."""
        menu = QMenu(self)
        self._all.setEnabled(self.view != View())
        self._limits.setEnabled(not self.figure.is_empty)
        menu.addActions([self._all, self._limits])
        if self.actions():
            menu.addSeparator()
            menu.addActions(self.actions())
        return menu

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        self._axes, self._dots = None, []
        if self.figure.is_empty:
            painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
            painter.setPen(palette.color(QPalette.ColorRole.Text))
            painter.setOpacity(0.6)
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(20, 10, -20, -10), flags, self._hint)
            return
        self._axes, self._dots = self.figure.draw(painter, self.size(), palette, self.view)
        chosen = [dot for dot in self._dots if dot.step == self._step]
        if chosen:
            self._draw_values(painter, chosen)

    def _draw_values(self, painter, dots):
        """Mark the values of the step under the cursor, and write them beside it."""
        frame, palette = self._axes.frame, self.palette()
        x = dots[0].x
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Text), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
        for dot in dots:
            painter.setPen(QPen(QColor(self.figure.curves[dot.curve].color), 1.6))
            painter.drawEllipse(QPointF(dot.x, dot.y), DOT + 3, DOT + 3)
        heading, lines = self.figure.describe(self._step)
        metrics = painter.fontMetrics()
        line = metrics.height()
        width = max(map(metrics.horizontalAdvance, [heading, *(text for _, text in lines)]))
        box = QRectF(0, 0, width + 2 * _PADDING, line * (1 + len(lines)) + 2 * _PADDING)
        box.moveTop(frame.top() + _PADDING)
        left = x - box.width() - 2 * _PADDING
        box.moveLeft(left if left > frame.left() else x + 2 * _PADDING)
        painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
        painter.setBrush(palette.color(QPalette.ColorRole.ToolTipBase))
        painter.drawRect(box)
        place = QPointF(box.left() + _PADDING, box.top() + _PADDING + metrics.ascent())
        painter.setPen(palette.color(QPalette.ColorRole.ToolTipText))
        painter.drawText(place, heading)
        for color, text in lines:
            place += QPointF(0, line)
            painter.setPen(QColor(color))
            painter.drawText(place, text)

    def wheelEvent(self, event):
        if self._axes is None:
            return
        place = event.position()
        factor = _ZOOM_PER_NOTCH ** (event.angleDelta().y() / _NOTCH)
        frame, (times, values) = self._axes.frame, self.figure.extent()
        is_ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if is_ctrl or place.x() < frame.left():
            whole = values[1] - values[0]
            ends = whole / _MOST_ZOOM, whole * _MOST_ZOOM
            share = (frame.bottom() - place.y()) / frame.height()
            shown = zoomed(self.view.values or values, share, factor, *ends)
            self.set_view(View(self.view.times, shown))
        else:
            ends = timedelta(days=_LEAST_DAYS), 2 * (times[1] - times[0])
            share = (place.x() - frame.left()) / frame.width()
            shown = zoomed(self.view.times or times, share, factor, *ends)
            self.set_view(View(kept_inside(shown, times), self.view.values))
        event.accept()

    def mousePressEvent(self, event):
        if event.button() == Qt.MouseButton.LeftButton and self._axes is not None:
            self._pressed, self._axes_pressed, self._is_dragged = event.pos(), self._axes, False

    def mouseMoveEvent(self, event):
        if self._pressed is not None:
            self._drag(event.pos())
            return
        step = self._step_near(event.pos())
        if step != self._step:
            self._step = step
            self.update()

    def mouseReleaseEvent(self, event):
        if self._pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        step = None if self._is_dragged else self._step_near(event.pos())
        self._pressed = None
        self.unsetCursor()
        if step is not None:
            self.step_clicked.emit(step)

    def mouseDoubleClickEvent(self, event):
        self.show_all()

    def leaveEvent(self, event):
        self._step = None
        self.update()

    def contextMenuEvent(self, event):
        self.menu().exec(event.globalPos())

    def _drag(self, place):
        """Move what is shown along with the mouse."""
        way, axes = place - self._pressed, self._axes_pressed
        if not self._is_dragged and way.manhattanLength() < QApplication.startDragDistance():
            return
        self._is_dragged = True
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        times = moved(axes.times, -way.x() / axes.frame.width())
        values = moved(axes.values, way.y() / axes.frame.height())
        self.set_view(View(kept_inside(times, self.figure.extent()[0]), values))

    def _step_near(self, place):
        """Return the step of the value near the cursor; of dates also above and below it."""
        if self._axes is None or not self._axes.frame.contains(QPointF(place)):
            return None
        is_dates = self.figure.begins == self.figure.ends

        def distance(dot):
            return abs(dot.x - place.x()) if is_dates else math.dist(_xy(dot), _xy(place))

        nearest = min(self._dots, key=distance, default=None)
        return None if nearest is None or distance(nearest) > _NEAR else nearest.step

    def _ask_for_limits(self):
        dialog = ValueLimitsDialog(self._axes.values, self.figure.title, self)
        if dialog.exec():
            self.set_view(View(self.view.times, dialog.limits()))


def _xy(place):
    """Return the coordinates of a dot or of a point of Qt."""
    return (place.x(), place.y()) if callable(place.x) else (place.x, place.y)
