"""A written stack as it stands on disk: attributes and values before any decoding."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from zarr.api.asynchronous import open_array
from zarr.core.sync import sync

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import InvalidParameterError
from ..metadata.variables import NOT_PROVIDED
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..object_store.reading import open_remote, reading_in_words
from .chunk_uses import Layout
from .geozarr import tells_place

TEXT_KINDS = "SUOT"
"""Kinds of text in numpy: of fixed length, objects (as NetCDF is read), of variable length."""

_UNDECODED = {
    "mask_and_scale": False,
    "decode_times": False,
    "decode_coords": False,
    "decode_timedelta": False,
}
"""How xarray opens what is on disk; only characters of NetCDF become text."""


TIME_UNITS = re.compile(
    r"(?P<unit>days|hours|seconds|microseconds) since "
    r"(?P<start>\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2})?)"
)
"""Units of times in stacks."""

_MILLISECONDS = {
    "days": 86_400_000.0,
    "hours": 3_600_000.0,
    "seconds": 1_000.0,
    "microseconds": 0.001,
}


class StackFile:
    """One dataset of a stack; every reader returns None for what is missing.

    Parameters
    ----------
    dataset
        Opened without decoding, but for text.
    label
        Name of the file, and of the group in a Zarr store.
    form
        ``NetCDF-4`` or ``Zarr``.
    """

    def __init__(self, dataset: xr.Dataset, label: str, form: str) -> None:
        self.dataset = dataset
        self.label = label
        self.form = form

    @property
    def dimension(self) -> str:
        """Dimension of the steps."""
        return "pair" if "pair" in self.dataset.dims else "time"

    @property
    def is_insar(self) -> bool:
        """Whether the steps are pairs."""
        return self.dimension == "pair"

    @cached_property
    def maps(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(
            str(name)
            for name, variable in self.dataset.variables.items()
            if variable.dims[-2:] == ("y", "x")
        )

    def attribute(self, name: str, variable: str | None = None) -> Any:
        """Return an attribute of the stack or of a variable; blank text counts as missing."""
        if variable is not None and variable not in self.dataset.variables:
            return None
        attributes = (
            self.dataset.attrs if variable is None else self.dataset.variables[variable].attrs
        )
        value = attributes.get(name)
        return None if isinstance(value, str) and not value.strip() else value

    def text(self, name: str, variable: str | None = None) -> str:
        """Return an attribute as text, empty where it is missing."""
        value = self.attribute(name, variable)
        return "" if value is None else str(value)

    def number(self, name: str, variable: str | None = None) -> float | None:
        """Return an attribute as a number, None where it is missing or no single number."""
        value = self.attribute(name, variable)
        try:
            return None if value is None else float(np.asarray(value).item())
        except (TypeError, ValueError):
            return None

    def values(self, name: str) -> NDArray[Any] | None:
        """Return the values of a small variable: numbers as float64 with NaN, or text."""
        if name not in self.dataset.variables or name in self.maps:
            return None
        values = np.asarray(self.dataset.variables[name].values)
        if values.dtype.kind in TEXT_KINDS:
            return np.array([_text(item) for item in values.ravel()]).reshape(values.shape)
        numbers = values.astype("float64")
        fill = self.number("_FillValue", name)
        if fill is not None:
            numbers = np.where(numbers == fill, np.nan, numbers)
        return numbers

    def instants(self, name: str) -> NDArray[np.datetime64] | None:
        """Return times of a small variable as UTC, missing and impossible ones as NaT."""
        values = self.values(name)
        unit = TIME_UNITS.match(self.text("units", name) or self._unit_of_bounded(name))
        if values is None or values.dtype.kind != "f" or unit is None:
            return None
        milliseconds = values * _MILLISECONDS[unit["unit"]]
        # Beyond some million years.
        milliseconds[~(np.abs(milliseconds) < 1e17)] = np.nan
        try:
            start = np.datetime64(unit["start"], "ms")
        except ValueError:
            return None
        times = np.full(values.shape, np.datetime64("NaT"), "datetime64[ms]")
        known = ~np.isnan(milliseconds)
        times[known] = start + milliseconds[known].round().astype("timedelta64[ms]")
        return times

    def _unit_of_bounded(self, name: str) -> str:
        """Return the unit of the variable that another one bounds, which CF lets it share."""
        for other in map(str, self.dataset.variables):
            if self.text("bounds", other) == name:
                return self.text("units", other)
        return ""

    def known(self, name: str) -> NDArray[np.bool_] | None:
        """Return which values of a small variable are there."""
        values = self.values(name)
        if values is None:
            return None
        if values.dtype.kind == "U":
            return np.array(
                [bool(item.strip()) and item != NOT_PROVIDED for item in values.ravel()]
            ).reshape(values.shape)
        return ~np.isnan(values)

    def layout(self) -> Layout | None:
        """Return how layers that change with the steps are stored; None where none has chunks."""
        for name in self.maps:
            variable = self.dataset[name]
            chunks = variable.encoding.get("chunksizes") or variable.encoding.get("chunks")
            if variable.ndim == 3 and variable.dtype.kind == "f" and chunks:
                shards = variable.encoding.get("shards")
                return Layout(
                    self.label,
                    _sizes(variable.shape),
                    _sizes(chunks),
                    None if shards is None else _sizes(shards),
                    variable.dtype.itemsize,
                )
        return None

    def crs(self) -> CRS | None:
        """Return the CRS that the layers name."""
        for name in self.maps:
            mapping = self.text("grid_mapping", name)
            wkt = self.text("crs_wkt", mapping) if mapping in self.dataset.variables else ""
            if wkt:
                try:
                    return CRS.from_wkt(wkt)
                except CRSError:
                    return None
        return None


StackPlace = Path | RemoteLocation | LateMetadataStore
"""Where a stack is; the last of these holds one that is not published yet."""


@contextmanager
def open_stack_file(path: StackPlace) -> Iterator[list[StackFile]]:
    """Open a stack for reading.

    Parameters
    ----------
    path
        NetCDF file or Zarr store, with groups or without; on disk or in an object store, there also
        before it is published.

    Yields
    ------
    list of StackFile
        One for a NetCDF file, one for each group of a Zarr store.

    Raises
    ------
    InvalidParameterError
        If there is no stack there, or it cannot be read.
    StoreError
        If the object store fails, also while the stack is used.
    """
    with ExitStack() as resources:
        try:
            opened = list(_open(path, resources))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InvalidParameterError(
                f"INPUT is {path}, which cannot be read as a stack ({_reason(error)}); give a .nc "
                "file or a .zarr folder that hyp3:buildstack wrote."
            ) from error
        if not all(item.maps for item in opened):
            raise InvalidParameterError(
                f"INPUT is {path}, which holds no layers on y and x; give a stack that "
                "hyp3:buildstack wrote."
            )
        if not all(item.dimension in item.dataset.dims for item in opened):
            raise InvalidParameterError(
                f"INPUT is {path}, which is not a stack of pairs or dates, as it has neither a "
                "dimension pair nor a dimension time; give a stack that hyp3:buildstack wrote."
            )
        yield opened


def _open(path: StackPlace, resources: ExitStack) -> Iterator[StackFile]:
    """Open all datasets of a stack and leave it to ``resources`` to close them."""
    options: dict[str, Any] = {**_UNDECODED, "cache": True}
    if isinstance(path, Path) and not path.is_dir():
        dataset = resources.enter_context(xr.open_dataset(path, engine="netcdf4", **options))
        yield StackFile(dataset, path.name, "NetCDF-4")
        return
    store: Any = path
    name = path.location.name if isinstance(path, LateMetadataStore) else path.name
    # On disk every document is looked at; over a network those that hold the others have to do.
    options["consolidated"] = False
    failing: AbstractContextManager[None] = nullcontext()
    if isinstance(path, RemoteLocation):
        store = resources.enter_context(open_remote(path))
        failing = reading_in_words(path)
        options["consolidated"] = None
        resources.enter_context(warnings.catch_warnings())
        # Of another program's store without them, which is read document by document.
        warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated")
    with failing:
        for group in _groups(store):
            dataset = xr.open_dataset(store, engine="zarr", group=group, **options)
            resources.enter_context(dataset)
            label = name if group is None else f"{name}/{group}"
            stack = StackFile(dataset, label, "Zarr")
            if isinstance(path, RemoteLocation):
                # Gathered metadata leave out what arrays tell of their place.
                sync(_add_own_attributes(store, group, stack))
            yield stack


async def _add_own_attributes(store: Any, group: str | None, stack: StackFile) -> None:
    arrays = await asyncio.gather(
        *(
            open_array(store=store, path="/".join(filter(None, (group, name))), mode="r")
            for name in stack.maps
        )
    )
    for name, array in zip(stack.maps, arrays, strict=True):
        attributes = stack.dataset.variables[name].attrs
        attributes |= {key: value for key, value in array.attrs.items() if tells_place(key)}


def _groups(store: Any) -> list[str | None]:
    root = zarr.open_group(store, mode="r", use_consolidated=False)
    names = [name for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if name in root]
    return list(names) or [None]


def _sizes(sizes: Sequence[int]) -> tuple[int, int, int]:
    steps, rows, columns = (int(size) for size in sizes)
    return steps, rows, columns


def _text(item: Any) -> str:
    return item.decode("utf-8", "replace").rstrip("\0") if isinstance(item, bytes) else str(item)


def _reason(error: Exception) -> str:
    text = re.sub(r"\w*Path\('(.*?)'\)", r"\1", " ".join(str(error).split()))
    return (text or type(error).__name__)[:200].rstrip(".")
