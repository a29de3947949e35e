"""The stack as a lazy ``xarray.Dataset``: coordinates in memory, layers read when computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import rioxarray  # noqa: F401 - registers the accessor ``rio``
import xarray as xr
from pyproj import CRS
from xarray.core.indexing import LazilyIndexedArray

from ..contract import DECIBEL
from ..grid.lattice import Grid
from ..metadata.attributes import stack_attributes
from ..metadata.variables import GRID_MAPPING
from ..pixels.precision import QUANTIZATION, quantization_attributes, quantization_variable
from ..pixels.reference_point import ReferencePoint
from ..pixels.source import StackSource
from ..pixels.values import COMPUTED
from ..products.layers import LOS_DISPLACEMENT, Layer, LayerKind
from ..products.sentinel1 import WAVELENGTH
from ..retrieval.catalog.enrichment import Details
from ..selection.acquisition_times import shared_times
from .describe import describe_stack
from .lazy import LazyLayer
from .stack_layer import StackLayer
from .steps import (
    pair_coordinates,
    reference_coordinates,
    time_coordinates,
)

_OF_STACK = (
    "reference_time",
    "secondary_time",
    "time_bnds",
    "x_bnds",
    "y_bnds",
    GRID_MAPPING,
)
"""Coordinates of the stack that no variable names: what belongs to others, and second times.

R's ncmeta takes each time that a variable names for its time axis, and stops at the second one.
"""


def stack_dataset(
    source: StackSource,
    layers: Sequence[StackLayer],
    history: str = "",
    point: ReferencePoint | None = None,
    details: Details | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> xr.Dataset:
    """Describe a stack without reading a pixel.

    Parameters
    ----------
    history
        What makes the stack, for its attribute of that name.
    point
        The point to which all pairs are referenced, if the source does so.
    details
        What the ASF catalog knows of the source granules, if it was asked.
    attributes
        More attributes of the stack.

    Returns
    -------
    Dataset
        Dimensions ``pair`` (or ``time``), ``y``, ``x``, ``nv`` (and ``acquisition``); lazy
        float32 and uint8 variables with attributes and ``_FillValue``; ``x``, ``y`` at pixel
        centers in meters; ``spatial_ref`` as CF grid mapping.
    """
    grid = source.grid
    products = [placement.product for placement in source.placements]
    steps = step_coordinates(source)
    if point is not None:
        steps |= reference_coordinates(point)
    dimension = step_dimension(source)
    dataset = xr.Dataset(
        coords={**steps, **_map_coordinates(grid)}, attrs=stack_attributes(products, history)
    )
    dataset.attrs["summary"] += _changes_sentence(source, layers, point is not None)
    dataset = dataset.rio.write_crs(grid.crs, grid_mapping_name=GRID_MAPPING)
    dataset = dataset.rio.write_transform(grid.transform, grid_mapping_name=GRID_MAPPING)
    # rioxarray writes the WKT of GDAL; CF asks for WKT 2.
    of_crs = dataset[GRID_MAPPING].attrs | CRS.from_user_input(grid.crs).to_cf()
    # Programs in JavaScript stumble over integers of eight bytes.
    dataset = dataset.assign_coords({GRID_MAPPING: xr.Variable((), np.int32(0), of_crs)})
    auxiliary = " ".join(
        name
        for name, variable in steps.items()
        if variable.dims == (dimension,) and name not in (dimension, *_OF_STACK)
    )
    for item in layers:
        dataset[item.name] = _variable(source, item, dimension, auxiliary)
        if point is not None and item.layer.kind is LayerKind.UNWRAPPED:
            dataset[item.name].attrs["comment"] = (
                f"{item.layer.attributes['comment'].partition(';')[0]}; relative to the point "
                "reference_point_x, reference_point_y in all pairs"
            )
    if any("quantization" in dataset[item.name].attrs for item in layers):
        dataset[QUANTIZATION] = quantization_variable()
    dataset = describe_stack(
        dataset,
        source,
        [(item.layer, item.per_step) for item in layers],
        shared_times([step[0].product for step in source.steps]),
        details,
    )
    return dataset.assign_attrs(attributes or {})


def _changes_sentence(source: StackSource, layers: Sequence[StackLayer], is_referred: bool) -> str:
    """Return a sentence on what was done to values on purpose; empty if nothing was."""
    scale, precision = source.options.scale, source.options.precision
    done = []
    if scale is not None and any(item.layer.is_backscatter for item in layers):
        done.append(f"converted to {scale}")
    if is_referred:
        done.append("referenced to one pixel")
    if any(precision.bits(item.layer) is not None for item in layers):
        done.append("rounded")
    return f" After that, values were {' and '.join(done)}." if done else ""


def step_dimension(source: StackSource) -> str:
    """Return the dimension of the steps: ``pair`` of interferograms, ``time`` of backscatter."""
    return source.placements[0].product.type.family.dimension


def step_coordinates(source: StackSource) -> dict[str, xr.Variable]:
    """Return the coordinates of the steps."""
    steps = [[placement.product for placement in step] for step in source.steps]
    if step_dimension(source) == "pair":
        return pair_coordinates([products[0] for products in steps])
    return time_coordinates(steps)


def _map_coordinates(grid: Grid) -> dict[str, xr.Variable]:
    variables = {}
    for axis, values in (("y", grid.y), ("x", grid.x)):
        variables[axis] = xr.Variable(
            axis,
            values,
            {
                "standard_name": f"projection_{axis}_coordinate",
                "long_name": f"{axis} coordinate of the pixel center",
                "units": "m",
                "axis": axis.upper(),
            },
            {"_FillValue": None},
        )
    return variables


def _variable(source: StackSource, item: StackLayer, dimension: str, auxiliary: str) -> xr.Variable:
    dimensions = (dimension, "y", "x") if item.per_step else ("y", "x")
    attributes = variable_attributes(item, source)
    if item.per_step:
        # CF asks each data variable to name the coordinates that have no dimension of their own.
        attributes["coordinates"] = auxiliary
    array = LazilyIndexedArray(LazyLayer(source, item))
    return xr.Variable(dimensions, array, attributes, {"_FillValue": _fill_value(item.layer)})


def variable_attributes(item: StackLayer, source: StackSource) -> dict[str, Any]:
    """Return the attributes of a stack variable, typed as CF asks."""
    layer = item.layer
    attributes: dict[str, Any] = {
        "long_name": layer.long_name,
        "units": layer.units,
        "grid_mapping": GRID_MAPPING,
    }
    for key, value in layer.attributes.items():
        attributes[key] = np.array(value, layer.dtype) if isinstance(value, list) else value
    if layer.is_backscatter:
        name = source.placements[0].product.name
        scale = source.options.scale or str(name.scale)
        attributes |= {"radiometry": name.radiometry, "scale": scale}
        if scale == "decibel":
            # As UDUNITS writes dB. The standard name is that of a ratio, which decibels are not.
            attributes["units"] = DECIBEL
            attributes.pop("standard_name", None)
        elif scale == "amplitude":
            attributes.pop("standard_name", None)
    computed = sum(
        layer.computed_from is not None and layer.name not in placement.product.layers
        for placement in source.placements
    )
    if computed:
        attributes["computed"] = (
            f"{COMPUTED[layer.name][1]} for the {computed} of {len(source.placements)} pairs whose "
            "product lacks the layer"
        )
        if layer.name == LOS_DISPLACEMENT:
            attributes["wavelength"] = WAVELENGTH
    return attributes | quantization_attributes(source.options.precision.bits(layer))


def _fill_value(layer: Layer) -> Any:
    return np.dtype(layer.dtype).type(layer.fill)


def on_disk(dataset: xr.Dataset) -> xr.Dataset:
    """Return the dataset as it is written.

    Variables that no layer names as a coordinate become data variables, so that no other names them
    either. Those that are coordinates of the stack all the same are listed in a global attribute
    that CF leaves free, by which xarray makes them coordinates again.
    """
    names = ("acquisition_time", "reference_point_x", "reference_point_y", *_OF_STACK)
    laid_out = dataset.reset_coords([name for name in names if name in dataset.coords])
    listed = [name for name in _OF_STACK if name in laid_out]
    laid_out.attrs["coordinates"] = " ".join(listed)
    for name in listed:
        laid_out.variables[name].encoding["coordinates"] = None
    return laid_out
