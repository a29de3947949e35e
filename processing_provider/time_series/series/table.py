"""Writes series as rows that spreadsheets and pandas read."""

import csv
import io

HEADER = (
    "point",
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
    "error",
    "fit",
    "reference",
)


def rows(result):
    """Return one tuple for each point and step, in the order of HEADER.

    The coordinates are those of the point in the stack's CRS, ``pixels`` is the number of pixels
    with data that the value stands for; a value without any is empty. Error and fit are those of
    displacement, in its units. ``reference`` is the place that values are relative to, empty for
    the stack's own.
    """
    reference = result.reference
    referred = "" if reference is None else f"{reference.x:.10g} {reference.y:.10g}"
    made = []
    for number, picked in enumerate(result.points, start=1):
        if picked.series is None:
            continue
        for step, (value, count) in enumerate(zip(picked.series.values, picked.series.counts)):
            made.append(
                (
                    number,
                    f"{picked.x:.10g}",
                    f"{picked.y:.10g}",
                    result.crs,
                    picked.row,
                    picked.column,
                    result.window,
                    step + 1,
                    _iso(result.begins[step]),
                    _iso(result.ends[step]),
                    result.variable,
                    result.units,
                    f"{value:.9g}" if count else "",
                    count,
                    f"{result.errors[step]:.9g}" if result.errors else "",
                    f"{picked.fit.at(result.begins[step]):.9g}" if picked.fit else "",
                    referred,
                )
            )
    return made


def as_text(result, separator):
    """Return header and rows as text; a tab as separator is what spreadsheets paste."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(rows(result))
    return text.getvalue()


def _iso(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
