"""A written stack as it is read again: on a disk or in an object store, by whoever needs it."""

from __future__ import annotations

import asyncio
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import date
from enum import Enum
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
from zarr.storage import FsspecStore

from ..contract import RECORD, SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import UNREADABLE, InvalidParameterError
from ..grid.lattice import TOLERANCE, Grid
from ..metadata.variables import GRID_MAPPING, NOT_PROVIDED
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..object_store.reading import open_remote, reading_in_words
from ..run.reporter import Reporter
from ..version import plugin_version
from .chunking import Layout
from .geozarr import place_attributes
from .stack_blocks import Packing, StackBlocks, StackPlace
from .survival import check_survival, reason, unreadable
from .zarr_store import opened_place

TEXT_KINDS = "SUOT"
"""Kinds of text in numpy: of fixed length, objects (as NetCDF is read), of variable length."""

DISPLACEMENT = "displacement"
"""The layer by which a stack of displacement is known."""

_UNDECODED = {
    "mask_and_scale": False,
    "decode_times": False,
    "decode_coords": False,
    "decode_timedelta": False,
}
"""How xarray opens what is on disk; only characters of NetCDF become text."""

TIME_UNITS = re.compile(
    r"(?P<unit>days|hours|minutes|seconds|milliseconds|microseconds|nanoseconds) since "
    r"(?P<start>\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?) ?(Z|UTC|[+-]?00?(:?00)?)?$"
)
"""Units of times in stacks, and in what xarray makes of them; of UTC."""

_CALENDARS = ("", "standard", "gregorian", "proleptic_gregorian")
"""Which are the same since 1582."""

_MILLISECONDS = {
    "days": 86_400_000.0,
    "hours": 3_600_000.0,
    "minutes": 60_000.0,
    "seconds": 1_000.0,
    "milliseconds": 1.0,
    "microseconds": 0.001,
    "nanoseconds": 0.000_001,
}


class StackKind(Enum):
    """What a stack holds a map of for each step."""

    PAIRS = "pairs"
    BACKSCATTER = "backscatter"
    DISPLACEMENT = "displacement"


class WrittenStack:
    """One dataset of a written stack: a NetCDF file, or a group of a Zarr store.

    What :attr:`raw` gives is not decoded and may be missing or wrong; the methods that read from it
    return None then. :attr:`dataset` and :meth:`read` are for those who work with the stack.

    Parameters
    ----------
    raw
        Opened without decoding, but for text.
    group
        Group of the store; None for a NetCDF file and for a store without groups.
    parameter
        Parameter that names the stack, for messages.
    store
        The store in an object store, which is open.

    Attributes
    ----------
    blocks
        Reads blocks of its layers; can be pickled.
    """

    def __init__(
        self,
        raw: xr.Dataset,
        place: StackPlace,
        group: str | None,
        parameter: str,
        store: FsspecStore | None = None,
    ) -> None:
        self.raw = raw
        self.place = place
        self.group = group
        self.parameter = parameter
        packings = {name: self._packing(name) for name in self.layers}
        packed = {name: packing for name, packing in packings.items() if packing}
        self.blocks = StackBlocks(place, group, packed, store)

    @property
    def label(self) -> str:
        """Name of the file, or of the store and its group."""
        place = self.place
        name = place.location.name if isinstance(place, LateMetadataStore) else place.name
        return name if self.group is None else f"{name}/{self.group}"

    @property
    def form(self) -> str:
        """``NetCDF-4`` or ``Zarr``."""
        is_file = isinstance(self.place, Path) and not self.place.is_dir()
        return "NetCDF-4" if is_file else "Zarr"

    @property
    def kind(self) -> StackKind:
        """What it holds."""
        displacement = self.raw.variables.get(DISPLACEMENT)
        if displacement is not None and displacement.dims[-2:] == ("y", "x"):
            return StackKind.DISPLACEMENT
        return StackKind.PAIRS if "pair" in self.raw.dims else StackKind.BACKSCATTER

    @property
    def dimension(self) -> str:
        """Dimension of the steps."""
        return "pair" if self.is_insar else "time"

    @property
    def is_insar(self) -> bool:
        """Whether the steps are pairs."""
        return self.kind is StackKind.PAIRS

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the variables on y and x, once or for each step."""
        shapes = (("y", "x"), (self.dimension, "y", "x"))
        return tuple(
            str(name) for name, variable in self.raw.variables.items() if variable.dims in shapes
        )

    # --- for work with the stack ------------------------------------------------------------------

    @cached_property
    def dataset(self) -> xr.Dataset:
        """The stack decoded by CF, with coordinates; layers are read when they are computed."""
        return xr.decode_cf(self.raw)

    @cached_property
    def grid(self) -> Grid:
        """The grid of the stack.

        Raises
        ------
        InvalidParameterError
            If it has none, or another program cut the stack without changing its GeoTransform.
        """
        try:
            grid = Grid.of_mapping(self.raw.variables[GRID_MAPPING].attrs, self.raw.sizes)
            shifts = {
                axis: np.abs(self.raw.variables[axis].values - centers).max()
                for axis, centers in (("x", grid.x), ("y", grid.y))
            }
        except UNREADABLE as error:
            raise self._refusal("of which the grid cannot be read", error) from error
        for axis, shift in shifts.items():
            if not shift <= TOLERANCE * grid.spacing:
                raise InvalidParameterError(
                    f"{self.parameter} is {self.place}, which was cut or moved after it was built "
                    f"({axis} does not fit its GeoTransform); give the stack as it was built, or "
                    "build a new one."
                )
        return grid

    def read(
        self,
        name: str,
        steps: slice | Sequence[int] = slice(None),
        rows: slice = slice(None),
        columns: slice = slice(None),
    ) -> NDArray[Any]:
        """Read a block of a layer, from any thread.

        A chunk is decompressed whole for each block that cuts it: blocks of whole chunks, or
        shards, are read fastest (see :meth:`layout`).

        Parameters
        ----------
        steps
            Which steps, ascending; counts only where the layer changes with the steps.

        Returns
        -------
        ndarray
            Shape (steps, rows, columns), or (rows, columns) for a layer without steps; NaN where
            data are missing. Whole numbers come as float32 if the layer has a fill value.

        Raises
        ------
        InvalidParameterError
            If a part of it cannot be read.
        StoreError
            If the object store fails.
        """
        place = self.place
        failing = reading_in_words(place) if isinstance(place, RemoteLocation) else nullcontext()
        try:
            with failing:
                block = self.blocks.read(name, steps, rows, columns)
        except UNREADABLE as error:
            raise self._refusal("of which a part cannot be read", error) from error
        fill = self.number("_FillValue", name)
        if block.dtype.kind == "f" or fill is None:
            return block
        return Packing((fill,)).unpack(block)

    def check_order(self, names: Iterable[str]) -> None:
        """Refuse a stack in which maps have other dimensions than stacks have, or another order.

        Parameters
        ----------
        names
            Of variables, whether they are maps or not.

        Raises
        ------
        InvalidParameterError
            If one of them is.
        """
        for name in names:
            dims = self.raw.variables[name].dims
            if name not in self.layers and {"y", "x"} <= set(dims):
                raise InvalidParameterError(
                    f"{self.parameter} is {self.place}, where another program has put {name} on "
                    f"the dimensions {', '.join(map(str, dims))}, but stacks are on "
                    f"{self.dimension}, y, x; give the stack as it was built, or write it in that "
                    f"order (in xarray: dataset.transpose('{self.dimension}', 'y', 'x', ...))."
                )

    def is_packed(self, name: str) -> bool:
        """Return whether numbers of a layer are stored in another scale."""
        scales = (self.number(key, name) for key in ("scale_factor", "add_offset"))
        return any(scale is not None for scale in scales)

    def _packing(self, name: str) -> Packing | None:
        missing = (self.number(key, name) for key in ("_FillValue", "missing_value"))
        values = tuple(value for value in missing if value is not None and not np.isnan(value))
        scale, offset = self.number("scale_factor", name), self.number("add_offset", name)
        if scale is None and offset is None:
            # Bytes are classes, and stay what they are.
            is_stacks_own = not values or self.raw.variables[name].dtype == np.uint8
            return None if is_stacks_own else Packing(values)
        return Packing(values, 1.0 if scale is None else scale, offset or 0.0)

    def _refusal(self, what: str, error: Exception) -> InvalidParameterError:
        return InvalidParameterError(
            f"{self.parameter} is {self.place}, {what} ({reason(error)}); give a copy that is "
            "whole, or build the stack anew."
        )

    # --- as it is stored --------------------------------------------------------------------------

    def attribute(self, name: str, variable: str | None = None) -> Any:
        """Return an attribute of the stack or of a variable; blank text counts as missing."""
        if variable is not None and variable not in self.raw.variables:
            return None
        attributes = self.raw.attrs if variable is None else self.raw.variables[variable].attrs
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
        if name not in self.raw.variables or name in self.layers:
            return None
        values = np.asarray(self.raw.variables[name].values)
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
        unit = TIME_UNITS.match(self._said_of_times("units", name))
        if values is None or values.dtype.kind != "f" or unit is None:
            return None
        if self._said_of_times("calendar", name).lower() not in _CALENDARS:
            return None
        milliseconds = values * _MILLISECONDS[unit["unit"]]
        # Beyond some million years.
        milliseconds[~(np.abs(milliseconds) < 1e17)] = np.nan
        try:
            start = np.datetime64(unit["start"]).astype("datetime64[ms]")
        except ValueError:
            return None
        times = np.full(values.shape, np.datetime64("NaT"), "datetime64[ms]")
        known = ~np.isnan(milliseconds)
        times[known] = start + milliseconds[known].round().astype("timedelta64[ms]")
        return times

    def _said_of_times(self, attribute: str, name: str) -> str:
        """Return an attribute of a variable, or of the one it bounds, which CF lets it share."""
        if text := self.text(attribute, name):
            return text
        for other in map(str, self.raw.variables):
            if self.text("bounds", other) == name:
                return self.text(attribute, other)
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
        for name in self.layers:
            variable = self.raw.variables[name]
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
        for name in self.layers:
            mapping = self.text("grid_mapping", name)
            wkt = self.text("crs_wkt", mapping) if mapping in self.raw.variables else ""
            if wkt:
                try:
                    return CRS.from_wkt(wkt)
                except CRSError:
                    return None
        return None


@contextmanager
def open_stack(
    place: StackPlace,
    prefer: str = SPATIAL_GROUP,
    parameter: str = "INPUT",
    reporter: Reporter | None = None,
) -> Iterator[WrittenStack]:
    """Open one dataset of a stack; see :func:`open_stack_groups`.

    Parameters
    ----------
    prefer
        Group of a Zarr store that is opened if it is there, else the other one: that of maps, or
        that of series.
    """
    with open_stack_groups(place, parameter, reporter) as groups:
        yield next((stack for stack in groups if stack.group == prefer), groups[0])


@contextmanager
def open_stack_groups(
    place: StackPlace, parameter: str = "INPUT", reporter: Reporter | None = None
) -> Iterator[list[WrittenStack]]:
    """Open a stack for reading: one dataset for a NetCDF file, one for each group of a Zarr store.

    Parameters
    ----------
    place
        NetCDF file or Zarr store, with groups or without; on disk or in an object store, there also
        before it is published.
    parameter
        Parameter that names it.
    reporter
        Given for a stack that a run has not made itself: one on a disk is then opened in another
        process first, as a damaged file can end the process. Asked whether to stop meanwhile.

    Raises
    ------
    InvalidParameterError
        If there is no stack there, it cannot be read, or a newer version of this plugin wrote it.
    StoreError
        If the object store fails, also while the stack is used.
    """
    if reporter is not None and isinstance(place, Path):
        check_survival(place, parameter, reporter)
    with ExitStack() as resources:
        try:
            opened = list(_open(place, parameter, resources))
        except UNREADABLE as error:
            raise unreadable(parameter, place, error) from error
        for stack in opened:
            _check_is_stack(stack)
        yield opened


def _check_is_stack(stack: WrittenStack) -> None:
    what = f"{stack.parameter} is {stack.place}, which"
    if not stack.layers:
        stack.check_order(map(str, stack.raw.variables))
        raise InvalidParameterError(
            f"{what} holds no layers on y and x; give a stack that hyp3:buildstack wrote."
        )
    if stack.dimension not in stack.raw.dims:
        raise InvalidParameterError(
            f"{what} is not a stack of pairs or dates, as it has neither a dimension pair nor a "
            "dimension time; give a stack that hyp3:buildstack wrote."
        )
    written, own = stack.text("product_version"), plugin_version()
    if stack.text(RECORD) and _major(written) > _major(own) >= 0:
        raise InvalidParameterError(
            f"{what} was written by HyP3 Stack {written}, but this is {own}; update the plugin in "
            "QGIS's plugin manager."
        )


def _major(version: str) -> int:
    """Return the first number of a version, -1 where there is none."""
    number = version.partition(".")[0]
    return int(number) if number.isdecimal() else -1


def _open(place: StackPlace, parameter: str, resources: ExitStack) -> Iterator[WrittenStack]:
    """Open all datasets of a stack and leave it to ``resources`` to close them."""
    options: dict[str, Any] = {**_UNDECODED, "cache": True}
    if isinstance(place, Path) and not place.is_dir():
        dataset = resources.enter_context(xr.open_dataset(place, engine="netcdf4", **options))
        yield WrittenStack(dataset, place, None, parameter)
        return
    store: Any = place
    opened: FsspecStore | None = None
    # On disk every document is looked at; over a network those that hold the others have to do.
    options["consolidated"] = False
    failing: AbstractContextManager[None] = nullcontext()
    if isinstance(place, RemoteLocation):
        store = opened = resources.enter_context(open_remote(place))
        failing = reading_in_words(place)
        options["consolidated"] = None
        resources.enter_context(warnings.catch_warnings())
        # Of another program's store without them, which is read document by document.
        warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated")
    elif isinstance(place, Path):
        store = opened_place(place)
    with failing:
        for group in _groups(store):
            dataset = xr.open_dataset(store, engine="zarr", group=group, **options)
            resources.enter_context(dataset)
            stack = WrittenStack(dataset, place, group, parameter, opened)
            if isinstance(place, RemoteLocation):
                # Gathered metadata leave out what arrays say of their place.
                sync(_add_own_attributes(store, group, stack))
            yield stack


def within_period(
    days: Sequence[NDArray[np.datetime64]], start: date | None, end: date | None
) -> NDArray[np.bool_]:
    """Return which steps lie in a period with all of their days.

    Parameters
    ----------
    days
        UTC days of the steps, shape (steps,) each: two for pairs, one for dates.
    start, end
        First and last day, both included; None for open.
    """
    within = np.ones(days[0].size, bool)
    for day in days:
        if start is not None:
            within &= day >= np.datetime64(start)
        if end is not None:
            within &= day <= np.datetime64(end)
    return within


async def _add_own_attributes(store: Any, group: str | None, stack: WrittenStack) -> None:
    arrays = await asyncio.gather(
        *(
            open_array(store=store, path="/".join(filter(None, (group, name))), mode="r")
            for name in stack.layers
        )
    )
    for name, array in zip(stack.layers, arrays, strict=True):
        attributes = stack.raw.variables[name].attrs
        attributes |= place_attributes(array.attrs)


def _groups(store: Any) -> list[str | None]:
    root = zarr.open_group(store, mode="r", use_consolidated=False)
    names = [name for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if name in root]
    return list(names) or [None]


def _sizes(sizes: Sequence[int]) -> tuple[int, int, int]:
    steps, rows, columns = (int(size) for size in sizes)
    return steps, rows, columns


def _text(item: Any) -> str:
    return item.decode("utf-8", "replace").rstrip("\0") if isinstance(item, bytes) else str(item)
