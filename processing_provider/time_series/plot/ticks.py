"""Where the axes of the plot get their ticks."""

import math
from datetime import datetime, timedelta, timezone

_DAYS = (1, 2, 4, 7, 14)
_MONTHS = (1, 2, 3, 6)
_YEARS = (1, 2, 5, 10)
_MONTH_DAYS = 30.44
_YEAR_DAYS = 365.25


def number_ticks(low, high, most):
    """Return at most ``most`` round numbers from ``low`` to ``high``, and their decimals."""
    if not high > low or most < 2:
        return [low], 2
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    while (high - low) / step > most:
        for factor in (2.0, 2.5, 2.0):  # 1, 2, 5, 10
            step *= factor
            if (high - low) / step <= most:
                break
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)], decimals


def symmetric_ticks(largest):
    """Return 0 and, on both sides, a number of one digit up to ``largest``, and their decimals."""
    digits = math.floor(math.log10(largest))
    step = math.floor(largest / 10.0**digits + 1e-9) * 10.0**digits
    return [-step, 0.0, step], max(0, -digits)


def date_ticks(begin, end, most):
    """Return at most about ``most`` UTC days from ``begin`` to ``end``, with their labels."""
    span = (end - begin) / timedelta(days=1)
    for days in _DAYS:
        if span / days <= most:
            return _days(begin, end, days)
    for months in _MONTHS:
        if span / (months * _MONTH_DAYS) <= most:
            return _months(begin, end, months)
    years = next((y for y in _YEARS if span / (y * _YEAR_DAYS) <= most), _YEARS[-1])
    return _months(begin, end, 12 * years)


def _days(begin, end, days):
    moment = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    # Counted from a fixed day, so that ticks keep their place when the span changes.
    moment -= timedelta(days=moment.toordinal() % days)
    ticks = []
    while moment <= end:
        if moment >= begin:
            ticks.append((moment, moment.strftime("%Y-%m-%d")))
        moment += timedelta(days=days)
    return ticks


def _months(begin, end, months):
    count = begin.year * 12 + begin.month - 1
    count -= count % months
    label = "%Y" if months >= 12 else "%Y-%m"
    ticks = []
    while True:
        moment = datetime(count // 12, count % 12 + 1, 1, tzinfo=timezone.utc)
        if moment > end:
            return ticks
        if moment >= begin:
            ticks.append((moment, moment.strftime(label)))
        count += months
