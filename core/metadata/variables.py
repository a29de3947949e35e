"""One-dimensional and scalar variables with the attributes and encodings that CF asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import xarray as xr

GRID_MAPPING = "spatial_ref"
"""Variable that holds the CRS, and where the grid lies in it."""

NOT_PROVIDED = "not provided"
"""Stands for missing text, so that no string is empty."""

_MISSING_FLAG = -1

_AUXILIARY = {"coverage_content_type": "auxiliaryInformation"}

TIME_ENCODING = {
    "units": "seconds since 2014-01-01 00:00:00",
    "calendar": "standard",
    "dtype": "float64",
}
"""Fixed, so that stacks can be compared and joined; Sentinel-1A began in 2014."""

TIME_ATTRIBUTES = {"units_metadata": "leap_seconds: utc"}
"""Times of acquisitions are UTC; CF asks to say how leap seconds are counted."""

Dimensions = tuple[str, ...]


def numbers(
    dimensions: Dimensions,
    values: Sequence[float | None] | float | None,
    long_name: str,
    units: str,
    **attributes: Any,
) -> xr.Variable:
    """Return float64 numbers; None becomes NaN, which is also the fill value."""
    array = np.array(_nan(values), dtype="float64")
    if np.isnan(array).any() and "comment" not in attributes:
        attributes["comment"] = "NaN: not provided by HyP3"
    return xr.Variable(
        dimensions,
        array,
        {"long_name": long_name, "units": units, **_AUXILIARY, **attributes},
        {"_FillValue": np.nan},
    )


def integers(
    dimensions: Dimensions, values: Sequence[int | None], long_name: str, **attributes: Any
) -> xr.Variable:
    """Return positive int32 counts; None becomes the fill value -1."""
    array = np.array([-1 if value is None else value for value in values], dtype="int32")
    return xr.Variable(
        dimensions,
        array,
        {"long_name": long_name, "units": "1", **_AUXILIARY, **attributes},
        {"_FillValue": np.int32(-1)},
    )


def flags(
    dimensions: Dimensions,
    values: Sequence[int | None],
    meanings: Sequence[str],
    long_name: str,
    **attributes: Any,
) -> xr.Variable:
    """Return class numbers 0, 1, ... with their meanings; None becomes the fill value."""
    array = np.array([_MISSING_FLAG if value is None else value for value in values], dtype="int8")
    return xr.Variable(
        dimensions,
        array,
        {
            "long_name": long_name,
            "flag_values": np.arange(len(meanings), dtype="int8"),
            "flag_meanings": " ".join(meanings),
            **attributes,
        },
        {"_FillValue": np.int8(_MISSING_FLAG)},
    )


def texts(
    dimensions: Dimensions, values: Sequence[str | None], long_name: str, **attributes: Any
) -> xr.Variable:
    """Return text; missing text says so."""
    array = np.array([value or NOT_PROVIDED for value in values])
    return xr.Variable(dimensions, array, {"long_name": long_name, **attributes})


INSTANT_ENCODING = {
    **TIME_ENCODING,
    "units": TIME_ENCODING["units"].replace("seconds", "microseconds"),
    "dtype": "int64",
}
"""Of times that are not whole or half seconds, most of which floats cannot hold."""

MISSING_INSTANT = np.int64(np.iinfo("int64").min)
"""What NumPy and others take for no time."""


def instants(
    dimensions: Dimensions, values: Sequence[datetime | None], long_name: str, **attributes: Any
) -> xr.Variable:
    """Return UTC times to the microsecond; None becomes NaT."""
    array = np.array(
        [
            np.datetime64("NaT")
            if value is None
            else np.datetime64(value.astimezone(timezone.utc).replace(tzinfo=None))
            for value in values
        ],
        dtype="datetime64[ns]",
    )
    fill = MISSING_INSTANT if np.isnat(array).any() else None
    return xr.Variable(
        dimensions,
        array,
        {"long_name": long_name, "standard_name": "time", **TIME_ATTRIBUTES, **attributes},
        {**INSTANT_ENCODING, "_FillValue": fill},
    )


def _nan(values: Sequence[float | None] | float | None) -> Any:
    if values is None:
        return np.nan
    if isinstance(values, (int, float)):
        return values
    return [np.nan if value is None else value for value in values]
