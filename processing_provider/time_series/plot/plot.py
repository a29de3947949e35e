"""Draws series over time with nothing but Qt, which every QGIS has."""

import math
from dataclasses import dataclass, field
from datetime import timedelta

from qgis.PyQt.QtCore import QPointF, QRectF, QSize, Qt
from qgis.PyQt.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF
from qgis.PyQt.QtWidgets import QSizePolicy, QToolTip, QWidget

from .ticks import date_ticks, number_ticks, symmetric_ticks

_MARGIN = 10
_DOT = 3.5
_SMALL_DOT = 2.0
_CAP = 2.5
_NEAR = 12
_LINE_ALPHA = 110
_LONE_DAYS = 12
_RESIDUAL_SHARE = 0.3
"""Of the height, for the residuals, if that leaves enough."""
_LEAST_HEIGHT = 160
_FEW_TICKS = 4


@dataclass(frozen=True)
class Curve:
    """What is drawn in one color: a value for each of the plot's times, NaN for none.

    ``errors`` are drawn as bars. ``fit`` are (time, value) of a line through the values, and
    ``residuals`` what the values have more.
    """

    name: str
    color: str
    values: list
    errors: list = field(default_factory=list)
    fit: list = field(default_factory=list)
    residuals: list = field(default_factory=list)


class Plot(QWidget):
    """Values over time: a bar from reference to secondary date for pairs, a line for dates."""

    def __init__(self, parent=None):
        super().__init__(parent)
        self._begins, self._ends, self._curves = [], [], []
        self._title, self._hint, self._units = "", "", ""
        self._dots = []
        self.setMouseTracking(True)
        self.setMinimumHeight(120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self):
        return QSize(560, 220)

    def show_curves(self, begins, ends, curves, title, hint="", units=""):
        """Draw curves; ``hint`` is written where there is nothing to draw."""
        self._begins, self._ends = list(begins), list(ends)
        self._curves = list(curves)
        self._title, self._hint, self._units = title, hint, units
        self.update()

    def curves(self):
        """Return what is drawn."""
        return list(self._curves)

    def hint(self):
        """Return what is written where there is nothing to draw."""
        return self._hint

    def dots(self):
        """Return (x, y, curve number, step) of all drawn values, in pixels of the widget."""
        return list(self._dots)

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        self._dots = []
        values = [value for curve in self._curves for value in _extent(curve)]
        if not values:
            painter.setPen(_faded(palette, 150))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(20, 10, -20, -10), flags, self._hint)
            return
        main, below = self._panels(values)
        self._draw_grid(painter, main, self._title, with_dates=below is None)
        self._clip(painter, main)
        for curve in self._curves:
            self._draw_fit(painter, main, curve)
        for number, curve in enumerate(self._curves):
            self._draw_curve(painter, main, number, curve)
        painter.setClipping(False)
        if below is not None:
            self._draw_grid(painter, below, "residual", with_dates=True)
            self._clip(painter, below)
            for curve in self._curves:
                self._draw_residuals(painter, below, curve)

    def _panels(self, values):
        """Return the axes of values, and those of residuals or None, with a common left edge."""
        residuals = [v for curve in self._curves for v in curve.residuals if math.isfinite(v)]
        dates_height = self.fontMetrics().height() + _MARGIN
        height = self.height() - _MARGIN - dates_height
        if not residuals or height < _LEAST_HEIGHT:
            return _Axes(self, _MARGIN, height, values, self._begins, self._ends), None
        share = _RESIDUAL_SHARE * height
        main = _Axes(self, _MARGIN, height - share - _MARGIN, values, self._begins, self._ends)
        largest = max(map(abs, residuals)) or 1.0
        ends = [-largest, largest]
        below = _Axes(self, _MARGIN + height - share, share, ends, self._begins, self._ends)
        left = max(main.frame.left(), below.frame.left())
        main.frame.setLeft(left)
        below.frame.setLeft(left)
        return main, below

    @staticmethod
    def _clip(painter, axes):
        painter.setClipRect(axes.frame.adjusted(-_DOT - 1, -_DOT - 1, _DOT + 1, _DOT + 1))

    def _draw_grid(self, painter, axes, title, with_dates):
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
            if with_dates:
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
        length = frame.height() + line
        fitting = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(length))
        place = QRectF(-length / 2, 0, length, line)
        painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), fitting)
        painter.restore()

    def _draw_fit(self, painter, axes, curve):
        painter.setPen(QPen(QColor(curve.color), 1.4, Qt.PenStyle.DashLine))
        painter.drawPolyline(
            QPolygonF([QPointF(axes.x(moment), axes.y(value)) for moment, value in curve.fit])
        )

    def _draw_curve(self, painter, axes, number, curve):
        color = QColor(curve.color)
        painter.setPen(QPen(_translucent(color), 1.6))
        places, run = [], QPolygonF()
        for step, value in enumerate(curve.values):
            begin, end = self._begins[step], self._ends[step]
            if not math.isfinite(value):
                painter.drawPolyline(run)
                run = QPolygonF()
                continue
            y = axes.y(value)
            middle = QPointF(axes.x(begin + (end - begin) / 2), y)
            places.append((middle, step))
            if begin != end:
                painter.drawLine(QPointF(axes.x(begin), y), QPointF(axes.x(end), y))
            elif not curve.fit:  # the fit leads the eye from date to date, where there is one
                run.append(middle)
            if curve.errors and math.isfinite(curve.errors[step]):
                _draw_bar(painter, axes, middle.x(), value, curve.errors[step])
        painter.drawPolyline(run)
        self._draw_dots(painter, color, _DOT, [place for place, _ in places])
        self._dots += [(place.x(), place.y(), number, step) for place, step in places]

    def _draw_residuals(self, painter, axes, curve):
        places = [
            QPointF(axes.x(moment), axes.y(residual))
            for moment, residual in zip(self._begins, curve.residuals)  # noqa: B905 - Python 3.9
            if math.isfinite(residual)
        ]
        painter.setPen(QPen(_translucent(QColor(curve.color)), 1.2))
        for place in places:
            painter.drawLine(QPointF(place.x(), axes.y(0.0)), place)
        self._draw_dots(painter, QColor(curve.color), _SMALL_DOT, places)

    def _draw_dots(self, painter, color, radius, places):
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Base), 1))
        painter.setBrush(color)
        for place in places:
            painter.drawEllipse(place, radius, radius)

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
        units = f" {self._units}" if self._units else ""
        error = ""
        if curve.errors and math.isfinite(curve.errors[step]):
            error = f" ± {curve.errors[step]:.1f}"
        lines = [curve.name, " – ".join(dates), f"{curve.values[step]:.4g}{error}{units}"]
        if curve.residuals:
            lines.append(f"{curve.residuals[step]:+.1f}{units} from the fit")
        return "\n".join(lines)


class _Axes:
    """Turns times and values into pixels of a panel."""

    def __init__(self, widget, top, height, values, begins, ends):
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
        most = int(height / (1.8 * self.text_height))
        numbers, decimals = number_ticks(self._low, self._high, max(2, most))
        if most < _FEW_TICKS and low < 0.0 < high:
            numbers, decimals = symmetric_ticks(min(-low, high))
        self.y_ticks = [(number, f"{number:.{decimals}f}") for number in numbers]
        widest = max(metrics.horizontalAdvance(label) for _, label in self.y_ticks)
        left = 2 * _MARGIN + self.text_height + widest
        self.frame = QRectF(left, top, max(1, widget.width() - left - 2 * _MARGIN), height)
        most = max(2, int(self.frame.width() / (metrics.horizontalAdvance("2000-00-00") + 24)))
        self.x_ticks = date_ticks(self._begin, self._end, most)

    def x(self, moment):
        share = (moment - self._begin) / (self._end - self._begin)
        return self.frame.left() + share * self.frame.width()

    def y(self, value):
        share = (value - self._low) / (self._high - self._low)
        return self.frame.bottom() - share * self.frame.height()


def _extent(curve):
    """Return values of which the axis has to show the smallest and the largest."""
    errors = curve.errors or [0.0] * len(curve.values)
    found = []
    for value, error in zip(curve.values, errors):  # noqa: B905 - Python 3.9
        if math.isfinite(value):
            error = error if math.isfinite(error) else 0.0
            found += [value - error, value + error]
    return found


def _draw_bar(painter, axes, x, value, error):
    top, bottom = axes.y(value + error), axes.y(value - error)
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    for y in (top, bottom):
        painter.drawLine(QPointF(x - _CAP, y), QPointF(x + _CAP, y))


def _translucent(color):
    faded = QColor(color)
    faded.setAlpha(_LINE_ALPHA)
    return faded


def _faded(palette, alpha):
    color = QColor(palette.color(QPalette.ColorRole.Text))
    color.setAlpha(alpha)
    return color
