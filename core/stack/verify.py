"""Reads a written stack again and compares it with what was meant, before it gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from ..errors import OutputError
from ..grid.plan import Transfer
from ..object_store.location import RemoteLocation
from .dataset import GRID_MAPPING, StackLayer
from .source import StackSource
from .zarr_store import StorePlace

_SAMPLE = 64
"""Side of the block that is compared per layer, in pixels."""


def verify_stack(
    path: StorePlace,
    final: Path | RemoteLocation,
    source: StackSource,
    dataset: xr.Dataset,
    layers: Sequence[StackLayer],
    group: str | None = None,
) -> None:
    """Open a written stack and compare coordinates, CRS, fill values and a sample of each layer.

    Parameters
    ----------
    path
        NetCDF file or Zarr store under its temporary name, or an open Zarr store.
    final
        Its name or address to be, for messages.
    source, dataset, layers
        What was to be written.
    group
        Group of a Zarr store.

    Raises
    ------
    OutputError
        If anything differs.
    """
    options: dict[str, Any] = {"engine": "netcdf4"}
    if group is not None:
        options = {"engine": "zarr", "group": group, "consolidated": True}
    given: Any = path  # xarray's zarr engine takes open stores, too, but does not say so
    with xr.open_dataset(given, mask_and_scale=False, **options) as written:
        named = {item.name for item in layers} | {GRID_MAPPING}
        for name in dataset.variables:
            if name in named:
                continue
            found = written.variables.get(name)
            if found is None or not _same(found.values, dataset.variables[name].values):
                raise _differs(final, f"the variable {name}")
        crs = CRS.from_wkt(written[GRID_MAPPING].attrs["crs_wkt"])
        if crs != CRS.from_user_input(source.grid.crs):
            raise _differs(final, "the coordinate reference system")
        for item in layers:
            _verify_layer(final, source, written[item.name], dataset[item.name], item)


def _same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    if expected.dtype.kind == "M" and found.shape == expected.shape:
        # Stored as float64 seconds, which hold parts of a second to about 0.1 microseconds.
        near = np.abs(found - expected) <= np.timedelta64(1, "us")
        return bool((near | (np.isnat(found) & np.isnat(expected))).all())
    return np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f")


def _verify_layer(
    final: Path | RemoteLocation,
    source: StackSource,
    written: xr.DataArray,
    meant: xr.DataArray,
    item: StackLayer,
) -> None:
    fill = written.attrs.get("_FillValue")
    if fill is None or not np.array_equal(
        fill, np.dtype(item.layer.dtype).type(item.layer.fill), equal_nan=True
    ):
        raise _differs(final, f"the fill value of {item.name}")
    step = _sample_step(source, item)
    place = (step,) if item.per_step else ()
    block = (*place, *_sample_window(source, step))
    found, expected = written[block].values, meant[block].values
    if not np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"):
        raise _differs(final, f"the layer {item.name}")


def _sample_step(source: StackSource, item: StackLayer) -> int:
    """Choose the last step that is copied and has the layer, else the last one."""
    for step in reversed(range(len(source.steps))):
        copied = all(placement.transfer is Transfer.COPY for placement in source.steps[step])
        if copied and source.has(item.layer, step):
            return step
    return len(source.steps) - 1


def _sample_window(source: StackSource, step: int) -> tuple[slice, slice]:
    """Return a block in the middle of a product, where it has data."""
    grid = source.grid
    left, bottom, right, top = source.steps[step][0].bounds
    row = int((grid.top - (bottom + top) / 2) / grid.spacing)
    column = int(((left + right) / 2 - grid.left) / grid.spacing)
    row = min(max(row, 0), grid.height - 1)
    column = min(max(column, 0), grid.width - 1)
    return (
        slice(row, min(row + _SAMPLE, grid.height)),
        slice(column, min(column + _SAMPLE, grid.width)),
    )


def _differs(final: Path | RemoteLocation, what: str) -> OutputError:
    place = "disk" if isinstance(final, Path) else "object store"
    return OutputError(
        f"{final} was written, but {what} does not read back as it should; the file was not kept, "
        f"so check the {place} and run again."
    )
