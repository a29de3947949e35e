"""The dimensions and variables of a stack as the datacube extension of STAC lists them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pystac
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS
from pystac.extensions.datacube import DatacubeExtension, Dimension, Variable

from ..inputs.crs import authority_of
from ..metadata.variables import NOT_PROVIDED

_MAP = ("y", "x")
_BOUNDS = "nv"
_LARGEST_INT = 2**53


def add_cube(item: pystac.Item, stack: xr.Dataset, crs: CRS) -> None:
    """Add ``cube:dimensions`` and ``cube:variables`` to an item."""
    dimensions = {
        str(name): Dimension.from_dict(_dimension(stack, str(name), crs)) for name in stack.sizes
    }
    names = [
        str(name)
        for name, variable in stack.variables.items()
        if name not in stack.sizes and not _is_grid_mapping(variable)
    ]
    variables = {name: Variable(_variable(stack, name)) for name in names}
    DatacubeExtension.ext(item, add_if_missing=True).apply(dimensions, variables)


def _is_grid_mapping(variable: xr.Variable) -> bool:
    return "crs_wkt" in variable.attrs


def _dimension(stack: xr.Dataset, name: str, crs: CRS) -> dict[str, Any]:
    if name in _MAP:
        return _spatial(stack, name, crs)
    if name == _BOUNDS:
        return {"type": "bounds", "description": "lower and upper bound", "values": [0, 1]}
    coordinate = stack[name]
    values = json_values(coordinate.values)
    described = {"description": _description(coordinate)}
    if coordinate.dtype.kind == "M":
        return {"type": "temporal", **described, "extent": [values[0], values[-1]],
                "values": values, "step": None}  # fmt: skip
    return {"type": name, **described, "values": values}


def _spatial(stack: xr.Dataset, axis: str, crs: CRS) -> dict[str, Any]:
    centers = stack[axis].values
    spacing = float(stack.attrs["column_spacing" if axis == "x" else "line_spacing"])
    authority = authority_of(crs)
    is_epsg = authority is not None and authority[0] == "EPSG"
    return {
        "type": "spatial",
        "axis": axis,
        "description": f"{axis} coordinate, from edge to edge of the pixels; their centers lie "
        "half a step inward",
        "extent": [float(centers.min()) - spacing / 2, float(centers.max()) + spacing / 2],
        "step": spacing,
        "unit": stack[axis].attrs["units"],
        "reference_system": int(authority[1]) if authority and is_epsg else crs.to_wkt(),
    }


def _variable(stack: xr.Dataset, name: str) -> dict[str, Any]:
    variable = stack[name]
    is_map = variable.dims[-2:] == _MAP
    described: dict[str, Any] = {
        "dimensions": [str(dimension) for dimension in variable.dims],
        "type": "data" if is_map else "auxiliary",
    }
    description = _description(variable)
    if description:
        described["description"] = description
    if "units" in variable.attrs:
        described["unit"] = variable.attrs["units"]
    if is_map or _BOUNDS in variable.dims:
        return described
    known = [value for value in json_values(variable.values) if value is not None]
    if len(known) == variable.size and known:
        described["values"] = known
    if known and variable.dtype.kind in "fiuM":
        described["extent"] = [min(known), max(known)]
    return described


def _description(variable: xr.DataArray) -> str:
    parts = (variable.attrs.get("long_name"), variable.attrs.get("comment"))
    return "; ".join(str(part) for part in parts if part)


def json_values(values: NDArray[Any]) -> list[Any]:
    """Return values as JSON knows them; what is missing becomes None."""
    return [_plain(value) for value in np.ravel(values)]


def _plain(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else iso(value)
    if isinstance(value, (bytes, np.bytes_)):
        value = value.decode()
    if isinstance(value, str):
        return None if value == NOT_PROVIDED else str(value)
    number = float(value)
    if not np.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < _LARGEST_INT else number


def iso(time: np.datetime64) -> str:
    """Return a time as RFC 3339 writes it, in UTC, with parts of a second where there are any."""
    text = str(np.datetime_as_string(time, unit="us"))
    whole, _, part = text.partition(".")
    part = part.rstrip("0")
    return f"{whole}{'.' if part else ''}{part}Z"


def utc_time(text: str) -> datetime:
    """Return a time that a stack's attribute holds."""
    return datetime.fromisoformat(text)


def only(values: Sequence[Any]) -> Any:
    """Return the one value that all have, None where they differ or are missing."""
    distinct = set(values)
    return distinct.pop() if len(distinct) == 1 else None
