"""The part of time and values that a panel shows, and where on it they are."""

from datetime import timedelta

from qgis.PyQt.QtCore import QRectF

from .ticks import date_ticks, number_ticks, symmetric_ticks

MARGIN = 10
_LONE_DAYS = 12
_FEW_TICKS = 4


def all_times(begins, ends):
    """Return begin and end of an axis with all of some times."""
    begin, end = min(begins), max(ends)
    if begin == end:
        begin, end = begin - timedelta(days=_LONE_DAYS), end + timedelta(days=_LONE_DAYS)
    edge = (end - begin) * 0.02
    return begin - edge, end + edge


def all_values(values):
    """Return the ends of an axis with all of some values."""
    low, high = min(values), max(values)
    pad = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - pad, high + pad


def zoomed(span, share, factor, shortest, longest):
    """Return a span of times or values that is ``factor`` times as long.

    What lies at a ``share`` of its length stays there. It becomes no shorter and no longer than
    two lengths.
    """
    low, high = span
    length = high - low
    center = low + length * share
    factor = max(shortest / length, min(longest / length, factor))
    return center - (center - low) * factor, center + (high - center) * factor


def moved(span, share):
    """Return a span of times or values moved by a share of its length."""
    low, high = span
    way = (high - low) * share
    return low + way, high + way


def kept_inside(span, whole):
    """Return a span moved so that its middle lies inside of ``whole``."""
    low, high = span
    middle, nothing = low + (high - low) / 2, low - low
    way = max(whole[0] - middle, min(whole[1] - middle, nothing))
    return low + way, high + way


class Axes:
    """Turns times and values into pixels of a panel, and back."""

    def __init__(self, metrics, width, top, height, times, values):
        self.text_height = metrics.height()
        self.times, self.values = times, values
        most = int(height / (1.8 * self.text_height))
        low, high = values
        numbers, decimals = number_ticks(low, high, max(2, most))
        if most < _FEW_TICKS and low < 0.0 < high:
            numbers, decimals = symmetric_ticks(0.9 * min(-low, high))
        self.y_ticks = [(number, f"{number:.{decimals}f}") for number in numbers]
        widest = max((metrics.horizontalAdvance(label) for _, label in self.y_ticks), default=0)
        left = 2 * MARGIN + self.text_height + widest
        self.frame = QRectF(left, top, max(1, width - left - 2 * MARGIN), height)
        most = max(2, int(self.frame.width() / (metrics.horizontalAdvance("2000-00-00") + 24)))
        self.x_ticks = date_ticks(*times, most)

    def x(self, moment):
        """Return where a time is."""
        begin, end = self.times
        return self.frame.left() + (moment - begin) / (end - begin) * self.frame.width()

    def y(self, value):
        """Return where a value is."""
        low, high = self.values
        return self.frame.bottom() - (value - low) / (high - low) * self.frame.height()
