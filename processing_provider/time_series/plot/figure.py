"""Draws series over time with any painter: on the screen, into a picture, into SVG."""

import math
from dataclasses import dataclass, field

from qgis.PyQt.QtCore import QPointF, QRectF, Qt
from qgis.PyQt.QtGui import QColor, QPainterPath, QPalette, QPen, QPolygonF

from .axes import MARGIN, Axes, all_times, all_values

DOT = 3.5
_SMALL_DOT = 2.0
_CAP = 2.5
_LINE_ALPHA = 110
_RESIDUAL_SHARE = 0.3
"""Of the height, for the residuals, if that leaves enough."""
_LEAST_HEIGHT = 160


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


@dataclass(frozen=True)
class Dot:
    """A value that was drawn, and where."""

    x: float
    y: float
    curve: int
    step: int


@dataclass(frozen=True)
class View:
    """Ends of the axes of times and of values; None for all that there are."""

    times: tuple = None
    values: tuple = None


@dataclass(frozen=True)
class Figure:
    """Values over time: a bar from reference to secondary date for pairs, a line for dates."""

    begins: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    curves: list = field(default_factory=list)
    title: str = ""
    units: str = ""

    @property
    def is_empty(self):
        """Return whether there is no value to draw."""
        return not any(math.isfinite(value) for curve in self.curves for value in curve.values)

    def extent(self):
        """Return the ends of axes that show all times and values, of which there has to be one."""
        shown = [value for curve in self.curves for value in _extent(curve)]
        return all_times(self.begins, self.ends), all_values(shown)

    def describe(self, step):
        """Return the date or dates of a step, and a line for each curve that has a value there."""
        begin, end = self.begins[step], self.ends[step]
        dates = [begin.strftime("%Y-%m-%d")]
        if end != begin:
            dates.append(end.strftime("%Y-%m-%d"))
        lines = [(curve.color, self._value(curve, step)) for curve in self.curves]
        return " – ".join(dates), [(color, text) for color, text in lines if text]

    def _value(self, curve, step):
        value = curve.values[step] if curve.values else math.nan
        if not math.isfinite(value):
            return ""
        units = f" {self.units}" if self.units else ""
        error = ""
        if curve.errors and math.isfinite(curve.errors[step]):
            error = f" ± {curve.errors[step]:.2g}"
        text = f"{curve.name}: {value:.4g}{error}{units}"
        if curve.residuals:
            text += f", {curve.residuals[step]:+.1f} from the fit"
        return text

    def draw(self, painter, size, palette, view, with_names=False):
        """Draw everything, and return the axes of the values and the dots that show.

        There has to be a value. ``with_names`` writes the names of the curves above.
        """
        painter.fillRect(QRectF(0, 0, size.width(), size.height()), _ground(palette))
        top = MARGIN
        if with_names:
            top += self._draw_names(painter, size.width(), palette)
        main, below = self._panels(painter.fontMetrics(), size, view, top)
        dots = []
        _draw_grid(painter, main, palette)
        for curve in self.curves:
            _draw_fit(painter, main, curve)
        for number, curve in enumerate(self.curves):
            dots += self._draw_curve(painter, main, number, curve, palette)
        if below is not None:
            _draw_grid(painter, below, palette)
            for curve in self.curves:
                self._draw_residuals(painter, below, curve, palette)
        # Instead of clipping, which SVG of Qt 5 does not know.
        outside = QPainterPath()
        outside.addRect(QRectF(0, top - MARGIN, size.width(), size.height()))
        for axes in filter(None, (main, below)):
            outside.addRect(axes.frame)
        painter.fillPath(outside, _ground(palette))
        _draw_labels(painter, main, palette, self.title, with_dates=below is None)
        if below is not None:
            _draw_labels(painter, below, palette, "residual", with_dates=True)
        near = main.frame.adjusted(-1, -1, 1, 1)
        return main, [dot for dot in dots if near.contains(QPointF(dot.x, dot.y))]

    def _panels(self, metrics, size, view, top):
        """Return the axes of values, and those of residuals or None, with a common left edge."""
        times, values = self.extent()
        times, values = view.times or times, view.values or values
        residuals = [v for curve in self.curves for v in curve.residuals if math.isfinite(v)]
        height = max(1, size.height() - top - metrics.height() - MARGIN)
        if not residuals or height < _LEAST_HEIGHT:
            return Axes(metrics, size.width(), top, height, times, values), None
        share = _RESIDUAL_SHARE * height
        main = Axes(metrics, size.width(), top, height - share - MARGIN, times, values)
        largest = max(map(abs, residuals)) or 1.0
        ends = all_values([-largest, largest])
        below = Axes(metrics, size.width(), top + height - share, share, times, ends)
        left = max(main.frame.left(), below.frame.left())
        main.frame.setLeft(left)
        below.frame.setLeft(left)
        return main, below

    def _draw_names(self, painter, width, palette):
        """Write the names of the curves in rows, and return their height."""
        metrics = painter.fontMetrics()
        line, x, y = metrics.height(), MARGIN, MARGIN
        for curve in self.curves:
            needed = metrics.horizontalAdvance(curve.name) + 2 * line
            if x > MARGIN and x + needed > width:
                x, y = MARGIN, y + line
            _draw_dots(painter, QColor(curve.color), DOT, [QPointF(x + DOT, y + line / 2)], palette)
            painter.setPen(_faded(palette, 220))
            painter.drawText(QPointF(x + line, y + metrics.ascent()), curve.name)
            x += needed
        return y - MARGIN + line + MARGIN / 2

    def _draw_curve(self, painter, axes, number, curve, palette):
        color = QColor(curve.color)
        painter.setPen(QPen(_translucent(color), 1.6))
        dots, run = [], QPolygonF()
        for step, value in enumerate(curve.values):
            begin, end = self.begins[step], self.ends[step]
            if not math.isfinite(value):
                painter.drawPolyline(run)
                run = QPolygonF()
                continue
            y = axes.y(value)
            dots.append(Dot(axes.x(begin + (end - begin) / 2), y, number, step))
            if begin != end:
                painter.drawLine(QPointF(axes.x(begin), y), QPointF(axes.x(end), y))
            elif not curve.fit:  # the fit leads the eye from date to date, where there is one
                run.append(QPointF(dots[-1].x, y))
            if curve.errors and math.isfinite(curve.errors[step]):
                _draw_bar(painter, axes, dots[-1].x, value, curve.errors[step])
        painter.drawPolyline(run)
        _draw_dots(painter, color, DOT, [QPointF(dot.x, dot.y) for dot in dots], palette)
        return dots

    def _draw_residuals(self, painter, axes, curve, palette):
        places = [
            QPointF(axes.x(moment), axes.y(residual))
            for moment, residual in zip(self.begins, curve.residuals)  # noqa: B905 - Python 3.9
            if math.isfinite(residual)
        ]
        painter.setPen(QPen(_translucent(QColor(curve.color)), 1.2))
        for place in places:
            painter.drawLine(QPointF(place.x(), axes.y(0.0)), place)
        _draw_dots(painter, QColor(curve.color), _SMALL_DOT, places, palette)


def _draw_grid(painter, axes, palette):
    grid, frame = _faded(palette, 28), axes.frame
    for value, _ in axes.y_ticks:
        painter.setPen(QPen(grid if value else _faded(palette, 90), 1))
        painter.drawLine(
            QPointF(frame.left(), axes.y(value)), QPointF(frame.right(), axes.y(value))
        )
    painter.setPen(QPen(grid, 1))
    for moment, _ in axes.x_ticks:
        x = axes.x(moment)
        painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()))


def _draw_labels(painter, axes, palette, title, with_dates):
    text, frame, line = _faded(palette, 220), axes.frame, axes.text_height
    painter.setPen(text)
    for value, label in axes.y_ticks:
        place = QRectF(
            MARGIN + line, axes.y(value) - line / 2, frame.left() - 2 * MARGIN - line + 4, line
        )
        flags = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(flags), label)
    if with_dates:
        for moment, label in axes.x_ticks:
            place = QRectF(axes.x(moment) - 60, frame.bottom() + 4, 120, line)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), label)
    painter.setPen(QPen(_faded(palette, 90), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(frame)
    painter.save()
    painter.setPen(text)
    painter.translate(MARGIN / 2, frame.center().y())
    painter.rotate(-90)
    length = frame.height() + line
    fitting = painter.fontMetrics().elidedText(title, Qt.TextElideMode.ElideRight, int(length))
    place = QRectF(-length / 2, 0, length, line)
    painter.drawText(place, int(Qt.AlignmentFlag.AlignHCenter), fitting)
    painter.restore()


def _draw_fit(painter, axes, curve):
    painter.setPen(QPen(QColor(curve.color), 1.4, Qt.PenStyle.DashLine))
    painter.drawPolyline(
        QPolygonF([QPointF(axes.x(moment), axes.y(value)) for moment, value in curve.fit])
    )


def _draw_dots(painter, color, radius, places, palette):
    painter.setPen(QPen(_ground(palette), 1))
    painter.setBrush(color)
    for place in places:
        painter.drawEllipse(place, radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _draw_bar(painter, axes, x, value, error):
    top, bottom = axes.y(value + error), axes.y(value - error)
    painter.drawLine(QPointF(x, top), QPointF(x, bottom))
    for y in (top, bottom):
        painter.drawLine(QPointF(x - _CAP, y), QPointF(x + _CAP, y))


def _extent(curve):
    """Return values of which the axis has to show the smallest and the largest."""
    errors = curve.errors or [0.0] * len(curve.values)
    found = []
    for value, error in zip(curve.values, errors):  # noqa: B905 - Python 3.9
        if math.isfinite(value):
            error = error if math.isfinite(error) else 0.0
            found += [value - error, value + error]
    return found


def _ground(palette):
    return palette.color(QPalette.ColorRole.Base)


def _translucent(color):
    faded = QColor(color)
    faded.setAlpha(_LINE_ALPHA)
    return faded


def _faded(palette, alpha):
    color = QColor(palette.color(QPalette.ColorRole.Text))
    color.setAlpha(alpha)
    return color
