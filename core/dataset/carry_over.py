"""What a stack that grows keeps of the one before: history, facts of the scene and the catalog."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..metadata.data_access import parse_data_access
from ..metadata.variables import GRID_MAPPING, INSTANT_ENCODING, MISSING_INSTANT, NOT_PROVIDED
from ..run.reporter import Reporter

_KEYS = {"pair": "product_name", "time": "product_name", "acquisition": "acquisition_time"}
"""By which variable steps and acquisitions are known again."""

_UNKNOWN = {"U": NOT_PROVIDED, "f": np.nan, "M": np.datetime64("NaT")}
"""What stands for a missing value, by kind of data type."""

_ENCODINGS: dict[str, dict[str, Any]] = {
    "U": {},
    "f": {"_FillValue": np.nan},
    "M": {**INSTANT_ENCODING, "_FillValue": MISSING_INSTANT},
}


def carry_over(old: xr.Dataset, dataset: xr.Dataset, enrich: bool, reporter: Reporter) -> None:
    """Give a new stack what stays: when it was begun, its history, and what else was known.

    Parameters
    ----------
    old
        The stack as it is, without its layers.
    dataset
        The stack that holds its steps and new ones; gets what it lacks.
    enrich
        Whether the catalog was asked for what is new.
    """
    history = str(old.attrs.get("history", ""))
    dataset.attrs["history"] = "\n".join(filter(None, (dataset.attrs.get("history"), history)))
    published = old.attrs.get("product_data_access")
    if published and "product_data_access" not in dataset.attrs:
        dataset.attrs |= parse_data_access(str(published)).attributes
    if "date_created" in old.attrs:
        dataset.attrs["date_created"] = old.attrs["date_created"]
    incomplete = []
    for dimension, key in _KEYS.items():
        if dimension in dataset.dims and key in old:
            incomplete += _keep_facts(old, dataset, dimension, key)
    if all(dataset.sizes[axis] == old.sizes[axis] for axis in "xy"):
        _keep_scene(old, dataset)
    if incomplete and not enrich:
        reporter.warning(
            f"What is new in the stack lacks {', '.join(incomplete)}, which are not in its "
            "products; set ENRICH to ask the ASF catalog."
        )


def _keep_scene(old: xr.Dataset, new: xr.Dataset) -> None:
    """Keep the numbers of the unchanged scene, also where products that held them are gone."""
    for name, fact in old.variables.items():
        if fact.dims == () and name != GRID_MAPPING and fact.dtype.kind == "f":
            encoding = new.variables[name].encoding if name in new else {"_FillValue": np.nan}
            new[name] = xr.Variable((), fact.values, dict(fact.attrs), encoding)


def _keep_facts(old: xr.Dataset, new: xr.Dataset, dimension: str, key: str) -> list[str]:
    """Keep what was known of steps or acquisitions, as from a catalog that was not asked again.

    Returns those of which nothing is known of what is new.
    """
    incomplete = []
    places = {value: number for number, value in enumerate(old[key].values.tolist())}
    there = [places.get(value) for value in new[key].values.tolist()]
    for name, fact in old.variables.items():
        before = fact.values
        if before.dtype.kind == "M":  # read from floats, which hold few times exactly
            before = xr.DataArray(before).dt.round("us").values
        if before.dtype.kind in "OT":  # text of Zarr format 3
            before = np.array([str(text) for text in before.ravel()]).reshape(before.shape)
        # Whole numbers were read as others where some are missing; products hold all of them.
        if fact.dims != (dimension,) or before.dtype.kind not in _UNKNOWN:
            continue
        unknown = _UNKNOWN[before.dtype.kind]
        known = np.array([unknown if place is None else before[place] for place in there])
        if name not in new.variables:
            if not _is_unknown(known).all():
                attributes, encoding = dict(fact.attrs), _ENCODINGS[known.dtype.kind]
                new[name] = xr.Variable((dimension,), known, attributes, encoding)
                if None in there:
                    incomplete.append(str(name))
        elif new.variables[name].dtype.kind == known.dtype.kind:
            values = new.variables[name].values
            lacking = _is_unknown(values) & ~_is_unknown(known)
            if lacking.any():
                new[name].values = np.where(lacking, known, values)
    return incomplete


def _is_unknown(values: NDArray[Any]) -> NDArray[np.bool_]:
    return values == NOT_PROVIDED if values.dtype.kind == "U" else np.isnan(values)
