"""Typed reading of a job's parameters, with one sentence for each kind of bad input."""

from __future__ import annotations

import errno
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ..contract import ROWS, unknown_names
from ..errors import InvalidParameterError

_SHOWN = 200
"""Characters of a value that a message shows."""

_TOO_DEEP = "(nested too deeply)"


@dataclass(frozen=True)
class Extent:
    """A rectangle in a coordinate reference system."""

    # Outer edges in units of ``crs``; ``xmin`` is greater than ``xmax`` where the rectangle, in
    # degrees, lies across the antimeridian.
    xmin: float
    ymin: float
    xmax: float
    ymax: float
    # Authority code (``EPSG:32606``) or WKT; None stands for the CRS of the target grid.
    crs: str | None = None


class Parameters:
    """The ``parameters`` object of a job, read by name and type.

    Every reader treats a missing key, None and blank text alike: the default of the parameter's row
    in :data:`~core.contract.ROWS` is returned, or, where ``required`` is set or a number has no
    default, an :class:`InvalidParameterError` names the parameter.

    Raises
    ------
    InvalidParameterError
        If the task does not have a parameter of some name: mistyped, it would be ignored.
    """

    def __init__(self, values: Mapping[str, Any], task: str) -> None:
        self._values = values
        self._task = task
        self._rows = ROWS[task]
        unknown = sorted(values.keys() - self._rows.keys())
        if unknown:
            raise InvalidParameterError(unknown_names(unknown, self._rows, task))

    def history(self) -> str:
        """Return the job in a line, as the history of a stack records it."""
        given = " ".join(
            # Folders reveal user names and the layout of disks, and nobody else has them.
            f"{name}={Path(str(value)).name if self._rows[name].is_path else value}"
            for name, value in sorted(self._values.items())
            if value not in (None, "") and not self._rows[name].private
        )
        place = " on a Dask cluster" if self._values.get("SCHEDULER") else ""
        return f"hyp3:{self._task}{place} {given}"

    def _get(self, name: str, required: bool = False) -> Any:
        """Return a value, of any type; text in it is such that files and services take it."""
        row = self._rows[name]
        value = self._values.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            value = row.default
        if value is None and required:
            raise InvalidParameterError(f"The parameter {name} is missing; give it a value.")
        if shown(value) == _TOO_DEEP:
            raise InvalidParameterError(f"{name} is nested too deeply; write it again.")
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(part, str) and not is_text(part):
                raise InvalidParameterError(
                    f"{name} is {shown(value)}, which holds a character that no name can have; "
                    "write it again."
                )
        return value

    def text(self, name: str) -> str | None:
        """Return trimmed text; a number stands for its digits."""
        value = self._get(name)
        if value is None:
            return None
        if not _is_plain(value):
            raise InvalidParameterError(f"{name} is {shown(value)}, but it has to be text.")
        return str(value).strip()

    def choice(self, name: str) -> str:
        """Return one of the words of a choice; anything else is an error that lists them."""
        value, choices = self.text(name), self._rows[name].choices
        if value not in choices:
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to be one of: {', '.join(choices)}."
            )
        return str(value)

    def flag(self, name: str) -> bool:
        """Return a yes/no value; accepts JSON booleans, 0/1 and the words true, false, yes, no."""
        value = self._get(name)
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("true", "yes", "1"):
            return True
        if word in ("false", "no", "0"):
            return False
        raise InvalidParameterError(f"{name} is {shown(value)}, but it has to be true or false.")

    def number(self, name: str) -> float:
        """Return a finite number within the limits of the parameter."""
        value, row = self._get(name, required=True), self._rows[name]
        minimum = -math.inf if row.minimum is None else row.minimum
        maximum = math.inf if row.maximum is None else row.maximum
        try:
            result = _number(value)
        except (TypeError, ValueError):
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to be a number."
            ) from None
        if not math.isfinite(result) or not minimum <= result <= maximum:
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to lie between {_round(minimum)} and "
                f"{_round(maximum)}."
            )
        return result

    def optional_number(self, name: str) -> float | None:
        """Return a number as :meth:`number` does, or None where none is given."""
        return None if self._get(name) is None else self.number(name)

    def integer(self, name: str) -> int:
        """Return a whole number within the limits of the parameter."""
        result = self.number(name)
        if not result.is_integer():
            raise InvalidParameterError(
                f"{name} is {shown(self._get(name))}, but it has to be a whole number."
            )
        return int(result)

    def names(self, name: str) -> tuple[str, ...]:
        """Return the entries of a comma list (or JSON list), trimmed, in order, without repeats."""
        value = self._get(name)
        if value is None:
            return ()
        given = value if isinstance(value, (list, tuple)) else [value]
        if not all(map(_is_plain, given)):
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to be a list of words separated by commas."
            )
        parts = map(str, given) if given is value else str(value).split(",")
        return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def day(self, name: str) -> date | None:
        """Return a UTC day given as ``YYYY-MM-DD`` (a time of day behind it is ignored)."""
        value = self.text(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value[:10])
        except ValueError:
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to be a date like 2021-02-28."
            ) from None

    def period(self, start: str = "START", end: str = "END") -> tuple[date | None, date | None]:
        """Return first and last day, both inclusive and each optional."""
        first, last = self.day(start), self.day(end)
        if first is not None and last is not None and last < first:
            raise InvalidParameterError(f"{start} ({first}) lies after {end} ({last}); swap them.")
        return first, last

    def path(self, name: str, required: bool = False) -> Path | None:
        """Return an absolute path with ``~`` expanded; not that of a device or a pipe."""
        value = self._get(name, required)
        if value is None:
            return None
        if not isinstance(value, (str, os.PathLike)):
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to be the text of one path."
            )
        try:
            path = Path(value).expanduser().absolute()
        except RuntimeError:  # there is no such user, or the system does not know where home is
            raise InvalidParameterError(
                f"{name} is {value}, but the home folder that ~ stands for is not known; give the "
                "path without ~."
            ) from None
        kind = _kind(name, path)
        if kind is not None and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
            raise InvalidParameterError(
                f"{name} is {path}, which is neither a file nor a folder; give another name."
            )
        return path

    def output(self, name: str, required: bool = False) -> Path | None:
        """Return the path of what is to be written; a link stands for what it leads to.

        What is complete is renamed to its final name, which would replace the link.
        """
        path = self.path(name, required)
        if path is None or not os.path.islink(path):
            return path
        return Path(os.path.realpath(path))

    def folder(self, name: str) -> Path:
        """Return the path of a folder that has to exist."""
        path = self.path(name, required=True)
        if path is None or not path.is_dir():
            raise InvalidParameterError(f"{name} is {path}, but there is no such folder.")
        return path

    def collection(self, name: str) -> Mapping[str, Any] | Path | None:
        """Return a vector layer: a FeatureCollection of GeoJSON, or the path of a file."""
        value = self._get(name)
        return value if isinstance(value, Mapping) else self.path(name)

    def extent(self, name: str = "EXTENT") -> Extent | None:
        """Return a rectangle.

        Accepts ``{"bounds": [xmin, ymin, xmax, ymax], "crs": ...}`` and the text form of QGIS,
        ``xmin,xmax,ymin,ymax [EPSG:code]``.
        """
        value = self._get(name)
        if value is None:
            return None
        try:
            if isinstance(value, Mapping):
                xmin, ymin, xmax, ymax = map(_number, value["bounds"])
                crs = value.get("crs") or None
            else:
                numbers, _, rest = str(value).partition("[")
                xmin, xmax, ymin, ymax = map(_number, numbers.split(","))
                crs = rest.rstrip("] \t") or None
            is_fit = crs is None or (isinstance(crs, str) and is_text(crs))
            if not is_fit or not all(map(math.isfinite, (xmin, ymin, xmax, ymax))):
                raise ValueError
        except (KeyError, TypeError, ValueError):
            raise InvalidParameterError(
                f"{name} is {shown(value)}, but it has to read xmin,xmax,ymin,ymax [EPSG:code]."
            ) from None
        crosses = xmin > xmax and crs is not None and _is_in_degrees(crs, xmin, xmax)
        if ymin >= ymax or (xmin >= xmax and not crosses):
            raise InvalidParameterError(
                f"{name} is {xmin:g},{xmax:g},{ymin:g},{ymax:g}, but its maxima have to be "
                "greater than its minima (only west of an area across the antimeridian, in "
                "degrees, is greater than east)."
            )
        return Extent(xmin, ymin, xmax, ymax, crs)


def shown(value: Any) -> str:
    """Return a value as messages show it: short, with strange characters as escapes."""
    try:
        text = repr(value)
    except RecursionError:
        return _TOO_DEEP
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def is_text(text: str) -> bool:
    """Return whether files and services take a text: with no NUL and no half characters."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, os.PathLike)) and not isinstance(value, bool)


def _number(value: Any) -> float:
    """Return a number, infinite where it is too large.

    Raises
    ------
    TypeError, ValueError
        If it is none.
    """
    if isinstance(value, bool):
        raise TypeError
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        return math.inf


def _kind(name: str, path: Path) -> int | None:
    """Return the mode of what a path leads to; None if there is nothing yet.

    Raises
    ------
    InvalidParameterError
        If that cannot be found out, so that nothing can be read or written there either.
    """
    try:
        return os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        remedy = "a shorter name" if error.errno == errno.ENAMETOOLONG else "another path"
        raise InvalidParameterError(
            f"{name} is {shown(str(path))}, which cannot be used ({error.strerror or error}); give "
            f"{remedy}."
        ) from None


def _is_in_degrees(crs: str, *longitudes: float) -> bool:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(crs).is_geographic and all(abs(x) <= 180 for x in longitudes)
    except CRSError:
        return False


def _round(number: float) -> str:
    return f"{number:,.0f}" if number >= 1e6 else f"{number:g}"
