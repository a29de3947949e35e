"""What a stack that grows keeps of the one before: history, facts of the scene and the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import OutputError
from ..metadata.data_access import parse_data_access
from ..metadata.variables import GRID_MAPPING, INSTANT_ENCODING, MISSING_INSTANT, NOT_PROVIDED
from ..pixels.source import StackSource
from ..run.reporter import Reporter
from .base import Base

_KEYS = {"pair": "product_name", "time": "product_name", "acquisition": "acquisition_time"}
"""By which variable steps and acquisitions are known again."""

_UNKNOWN = {"U": NOT_PROVIDED, "f": np.nan, "M": np.datetime64("NaT")}
"""What stands for a missing value, by kind of data type."""

_SHARE, _MEAN = "valid_fraction", "coherence_mean"
_TOLERANCE = 1e-6
"""Of a mean of the same pixels that was taken in other blocks."""

_ENCODINGS: dict[str, dict[str, Any]] = {
    "U": {},
    "f": {"_FillValue": np.nan},
    "M": {**INSTANT_ENCODING, "_FillValue": MISSING_INSTANT},
}


def carry_over(base: Base, dataset: xr.Dataset, enrich: bool, reporter: Reporter) -> None:
    """Give a new stack what stays: when it was begun, its history, and what else was known.

    Parameters
    ----------
    base
        The stack as it is.
    dataset
        The stack that holds its steps and new ones; gets what it lacks.
    enrich
        Whether the catalog was asked for what is new.
    reporter
        Warned of what is not known.
    """
    history = str(base.stack.attrs.get("history", ""))
    dataset.attrs["history"] = "\n".join(filter(None, (dataset.attrs.get("history"), history)))
    published = base.stack.attrs.get("product_data_access")
    if published and "product_data_access" not in dataset.attrs:
        dataset.attrs |= parse_data_access(str(published)).attributes
    if "date_created" in base.stack.attrs:
        dataset.attrs["date_created"] = base.stack.attrs["date_created"]
    incomplete = []
    for dimension, key in _KEYS.items():
        if dimension in dataset.dims and key in base.stack:
            incomplete += _keep_facts(base.stack, dataset, dimension, key)
    if dataset.sizes["x"] == base.grid.width and dataset.sizes["y"] == base.grid.height:
        _keep_scene(base.stack, dataset)
    if incomplete and not enrich:
        reporter.warning(
            f"What is new in the stack lacks {', '.join(incomplete)}, which are not in its "
            "products; set ENRICH to ask the ASF catalog."
        )


def check_kept(base: Base, source: StackSource, statistics: Mapping[str, NDArray[Any]]) -> None:
    """Check that the kept steps have all the pixels that they had when they were written.

    A chunk of an HDF5 file that is lost from its index reads as one without data.

    Parameters
    ----------
    base
        The stack as it was.
    source
        Kept and new steps.
    statistics
        Of the pixels of all steps, as they were just read: by name, one value for each step.

    Raises
    ------
    OutputError
        If those of a kept step are not what the stack says of it.
    """
    cells = base.grid.height * base.grid.width
    for name in (_SHARE, _MEAN):
        if name not in base.stack or name not in statistics:
            continue
        # A share of all pixels, of which there may be more now.
        factor = source.grid.height * source.grid.width / cells if name == _SHARE else 1.0
        for step, frames in enumerate(source.steps):
            place = frames[0].stored_step
            if place is None:
                continue
            said, found = (
                float(base.stack[name].values[place]),
                float(statistics[name][step] * factor),
            )
            if not np.isclose(said, found, _TOLERANCE, _TOLERANCE, equal_nan=True):
                raise OutputError(
                    f"{base.path} is damaged, or was changed after it was built: {name} of "
                    f"{frames[0].product} is {said:g}, but its pixels give {found:g}; append to a "
                    "copy that is whole, or build the stack anew."
                )


def _keep_scene(old: xr.Dataset, new: xr.Dataset) -> None:
    """Keep the numbers of the unchanged scene, also where products that told them are gone."""
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
        # Whole numbers were read as others where some are missing; products tell all of them.
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
