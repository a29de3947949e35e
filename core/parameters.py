"""Typed reading of a job's parameters, with one sentence for each kind of bad input."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from .errors import InvalidParameterError


@dataclass(frozen=True)
class Extent:
    """A rectangle in a coordinate reference system.

    Parameters
    ----------
    xmin, ymin, xmax, ymax
        Outer edges in units of ``crs``.
    crs
        Authority code (``EPSG:32606``) or WKT; None stands for the CRS of the target grid.
    """

    xmin: float
    ymin: float
    xmax: float
    ymax: float
    crs: str | None = None


class Parameters:
    """The ``parameters`` object of a job, read by name and type.

    Every reader treats a missing key, None and blank text alike: the default is returned, or, where
    ``required`` is set, an :class:`InvalidParameterError` names the parameter.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def _get(self, name: str, required: bool = False) -> Any:
        value = self._values.get(name)
        if isinstance(value, str) and not value.strip():
            value = None
        if value is None and required:
            raise InvalidParameterError(f"The parameter {name} is missing; give it a value.")
        return value

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return trimmed text."""
        value = self._get(name)
        return default if value is None else str(value).strip()

    def choice(self, name: str, options: Sequence[str], default: str) -> str:
        """Return one of ``options``; anything else is an error that lists them."""
        value = self.text(name, default)
        if value not in options:
            raise InvalidParameterError(
                f"{name} is {value!r}, but it has to be one of: {', '.join(options)}."
            )
        return str(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a yes/no value; accepts JSON booleans, 0/1 and the words true, false, yes, no."""
        value = self._get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word in ("true", "yes", "1"):
            return True
        if word in ("false", "no", "0"):
            return False
        raise InvalidParameterError(f"{name} is {value!r}, but it has to be true or false.")

    def number(
        self,
        name: str,
        default: float | None = None,
        minimum: float = -math.inf,
        maximum: float = math.inf,
    ) -> float | None:
        """Return a finite number within ``minimum``..``maximum``."""
        value = self._get(name)
        if value is None:
            return default
        try:
            result = float(value)
        except (TypeError, ValueError):
            raise InvalidParameterError(
                f"{name} is {value!r}, but it has to be a number."
            ) from None
        if not math.isfinite(result) or not minimum <= result <= maximum:
            raise InvalidParameterError(
                f"{name} is {value}, but it has to lie between {_plain(minimum)} and "
                f"{_plain(maximum)}."
            )
        return result

    def names(self, name: str) -> tuple[str, ...]:
        """Return the entries of a comma list (or JSON list), trimmed, in order, without repeats."""
        value = self._get(name)
        if value is None:
            return ()
        if isinstance(value, (list, tuple)):
            parts = [str(part) for part in value]
        else:
            parts = str(value).split(",")
        return tuple(dict.fromkeys(part.strip() for part in parts if part.strip()))

    def day(self, name: str) -> date | None:
        """Return a UTC day given as ``YYYY-MM-DD`` (a time of day behind it is ignored)."""
        value = self._get(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(str(value).strip()[:10])
        except ValueError:
            raise InvalidParameterError(
                f"{name} is {value!r}, but it has to be a date like 2021-02-28."
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
        text = _path_text(name, value)
        try:
            path = Path(text).expanduser().absolute()
        except RuntimeError:  # there is no such user, or the system does not know where home is
            raise InvalidParameterError(
                f"{name} is {value}, but the home folder that ~ stands for is not known; give the "
                "path without ~."
            ) from None
        if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
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
                xmin, ymin, xmax, ymax = (float(number) for number in value["bounds"])
                crs = value.get("crs") or None
            else:
                numbers, _, rest = str(value).partition("[")
                xmin, xmax, ymin, ymax = (float(number) for number in numbers.split(","))
                crs = rest.rstrip("] \t") or None
        except (KeyError, TypeError, ValueError):
            raise InvalidParameterError(
                f"{name} is {value!r}, but it has to read xmin,xmax,ymin,ymax [EPSG:code]."
            ) from None
        if not all(map(math.isfinite, (xmin, ymin, xmax, ymax))) or xmin >= xmax or ymin >= ymax:
            raise InvalidParameterError(
                f"{name} is {xmin:g},{xmax:g},{ymin:g},{ymax:g}, but its maxima have to be "
                "greater than its minima."
            )
        return Extent(xmin, ymin, xmax, ymax, crs)


def _path_text(name: str, value: Any) -> str:
    if not isinstance(value, (str, os.PathLike)):
        raise InvalidParameterError(f"{name} is {value!r}, but it has to be the text of one path.")
    text = os.fspath(value)
    try:
        is_name = "\0" not in text and bool(text.encode("utf-8"))
    except UnicodeEncodeError:
        is_name = False
    if not is_name:
        raise InvalidParameterError(
            f"{name} is {text!a}, which no file can be called; give another name."
        )
    return text


def _plain(number: float) -> str:
    return f"{number:,.0f}" if number >= 1e6 else f"{number:g}"
