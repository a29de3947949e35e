"""Reads a written stack again and compares it with what was meant, before it gets its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from ..errors import OutputError
from ..grid.placement import Transfer
from ..object_store.location import RemoteLocation
from .dataset import GRID_MAPPING, StackLayer
from .source import StackSource
from .zarr_store import StorePlace

_SAMPLE = 64
"""Side of the block that is compared per layer, in pixels."""


@dataclass(frozen=True)
class Sample:
    """A block of a layer as it is meant to be.

    Parameters
    ----------
    item
        The layer.
    place
        Step (if the layer has them), rows and columns.
    values
        The block, shape (rows, columns).
    """

    item: StackLayer
    place: tuple[int | slice, ...]
    values: NDArray[Any]


def take_samples(
    source: StackSource, dataset: xr.Dataset, layers: Sequence[StackLayer]
) -> tuple[Sample, ...]:
    """Read a block of each layer from the products, to compare all outputs with it."""
    grid, samples = source.grid, []
    for item in layers:
        step = _sample_step(source, item)
        # Chunks often begin in the middle, so that few are read.
        row, column = source.steps[step][0].center(grid)
        block = (
            slice(row, min(row + _SAMPLE, grid.height)),
            slice(column, min(column + _SAMPLE, grid.width)),
        )
        place = (*((step,) if item.per_step else ()), *block)
        samples.append(Sample(item, place, dataset[item.name][place].values))
    return tuple(samples)


def verify_stack(
    path: StorePlace,
    final: Path | RemoteLocation,
    dataset: xr.Dataset,
    samples: Sequence[Sample],
    group: str | None = None,
) -> None:
    """Open a written stack and compare coordinates, CRS, fill values and a sample of each layer.

    Parameters
    ----------
    path
        NetCDF file or Zarr store under its temporary name, or an open Zarr store.
    final
        Its name or address to be, for messages.
    dataset
        What was to be written.
    samples
        From :func:`take_samples`, one for each layer.
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
        named = {sample.item.name for sample in samples} | {GRID_MAPPING}
        for name in dataset.variables:
            if name in named:
                continue
            found = written.variables.get(name)
            if found is None or not _same(found.values, dataset.variables[name].values):
                raise _differs(final, f"the variable {name}")
        crs = CRS.from_wkt(written[GRID_MAPPING].attrs["crs_wkt"])
        if crs != CRS.from_wkt(dataset[GRID_MAPPING].attrs["crs_wkt"]):
            raise _differs(final, "the coordinate reference system")
        for sample in samples:
            _verify_layer(final, written[sample.item.name], sample)


def _same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    return np.array_equal(found, expected, equal_nan=expected.dtype.kind in "fM")


def _verify_layer(final: Path | RemoteLocation, written: xr.DataArray, sample: Sample) -> None:
    layer, name = sample.item.layer, sample.item.name
    fill = written.attrs.get("_FillValue")
    if fill is None or not np.array_equal(
        fill, np.dtype(layer.dtype).type(layer.fill), equal_nan=True
    ):
        raise _differs(final, f"the fill value of {name}")
    found, expected = written[sample.place].values, sample.values
    if not np.array_equal(found, expected, equal_nan=expected.dtype.kind == "f"):
        raise _differs(final, f"the layer {name}")


def _sample_step(source: StackSource, item: StackLayer) -> int:
    """Choose the last step that is copied and has the layer, else the last one."""
    for step in reversed(range(len(source.steps))):
        copied = all(placement.transfer is Transfer.COPY for placement in source.steps[step])
        if copied and source.has(item.layer, step):
            return step
    return len(source.steps) - 1


def _differs(final: Path | RemoteLocation, what: str) -> OutputError:
    place = "disk" if isinstance(final, Path) else "object store"
    return OutputError(
        f"{final} was written, but {what} does not read back as it should; the file was not kept, "
        f"so check the {place} and run again."
    )
