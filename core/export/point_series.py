"""Tables of the series at points, for pandas, R and spreadsheets."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..machine.blocks import BAND_BYTES
from ..run.reporter import Reporter, stop_if_canceled
from .points import Points
from .stack_part import StackPart

POINTS_FILE, SERIES_FILE = "points.csv", "series.csv"

_HELD = 2_000_000
"""Values of the points that are written together."""

_DIGITS = {"f": "%.9g", "i": "%d", "u": "%d"}
"""Nine digits tell any two numbers of 32 bits apart."""


def write_series(part: StackPart, points: Points, folder: Path, reporter: Reporter) -> list[str]:
    """Write the values of a stack at points as two tables, and return the names of the files.

    ``points.csv`` has one row for each point: its number (from 1, in the order of the layer), its
    attributes, the center of its pixel (``x``, ``y`` in the CRS of the stack), and the layers
    without steps. ``series.csv`` is in long form, with one row for each point and step: number and
    attributes of the point, ``time`` (``reference_time`` and ``secondary_time`` of pairs), and a
    column for each layer with steps. Missing values are empty. An attribute of the name of another
    column gets ``_attribute`` behind it.

    Parameters
    ----------
    points
        Where. Points outside of the part are left out.
    folder
        Where the tables go.

    Raises
    ------
    InvalidParameterError
        If all points lie outside.
    OSError
        If a table cannot be written.
    """
    rows, columns, inside = points.pixels(part.grid)
    found = np.flatnonzero(inside)
    if not found.size:
        raise InvalidParameterError(
            f"POINTS has {inside.size} points, of which none lies in the part of "
            f"{part.stack.label} that is exported; check their coordinate reference system, and "
            "EXTENT if it is given."
        )
    if found.size < inside.size:
        reporter.warning(
            f"{inside.size - found.size} of {inside.size} points lie outside of what is exported "
            "and are left out."
        )
    maps = [name for name in part.layers if not part.has_steps(name)]
    series = [name for name in part.layers if part.has_steps(name)]
    labels = dict(zip(part.time_names, map(_iso, part.times), strict=True))
    taken = {"point", "x", "y", *labels, *part.layers}
    attributes = _unlike(points.attributes, taken)
    names = [POINTS_FILE, *([SERIES_FILE] if series else [])]
    with open(folder / POINTS_FILE, "w", newline="", encoding="utf-8") as points_file:
        about = csv.writer(points_file, lineterminator="\n")
        about.writerow(["point", *attributes, "x", "y", *maps])
        with open(folder / SERIES_FILE, "w", newline="", encoding="utf-8") as series_file:
            tables = csv.writer(series_file, lineterminator="\n")
            tables.writerow(["point", *attributes, *labels, *series])
            done = 0
            for some in _together(found, part.steps.size * max(1, len(series))):
                at = rows[some], columns[some]
                flat = [_texts(_read(part, name, *at, reporter)[0]) for name in maps]
                deep = [_read(part, name, *at, reporter) for name in series]
                for number, point in enumerate(some.tolist()):
                    place = part.grid.x[columns[point]], part.grid.y[rows[point]]
                    who = [point + 1, *map(_cell, points.values[point])]
                    about.writerow([*who, *place, *(texts[number] for texts in flat)])
                    if series:
                        values = [_texts(layer[:, number]) for layer in deep]
                        tables.writerows(
                            [*who, *row] for row in zip(*labels.values(), *values, strict=True)
                        )
                done += some.size
                reporter.progress(100.0 * done / found.size)
    if not series:
        (folder / SERIES_FILE).unlink()
    return names


def _unlike(names: Sequence[str], taken: Set[str]) -> list[str]:
    """Return names of columns that differ from each other and from those that are taken."""
    found: list[str] = []
    for name in names:
        if name in taken:
            while name in {*taken, *names, *found}:
                name += "_attribute"
        found.append(name)
    return found


def _cell(attribute: Any) -> Any:
    """Return an attribute as tables have it: a list as JSON, nothing for a missing number."""
    if isinstance(attribute, (list, dict)):
        return json.dumps(attribute, ensure_ascii=False)
    return attribute if attribute == attribute else None


def _iso(times: NDArray[np.datetime64]) -> list[str]:
    return [f"{text}Z" for text in np.datetime_as_string(times, "s").tolist()]


def _texts(values: NDArray[Any]) -> list[str]:
    form = _DIGITS[values.dtype.kind]
    return ["" if value != value else form % (value + 0) for value in values.tolist()]


def _together(found: NDArray[np.intp], values: int) -> Iterator[NDArray[np.intp]]:
    most = max(1, _HELD // values)
    for begin in range(0, found.size, most):
        yield found[begin : begin + most]


def _read(
    part: StackPart,
    name: str,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    reporter: Reporter,
) -> NDArray[Any]:
    """Read a layer at pixels, each chunk once; shape (steps, points)."""
    *depth, high, wide = part.stack.blocks.array(name).chunks
    deep = bool(depth)
    count = part.steps.size if deep else 1
    values = np.empty((count, rows.size), part.dtype(name))
    chunks = np.stack([(part.row + rows) // high, (part.column + columns) // wide])
    order = np.lexsort(chunks)
    edges = np.flatnonzero((np.diff(chunks[:, order]) != 0).any(axis=0)) + 1
    for some in np.split(order, edges):
        stop_if_canceled(reporter)
        top, left = rows[some].min(), columns[some].min()
        down = slice(int(top), int(rows[some].max()) + 1)
        across = slice(int(left), int(columns[some].max()) + 1)
        pixels = (down.stop - down.start) * (across.stop - across.start)
        inner = rows[some] - top, columns[some] - left
        for steps in _runs(count, depth[0] if deep else 1, BAND_BYTES // (4 * pixels)):
            block = part.read(name, steps, down, across)
            values[steps, some] = block[..., inner[0], inner[1]]
    return values


def _runs(count: int, chunk: int, most: int) -> list[slice]:
    """Cut the steps into runs of whole chunks that are not too large."""
    size = max(1, most // chunk) * chunk
    edges = [*range(0, count, size), count]
    return [slice(one, other) for one, other in itertools.pairwise(edges)]
