"""Writes series as rows that spreadsheets and pandas read."""

import csv
import io
import math

HEADER = (
    "point",
    "kind",
    "x",
    "y",
    "crs",
    "row",
    "column",
    "window",
    "step",
    "reference_time",
    "secondary_time",
    "variable",
    "units",
    "value",
    "pixels",
    "pixels_inside",
    "standard_deviation",
    "error",
    "fit",
    "reference",
)


def rows(result):
    """Return one tuple for each place and step, in the order of HEADER.

    The coordinates are those of the point, or of the middle of the area, in the stack's CRS.
    ``pixels`` is the number of pixels with data that the value stands for, of all those inside,
    and ``standard_deviation`` is theirs; a value without any is empty. Error and fit are those of
    displacement, in its units. ``reference`` is the place that values are relative to, empty for
    the stack's own.
    """
    reference = result.reference
    referred = "" if reference is None else f"{reference.x:.10g} {reference.y:.10g}"
    made = []
    for number, picked in enumerate(result.picked, start=1):
        series = picked.series
        if series is None:
            continue
        is_area = picked.place.is_area
        for step, (value, count) in enumerate(zip(series.values, series.counts)):
            made.append(
                (
                    number,
                    "area" if is_area else "point",
                    f"{picked.x:.10g}",
                    f"{picked.y:.10g}",
                    result.crs,
                    picked.row,
                    picked.column,
                    "" if is_area else result.window,
                    step + 1,
                    _iso(result.begins[step]),
                    _iso(result.ends[step]),
                    result.variable,
                    result.units,
                    f"{value:.9g}" if count else "",
                    count,
                    series.size,
                    _number(series.deviations[step]),
                    _number(result.errors[step]) if result.errors and not is_area else "",
                    _number(picked.fit.at(result.begins[step])) if picked.fit else "",
                    referred,
                )
            )
    return made


def _number(value):
    return f"{value:.9g}" if math.isfinite(value) else ""


def as_text(result, separator):
    """Return header and rows as text; a tab as separator is what spreadsheets paste."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(result))
    return text.getvalue()


def _iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
