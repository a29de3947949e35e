"""Draws series over time with nothing but Qt, which every QGIS has."""

import math
from dataclasses import dataclass
from datetime import timedelta

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qgis.PyQt.QtWidgets import QSizePolicy, QToolTip, QWidget

from .ticks import date_ticks, number_ticks

_MARGIN = 10
_DOT = 3.5
_NEAR = 12
_LINE_ALPHA = 110
_LONE_DAYS = 12


@dataclass(frozen=True)
class Curve:
    """What is drawn in one color: a value for each of the plot's times, NaN for none."""

    name: str
    color: str
    values: list


class Plot(QWidget):
    """Values over time: a bar from reference to secondary date for pairs, a line for dates."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._begins, self._ends, self._curves = [], [], []
        self._title, self._hint = "", ""
        self._dots = []
        self.setMouseTracking(True)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self):
        return QSize(560, 220)

    def show_curves(self, begins, ends, curves, title, hint=""):
        """Draw curves; ``hint`` is written where there is nothing to draw."""
        self._begins, self._ends = list(begins), list(ends)
        self._curves = list(curves)
        self._title, self._hint = title, hint
        self.update()

    def curves(self):
        """Return what is drawn."""
        return list(self._curves)

    def dots(self):
        """Return (x, y, curve number, step) of all drawn values, in pixels of the widget."""
        return list(self._dots)

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        self._dots = []
        finite = [v for curve in self._curves for v in curve.values if math.isfinite(v)]
        if not finite:
            painter.setPen(_faded(palette, 150))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(20, 10, -20, -10), flags, self._hint)
            return
        axes = _Axes(self, finite, self._begins, self._ends)
        self._draw_grid(painter, axes)
        painter.setClipRect(axes.frame.adjusted(-_DOT - 1, -_DOT - 1, _DOT + 1, _DOT + 1))
        for number, curve in enumerate(self._curves):
            self._draw_curve(painter, axes, number, curve)

    def _draw_grid(self, painter, axes):
        palette = self.palette()
        text, grid, frame = _faded(palette, 220), _faded(palette, 28), axes.frame
        line = axes.text_height
        for value, label in axes.y_ticks:
            y = axes.y(value)
            painter.setPen(QPen(grid if value else _faded(palette, 90), 1))
            painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y))
            painter.setPen(text)
            place = QRectF(
                _MARGIN + line, y - line / 2, frame.left() - 2 * _MARGIN - line + 4, line
            )
            flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(place, int(flags), label)
        for moment, label in axes.x_ticks:
            x = axes.x(moment)
            painter.setPen(QPen(grid, 1))
            painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))
            painter.setPen(text)
            place = QRectF(x - 60, frame.bottom() + 4, 120, line)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), label)
        painter.setPen(QPen(_faded(palette, 90), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        painter.save()
        painter.setPen(text)
        painter.translate(_MARGIN / 2, frame.center().y())
        painter.rotate(-90)
        place = QRectF(-frame.height() / 2 - line, 0, frame.height() + 2 * line, line)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), self._title)
        painter.restore()

    def _draw_curve(self, painter, axes, number, curve):
        color = QColor(curve.color)
        faded = QColor(color)
        faded.setAlpha(_LINE_ALPHA)
        run = QPolygonF()
        painter.setPen(QPen(faded, 1.6))
        places = []
        for step, value in enumerate(curve.values):
            begin, end = self._begins[step], self._ends[step]
            if not math.isfinite(value):
                painter.drawPolyline(run)
                run = QPolygonF()
                continue
            y = axes.y(value)
            middle = QPointF(axes.x(begin + (end - begin) / 2), y)
            places.append((middle, step))
            if begin == end:
                run.append(middle)
            else:
                painter.drawLine(QPointF(axes.x(begin), y), QPointF(axes.x(end), y))
        painter.drawPolyline(run)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 1))
        painter.setBrush(color)
        for place, step in places:
            painter.drawEllipse(place, _DOT, _DOT)
            self._dots.append((place.x(), place.y(), number, step))

    def mouseMoveEvent(self, event):
        place = event.pos()
        nearest = min(
            self._dots,
            key=lambda dot: math.hypot(dot[0] - place.x(), dot[1] - place.y()),
            default=None,
        )
        if nearest is None or (math.hypot(nearest[0] - place.x(), nearest[1] - place.y()) > _NEAR):
            QToolTip.hideText()
            return
        QToolTip.showText(self.mapToGlobal(place), self.describe(nearest[2], nearest[3]), self)

    def describe(self, number, step):
        """Return name, date or dates, and value of one drawn value."""
        curve = self._curves[number]
        begin, end = self._begins[step], self._ends[step]
        dates = [begin.strftime("%Y-%m-%d")]
        if end != begin:
            dates.append(end.strftime("%Y-%m-%d"))
        return f"{curve.name}\n{' – '.join(dates)}\n{curve.values[step]:.4g}"


class _Axes:
    """Turns times and values into pixels."""

    def __init__(self, widget, values, begins, ends):
        metrics = widget.fontMetrics()
        self.text_height = metrics.height()
        low, high = min(values), max(values)
        pad = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
        self._low, self._high = low - pad, high + pad
        self._begin, self._end = min(begins), max(ends)
        if self._begin == self._end:
            self._begin -= timedelta(days=_LONE_DAYS)
            self._end += timedelta(days=_LONE_DAYS)
        edge = (self._end - self._begin) * 0.02
        self._begin, self._end = self._begin - edge, self._end + edge
        height = widget.height() - 2 * _MARGIN - self.text_height
        numbers, decimals = number_ticks(
            self._low, self._high, max(2, int(height / (1.8 * self.text_height)))
        )
        self.y_ticks = [(number, f"{number:.{decimals}f}") for number in numbers]
        widest = max(metrics.horizontalAdvance(label) for _, label in self.y_ticks)
        left = 2 * _MARGIN + self.text_height + widest
        self.frame = QRectF(left, _MARGIN, max(1, widget.width() - left - 2 * _MARGIN), height)
        most = max(2, int(self.frame.width() / (metrics.horizontalAdvance("2000-00-00") + 24)))
        self.x_ticks = date_ticks(self._begin, self._end, most)

    def x(self, moment):
        share = (moment - self._begin) / (self._end - self._begin)
        return self.frame.left() + share * self.frame.width()

    def y(self, value):
        share = (value - self._low) / (self._high - self._low)
        return self.frame.bottom() - share * self.frame.height()


def _faded(palette, alpha):
    color = QColor(palette.color(QPalette.ColorRole.Text))
    color.setAlpha(alpha)
    return color
