"""Fields of JSON objects that somebody else wrote, each read as what it has to be."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

STRANGE = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What reading JSON of another form ends in, where nobody checks its fields."""

_SHOWN = 60
_UNWRITABLE = ("Cc", "Cs")
_REQUIRED: Any = object()


class FieldError(ValueError):
    """A field is missing or is not what it has to be; the text does not name the object."""


def text(values: Mapping[str, Any], name: str, default: Any = _REQUIRED) -> str:
    """Return a string.

    Parameters
    ----------
    default
        Value of a field that is missing or null; without it, such a field is an error.
    """
    value = _get(values, name, default)
    if value is default:
        return str(value)
    if not isinstance(value, str) or not is_plain(value):
        raise _wrong(name, value, "text")
    return value


def is_plain(value: str) -> bool:
    """Return whether a text can be shown and written: no control characters, no half letters."""
    if value.isprintable():  # nearly always, and quickly known
        return True
    return not any(unicodedata.category(letter) in _UNWRITABLE for letter in value)


def one_line(value: Any) -> Any:
    """Return a text without line breaks, tabs and repeated spaces; anything else as it is."""
    return " ".join(value.split()) if isinstance(value, str) else value


def whole(values: Mapping[str, Any], name: str, default: Any = _REQUIRED) -> int:
    """Return an integer that is not negative and fits into 63 bits; see :func:`text`."""
    value = _get(values, name, default)
    if value is default:
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise _wrong(name, value, "a whole number")
    return value


def number(values: Mapping[str, Any], name: str) -> float | None:
    """Return a finite number, None where the field is missing or null."""
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
        if math.isfinite(result):
            return result
    raise _wrong(name, value, "a number")


def moment(values: Mapping[str, Any], name: str) -> datetime | None:
    """Return a time of ISO 8601 in UTC, also where it has no offset; None where missing."""
    value = values.get(name)
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is None:
            return time.replace(tzinfo=timezone.utc)
        return time.astimezone(timezone.utc)
    except (ValueError, TypeError, OverflowError):
        raise _wrong(name, value, "a time") from None


def strings(values: Mapping[str, Any], name: str) -> list[str]:
    """Return a list of strings, which may be one string, or missing."""
    value = values.get(name)
    listed = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(listed, list) or not all(
        isinstance(item, str) and is_plain(item) for item in listed
    ):
        raise _wrong(name, value, "a list of names")
    return listed


def objects(values: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return a list of objects; empty where the field is missing or null."""
    value = values.get(name)
    listed = [] if value is None else value
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise _wrong(name, value, "a list of objects")
    return listed


def mapping(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object; empty where the field is missing or null."""
    value = values.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(name, value, "an object")
    return value


def _get(values: Mapping[str, Any], name: str, default: Any) -> Any:
    value = values.get(name)
    if value is not None:
        return value
    if default is _REQUIRED:
        raise FieldError(f"{name} is missing")
    return default


def _wrong(name: str, value: Any, expected: str) -> FieldError:
    try:
        shown = repr(value)
    except (ValueError, RecursionError):
        # Integers of thousands of digits have no representation.
        shown = type(value).__name__
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}..."
    return FieldError(f"{name} is {shown}, which is not {expected}")
