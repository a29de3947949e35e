"""Reads a written stack again and compares it with what was meant, before it gets its name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from ..dataset.dataset import on_disk
from ..dataset.stack_layer import StackLayer
from ..errors import OutputError
from ..grid.placement import Treatment
from ..metadata.variables import GRID_MAPPING
from ..object_store.location import RemoteLocation
from ..pixels.source import StackSource
from .zarr_store import StorePlace, gathered_documents, opened_place

_SAMPLE = 64
"""Side of the block that is compared per layer, in pixels."""


@dataclass(frozen=True)
class Sample:
    """A block of a layer as it is meant to be."""

    item: StackLayer
    place: tuple[int | slice, ...]  # step (if the layer has them), rows and columns
    values: NDArray[Any]  # the block, shape (rows, columns)


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
    """Open a written stack and compare coordinates, attributes, and a sample of each layer.

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

    Raises
    ------
    OutputError
        If anything differs.
    """
    try:
        _verify_stack(path, final, dataset, samples, group)
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        # Damage of the metadata: whatever readers make of it.
        raise _differs(final, "the stack") from error


def _verify_stack(
    path: StorePlace,
    final: Path | RemoteLocation,
    dataset: xr.Dataset,
    samples: Sequence[Sample],
    group: str | None,
) -> None:
    options: dict[str, Any] = {"engine": "netcdf4"}
    if group is not None:
        options = {"engine": "zarr", "group": group, "consolidated": True}
    given: Any = path if group is None else opened_place(path)
    with xr.open_dataset(given, mask_and_scale=False, **options) as written:
        named = {sample.item.name for sample in samples} | {GRID_MAPPING}
        for name in dataset.variables:
            if name in named:
                continue
            found = written.variables.get(name)
            if found is None or not _same(found.values, dataset.variables[name].values):
                raise _differs(final, f"the variable {name}")
        _verify_attributes(final, written, dataset)
        crs = CRS.from_wkt(written[GRID_MAPPING].attrs["crs_wkt"])
        if crs != CRS.from_wkt(dataset[GRID_MAPPING].attrs["crs_wkt"]):
            raise _differs(final, "the coordinate reference system")
        for sample in samples:
            _verify_layer(final, written[sample.item.name], sample)
    if group is not None:
        _verify_documents(path, final, group, dataset)


def verify_chunks(final: Path | RemoteLocation, failing: Set[str]) -> None:
    """Refuse an output of which chunks are not stored as they were compressed.

    Parameters
    ----------
    final
        Name or address that the output is going to have.
    failing
        Names of chunks that are missing, changed or too many.

    Raises
    ------
    OutputError
        If there are any.
    """
    if failing:
        layer = min(failing).rpartition("/")[0].split("/")
        raise _differs(final, f"the layer {layer[1] if len(layer) > 1 else layer[0]}")


def _verify_documents(
    store: StorePlace, final: Path | RemoteLocation, group: str, dataset: xr.Dataset
) -> None:
    """Compare the documents in a group with what is gathered of them, which may leave some out."""
    meant = on_disk(dataset).variables
    for name, own, gathered in gathered_documents(store, group):
        if own.keys() != gathered.keys() or any(
            own[part] != value for part, value in gathered.items() if part != "attributes"
        ):
            raise _differs(final, f"the variable {name}" if name else group)
        found = gathered["attributes"]
        expected = meant[name].attrs if name and name != GRID_MAPPING else {}
        if not _hold(own["attributes"], found) or not _hold(found, expected):
            raise _differs(final, f"an attribute of {name or group}")


def _verify_attributes(
    final: Path | RemoteLocation, written: xr.Dataset, dataset: xr.Dataset
) -> None:
    """Compare the attributes of the stack and of all variables."""
    expected = on_disk(dataset)
    for name, variable in expected.variables.items():
        there = written.variables[name]
        # The CRS is compared as such.
        if name != GRID_MAPPING and not _hold(there.attrs | there.encoding, variable.attrs):
            raise _differs(final, f"an attribute of {name}")
    # Readers take those that are coordinates by this attribute, and it off.
    attributes = {name: value for name, value in expected.attrs.items() if name != "coordinates"}
    if not _hold(written.attrs, attributes):
        raise _differs(final, "an attribute of the stack")


def _hold(found: Mapping[Any, Any], expected: Mapping[Any, Any]) -> bool:
    return all(
        name in found and np.array_equal(np.ravel(found[name]), np.ravel(value))
        for name, value in expected.items()
    )


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
        copied = all(placement.treatment is Treatment.COPY for placement in source.steps[step])
        if copied and source.has(item.layer, step):
            return step
    return len(source.steps) - 1


def _differs(final: Path | RemoteLocation, what: str) -> OutputError:
    place = "disk" if isinstance(final, Path) else "object store"
    return OutputError(
        f"{final} was written, but {what} does not read back as it should; the file was not kept, "
        f"so check the {place} and run again."
    )
