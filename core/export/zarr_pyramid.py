"""Maps as a pyramid in a Zarr store, for viewers that read its levels over a network.

The layout is that of the conventions ``multiscales``, ``spatial`` and ``proj``
(https://github.com/zarr-conventions), in format 3 with several chunks to a file.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from ..contract import RECORD
from ..dataset.describe import cell_bounds
from ..files.geozarr import CRS_CODE, pyramid_attributes
from ..files.written_stack import TEXT_KINDS
from ..files.zarr_layout import EmptyLayer, layer_documents, small_documents, write_group
from ..files.zarr_store import array_of, consolidate
from ..grid.lattice import Grid
from ..machine.blocks import bands, run_blocks
from ..metadata.geospatial import corners, grid_attributes, outline_attributes
from ..metadata.pairs import PARAMETER_FILES
from ..metadata.variables import GRID_MAPPING
from ..run.reporter import Reporter, step
from ..version import plugin_version
from .stack_part import ReadMap, StackPart

STORE = "pyramid.zarr"

_FORMAT: Final = 3

_CHUNK = 256
"""Rows and columns that a viewer gets with one request, and of the smallest level at most."""

_SHARD = 4 * _CHUNK
"""Rows and columns of a file."""

_BLOCK = 2 * _SHARD
"""Rows and columns that are read at once: they become one file of the next level."""

_ENCODED = ("_FillValue", "missing_value", "scale_factor", "add_offset")

_OF_THE_STACK = (RECORD, PARAMETER_FILES, "id", "naming_authority", "number_of_acquisitions")
"""Attributes that are true of the stack only, or that are long: viewers read all at once."""

_DATES = ("date_created", "date_issued", "date_modified", "date_metadata_modified")


def write_pyramid(part: StackPart, history: str, folder: Path, reporter: Reporter) -> list[str]:
    """Write a part of a stack as a Zarr store with coarser and coarser levels.

    The groups ``0``, ``1``, ... are datasets of the same layers; a pixel of one is the mean of the
    valid ones of two by two pixels of the group before, or the upper left of these for classes and
    angles with a seam. The last one fits into a chunk.

    Parameters
    ----------
    part
        What is written. Units are those of the stack.
    history
        The job in a line.

    Returns
    -------
    list of str
        Name of the store.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    store = folder / STORE
    levels = {str(number): grid for number, grid in enumerate(_grids(part.grid))}
    zarr.create_group(store, zarr_format=_FORMAT, attributes=pyramid_attributes(levels))
    for name, grid in levels.items():
        layers = {layer: _empty(part, layer, grid) for layer in part.layers}
        documents = layer_documents(layers, grid, _FORMAT)
        small = _small(part, grid, history)
        if grid is not part.grid:
            small = _named(small, layers)
        documents |= small_documents(small, _FORMAT)
        write_group(store, name, documents, part.layers, _FORMAT)
    groups = [
        zarr.open_group(store, path=name, mode="r+", use_consolidated=False) for name in levels
    ]
    for number, layer in enumerate(part.layers):
        begin, end = (100.0 * (number + more) / len(part.layers) for more in (0, 1))
        with step(reporter, begin, end) as share, part.maps(layer, folder, share) as read:
            _write_layer(part, layer, read, [array_of(group, layer) for group in groups], share)
    # Without the code GDAL 3.13 finds no CRS of layers with steps.
    consolidate(store, list(levels), _FORMAT, kept=[CRS_CODE])
    return [STORE]


def _grids(grid: Grid) -> list[Grid]:
    grids = [grid]
    while max(grid.width, grid.height) > _CHUNK:
        sizes = math.ceil(grid.width / 2), math.ceil(grid.height / 2)
        grid = Grid(grid.epsg, grid.left, grid.top, 2 * grid.spacing, *sizes, grid.wkt)
        grids.append(grid)
    return grids


# --- values ---------------------------------------------------------------------------------------


def _write_layer(
    part: StackPart,
    layer: str,
    read: ReadMap,
    levels: Sequence[zarr.Array[Any]],
    reporter: Reporter,
) -> None:
    """Write all levels of a layer, each from the one before."""
    maps = range(part.steps.size) if part.has_steps(layer) else range(1)
    is_mean = part.is_smooth(layer)
    sources = levels[:-1] or levels
    for number, finer in enumerate(sources):
        coarser = levels[number + 1] if number + 1 < len(levels) else None
        first = number == 0

        def work(
            task: tuple[int, slice, slice],
            finer: zarr.Array[Any] = finer,
            coarser: zarr.Array[Any] | None = coarser,
            first: bool = first,
        ) -> None:
            if first:
                block = read(*task)
                finer[task[-finer.ndim :]] = block
            else:
                block = np.asarray(finer[task[-finer.ndim :]])
            if coarser is not None:
                at, rows, columns = task
                place = (at, _half(rows), _half(columns))
                coarser[place[-coarser.ndim :]] = _halved(block, is_mean)

        lines = (bands(length, _BLOCK, _BLOCK) for length in finer.shape[-2:])
        tasks = list(itertools.product(maps, *lines))
        begin, end = (100.0 * (1 - 0.25**done) for done in (number, number + 1))
        with step(reporter, begin, end) as share:
            run_blocks(work, tasks, len(tasks), share)


def _half(pixels: slice) -> slice:
    return slice(pixels.start // 2, math.ceil(pixels.stop / 2))


def _halved(block: NDArray[Any], is_mean: bool) -> NDArray[Any]:
    """Return half as many rows and columns, rounded up, which count from an even one."""
    if not is_mean:
        return block[::2, ::2]
    shape = tuple(math.ceil(length / 2) for length in block.shape)
    total, count = np.zeros(shape), np.zeros(shape, "uint8")
    for down, across in itertools.product((0, 1), repeat=2):
        values = block[down::2, across::2]
        within = tuple(map(slice, values.shape))
        valid = ~np.isnan(values)
        total[within] += np.where(valid, values, 0)
        count[within] += valid
    with np.errstate(invalid="ignore"):  # 0 / 0, which is NaN
        return (total / count).astype(block.dtype)


# --- what a level says of itself ------------------------------------------------------------------


def _empty(part: StackPart, layer: str, grid: Grid) -> EmptyLayer:
    variable = part.stack.raw.variables[layer]
    attributes = {key: value for key, value in variable.attrs.items() if key not in _ENCODED}
    others = str(attributes.pop("ancillary_variables", "")).split()
    kept = [name for name in others if name in part.layers or name not in part.stack.layers]
    if kept:
        attributes["ancillary_variables"] = " ".join(kept)
    depth = (part.steps.size,) if part.has_steps(layer) else ()
    ones = (1,) * len(depth)
    nodata, dtype = part.nodata(layer), part.dtype(layer)
    return EmptyLayer(
        dimensions=variable.dims,
        shape=(*depth, grid.height, grid.width),
        dtype=dtype,
        fill=None if nodata is None else dtype.type(nodata),
        attributes=attributes,
        chunks=(*ones, _CHUNK, _CHUNK),
        shards=(*ones, _SHARD, _SHARD),
    )


def _small(part: StackPart, grid: Grid, history: str) -> xr.Dataset:
    """Return a level without its layers, not decoded."""
    stack, edges = part.stack, cell_bounds(grid)
    axes = {"x": grid.x, "y": grid.y}
    variables: dict[Hashable, xr.Variable] = {}
    for name, variable in stack.raw.variables.items():
        attributes = dict(variable.attrs)
        if name in axes:
            variable = xr.Variable(name, axes[str(name)])
        elif name in edges:
            variable = edges[str(name)]
        elif name == GRID_MAPPING:
            attributes = part.grid_mapping(grid)
        elif name in stack.layers or not axes.keys().isdisjoint(variable.dims):
            continue
        elif variable.dtype.kind in TEXT_KINDS:
            variable = xr.Variable(variable.dims, stack.values(str(name)))
        if stack.dimension in variable.dims:
            variable = variable.isel({stack.dimension: part.steps})
        fill = attributes.pop("_FillValue", None)
        variables[name] = xr.Variable(
            variable.dims, variable.values, attributes, {"_FillValue": fill}
        )
    return xr.Dataset(variables, attrs=_attributes(part, grid, history))


def _named(small: xr.Dataset, layers: Mapping[str, EmptyLayer]) -> xr.Dataset:
    """Return what layers need of it: a viewer gets the metadata of all levels at once."""
    attributes = [small.attrs, *(layer.attributes for layer in layers.values())]
    attributes += [small[name].attrs for name in small.coords]
    named = {
        name
        for about in attributes
        for key in ("coordinates", "ancillary_variables", "grid_mapping", "bounds")
        for name in str(about.get(key, "")).split()
    }
    return small.drop_vars([name for name in small.data_vars if name not in named])


def _attributes(part: StackPart, grid: Grid, history: str) -> dict[str, Any]:
    """Return the attributes of the stack as far as they hold, for a level."""
    source = part.stack.raw.attrs
    attributes = {
        name: value
        for name, value in source.items()
        if name not in _OF_THE_STACK and not str(name).startswith("ceos_")
    }
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    of_grid = grid_attributes(grid)
    if part.grid != part.stack.grid:
        of_grid |= outline_attributes(grid, corners([part.grid.bounds]), "the grid")
    changed: dict[str, Any] = of_grid | dict.fromkeys(_DATES, now)
    if part.steps.size < part.stack.raw.sizes[part.stack.dimension]:
        times = np.concatenate(part.times)
        first, last = (np.datetime_as_string(at, "s") for at in (times.min(), times.max()))
        changed |= {"time_coverage_start": f"{first}Z", "time_coverage_end": f"{last}Z"}
        for name in ("time_coverage_duration", "time_coverage_resolution"):
            attributes.pop(name, None)
    attributes |= {name: value for name, value in changed.items() if name in attributes}
    steps = "pairs" if part.stack.is_insar else "dates"
    here = f"{part.steps.size} {steps}, pixels of {grid.spacing:g} m"
    line = f"{now} HyP3 Stack {plugin_version()} (zarr {zarr.__version__}): {history}"
    return attributes | {
        "summary": f"{source.get('summary', '')} Level of a pyramid: {here}.".strip(),
        "history": "\n".join(filter(None, (str(source.get("history", "")), line))),
        "source_stack_id": str(source.get("id", "not provided")),
    }
