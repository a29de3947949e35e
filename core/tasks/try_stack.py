"""Task ``trystack``: open a written stack, to see whether this process survives that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py

from ..contract import Task
from ..files.written_stack import open_stack_groups
from ..run.parameters import Parameters
from ..run.reporter import Reporter, stop_if_canceled

_MEMORY = 4 << 30
"""Bytes beyond those taken already: a damaged size must not take all that the computer has."""


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
        If there is not a stack that can be read.
    """
    path = Parameters(parameters, Task.TRY_STACK).path("INPUT", required=True) or Path()
    _limit_memory()
    with open_stack_groups(path) as opened:
        for stack in opened:
            for name in stack.raw.variables:
                stop_if_canceled(reporter)
                stack.values(str(name))
    return {"CHUNKS": 0 if path.is_dir() else _count_chunks(path)}


def _count_chunks(path: Path) -> int:
    """Read the indexes of the chunks of a file, which other readers meet one by one."""
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
