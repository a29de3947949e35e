"""Task ``trystack``: open a written stack, to see whether this process survives that."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from operator import getitem
from pathlib import Path
from typing import Any

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP, Task
from ..errors import UNREADABLE
from ..files.survival import unreadable
from ..run.parameters import Parameters
from ..run.reporter import Reporter, stop_if_canceled

# Most of the time goes to imports: no xarray, and of the two libraries only the one in question.

_MEMORY = 4 << 30
"""Bytes beyond those taken already: a damaged size must not take all that the computer has."""

_Small = tuple[bool, Callable[[], Any]]
"""Whether an index is read, which comes first, and what reads a variable that is not a layer."""


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Read all of a stack but its layers, and of those where their chunks lie.

    Parameters
    ----------
    parameters
        ``INPUT``: NetCDF file or Zarr store on disk.

    Returns
    -------
    dict
        Number of ``CHUNKS`` of a NetCDF file.

    Raises
    ------
    StackError
        If there is nothing there that can be opened.
    """
    path = Parameters(parameters, Task.TRY_STACK).path("INPUT", required=True) or Path()
    opened = _arrays(path) if path.is_dir() else _variables(path)
    try:
        small = list(opened)
        for is_index, read in small:
            if is_index:
                read()
    except UNREADABLE as error:
        raise unreadable("INPUT", path, error) from error
    for is_index, read in small:
        stop_if_canceled(reporter)
        if not is_index:
            read()
    return {"CHUNKS": 0 if path.is_dir() else _count_chunks(path)}


def _variables(path: Path) -> Iterator[_Small]:
    """Yield the variables of a NetCDF file that are not layers, after a look at each."""
    import netCDF4

    _limit_memory()
    file = netCDF4.Dataset(path)
    file.set_auto_maskandscale(False)
    _attributes(file)
    for name, variable in file.variables.items():
        _attributes(variable)
        for look in (variable.filters, variable.chunking, variable.endian):
            look()
        if not _is_layer(variable.dimensions):
            yield name in variable.dimensions, partial(getitem, variable, ...)


def _attributes(item: Any) -> None:
    for name in item.ncattrs():
        item.getncattr(name)


def _arrays(path: Path) -> Iterator[_Small]:
    """Yield the arrays of a Zarr store that are not layers, after a look at each."""
    import zarr

    _limit_memory()
    root: Any = zarr.open_group(path, mode="r", use_consolidated=False)
    groups = [root[name] for name in (SPATIAL_GROUP, TEMPORAL_GROUP) if name in root]
    for group in groups or [root]:
        for name, array in group.arrays():
            named = getattr(array.metadata, "dimension_names", None)  # version 3
            dimensions = named or array.attrs.get("_ARRAY_DIMENSIONS", ())
            if not _is_layer(dimensions):
                yield name in dimensions, partial(getitem, array, ...)


def _is_layer(dimensions: Any) -> bool:
    return tuple(dimensions[-2:]) == ("y", "x")


def _count_chunks(path: Path) -> int:
    """Read the indexes of the chunks of a file, which other readers meet one by one."""
    import h5py

    with h5py.File(path, "r", locking=False) as file:
        datasets = [item for item in file.values() if isinstance(item, h5py.Dataset)]
        return sum(item.id.get_num_chunks() for item in datasets if item.chunks)


def _limit_memory() -> None:
    if os.name != "posix":
        return
    import resource

    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:  # only Linux has it, and macOS ignores the limit
        return
    limit = pages * resource.getpagesize() + _MEMORY
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
