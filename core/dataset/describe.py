"""Adds to a stack what conventions and CEOS-ARD ask for, besides layers and coordinates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..grid.lattice import Grid, to_longitude_latitude
from ..metadata import variables
from ..metadata.acquisitions import (
    Acquisition,
    acquisition_variables,
    backscatter_acquisition,
    merge,
    pair_acquisition,
    with_details,
)
from ..metadata.attributes import coverage_attributes
from ..metadata.ceos_attributes import ceos_attributes
from ..metadata.geospatial import corners, grid_attributes, outline_attributes
from ..metadata.gridding import gridding_convention
from ..metadata.pairs import (
    PARAMETER_FILES,
    orbit_types,
    pair_variables,
    processing_variables,
    provenance,
)
from ..metadata.parallel import parallel_baselines
from ..metadata.scene import look_variables, wave_variables
from ..pixels.geometry import is_ascending
from ..pixels.look_vectors import LOOK_VECTOR_NAMES
from ..pixels.masks import MASK_NAMES
from ..products.layers import COHERENCE, SOURCE_FRAME, Layer, Role
from ..products.product import Product
from ..products.product_types import RTC
from ..retrieval.catalog.enrichment import Details

if TYPE_CHECKING:
    from ..pixels.source import StackSource

STATISTICS = {
    "coherence_mean": ("mean coherence", "1", "NaN: no pixel has data"),
    "coherence_std": ("standard deviation of the coherence", "1", "NaN: no pixel has data"),
    "valid_fraction": ("share of the pixels of the grid with data", "1", "0: no pixel has data"),
}
"""Variables that are known only when all pixels have been read."""


def describe_stack(
    dataset: xr.Dataset,
    source: StackSource,
    layers: Sequence[tuple[Layer, bool]],
    times: Sequence[Sequence[datetime]],
    details: Details | None = None,
) -> xr.Dataset:
    """Add variables and attributes to a stack.

    Parameters
    ----------
    dataset
        The stack with coordinates, grid mapping and layers.
    layers
        Name of each layer's variable, and whether it changes with the steps.
    times
        UTC start times of each step's acquisitions, reference first.
    details
        What the ASF catalog knows of the source granules, where it was asked.

    Returns
    -------
    Dataset
        With variables on ``pair`` and ``acquisition`` (or ``time``), scalars of the scene, bounds
        of ``x`` and ``y``, and attributes of CF 1.11, ACDD 1.3 and CEOS-ARD.
    """
    steps = [[placement.product for placement in step] for step in source.steps]
    products = [product for step in steps for product in step]
    family = products[0].type.family
    dimension = family.dimension
    if family is RTC:
        acquisitions = _with_details(_backscatter_acquisitions(steps, source.grid), details)
        described = {
            "acquisition": xr.Variable(
                "time",
                np.arange(1, len(steps) + 1, dtype="int32"),
                {"long_name": "number of the acquisition"},
            ),
            **acquisition_variables(acquisitions, "time"),
            "orbit_type": orbit_types(steps, "time"),
            **processing_variables(steps, "time"),
        }
    else:
        acquisitions = _with_details(_pair_acquisitions(products, times), details)
        described = acquisition_variables(acquisitions, "acquisition")
        has_grids = any(layer.name in LOOK_VECTOR_NAMES for layer, _ in layers)
        described |= {**look_variables(source, has_grids), **pair_variables(products)}
        if details:
            described["parallel_baseline"] = parallel_baselines(acquisitions, times, described)
    described |= wave_variables()
    numbers = [layer for layer, per_step in layers if per_step and not layer.is_mask]
    described |= _statistics(dimension, numbers, len(steps))
    described |= cell_bounds(source.grid)
    # Times of which none is known cannot be encoded, and mean nothing.
    dataset = dataset.assign(
        {name: item for name, item in described.items() if not _is_unknown_time(item)}
    )
    for axis in "xy":
        dataset[axis].attrs["bounds"] = f"{axis}_bnds"
    # Changed in place: lazy variables keep their encoding only so.
    quality = _quality([layer for layer, _ in layers])
    for layer, per_step in layers:
        dataset[layer.variable].attrs |= _role_attributes(layer, quality if per_step else [])
    for key, item in dataset.variables.items():
        is_time = np.issubdtype(item.dtype, np.datetime64)
        if is_time and not str(key).endswith("_bnds"):
            item.attrs |= variables.TIME_ATTRIBUTES
    dataset.attrs |= coverage_attributes(acquisitions)
    dataset.attrs |= grid_attributes(source.grid)
    boxes = [_cut(placement.bounds, source.grid.bounds) for placement in source.placements]
    # Until all pixels have been read, and where none of them adds anything.
    dataset.attrs |= outline_attributes(source.grid, corners(boxes), "the rasters of the products")
    dataset.attrs |= ceos_attributes(products, source.grid.spacing)
    dataset.attrs["gridding_convention"] = gridding_convention(
        source.grid, [placement.raster for placement in source.placements]
    )
    files = provenance(products)
    if files != "{}":
        dataset.attrs[PARAMETER_FILES] = files
    return dataset


def _is_unknown_time(variable: xr.Variable) -> bool:
    return variable.dtype.kind == "M" and bool(np.isnat(variable.values).all())


def _with_details(
    acquisitions: Sequence[Acquisition], details: Details | None
) -> list[Acquisition]:
    return [with_details(item, details or {}) for item in acquisitions]


def _pair_acquisitions(
    products: Sequence[Product], times: Sequence[Sequence[datetime]]
) -> list[Acquisition]:
    parts: dict[datetime, list[Acquisition]] = defaultdict(list)
    # References first: the path in the name of a product is that of its reference.
    for side in range(len(times[0])):
        for product, starts in zip(products, times, strict=True):
            parts[starts[side]].append(pair_acquisition(product, side, starts[side]))
    return [merge(parts[start]) for start in sorted(parts)]


def _backscatter_acquisitions(steps: Sequence[Sequence[Product]], grid: Grid) -> list[Acquisition]:
    left, bottom, right, top = grid.bounds
    center = to_longitude_latitude(grid).transform((left + right) / 2, (bottom + top) / 2)
    return [
        backscatter_acquisition(frames, is_ascending(frames[0].name.times[0], *center))
        for frames in steps
    ]


def _quality(layers: Sequence[Layer]) -> list[str]:
    """Return the variables that say how good the measurements of a stack are, masks first."""
    # Where a pixel comes from does not say how good it is.
    found = [item for item in layers if item.role is Role.QUALITY and item != SOURCE_FRAME]
    return [item.variable for item in sorted(found, key=lambda one: one.name not in MASK_NAMES)]


def _role_attributes(layer: Layer, quality: Sequence[str]) -> dict[str, str]:
    """Return the attributes of CF and ACDD that follow from what a layer is for."""
    attributes = {"coverage_content_type": layer.role.value}
    if layer.role is not Role.AUXILIARY and not layer.is_mask:
        attributes["cell_methods"] = "area: mean"
    if layer.role is Role.MEASUREMENT and quality:
        attributes["ancillary_variables"] = " ".join(quality)
    return attributes


def _statistics(dimension: str, layers: Sequence[Layer], count: int) -> dict[str, xr.Variable]:
    """Return the statistics that layers of numbers give, still without values."""
    has_coherence = any(layer.name == COHERENCE for layer in layers)
    wanted = [name for name in STATISTICS if has_coherence or not name.startswith("coherence")]
    made = {}
    for name in wanted if layers else ():
        long_name, units, comment = STATISTICS[name]
        made[name] = variables.numbers(
            (dimension,),
            [None] * count,
            long_name,
            units,
            coverage_content_type="qualityInformation",
            comment=comment,
        )
    return made


def cell_bounds(grid: Grid) -> dict[str, xr.Variable]:
    """Return the edges of the pixels along both axes, as CF has them; shapes (x, nv), (y, nv)."""
    half = grid.spacing / 2
    return {
        "x_bnds": xr.Variable(
            ("x", "nv"), np.stack([grid.x - half, grid.x + half], 1), {}, {"_FillValue": None}
        ),
        "y_bnds": xr.Variable(
            ("y", "nv"), np.stack([grid.y + half, grid.y - half], 1), {}, {"_FillValue": None}
        ),
    }


def _cut(
    box: tuple[float, float, float, float], by: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    return (max(box[0], by[0]), max(box[1], by[1]), min(box[2], by[2]), min(box[3], by[3]))
