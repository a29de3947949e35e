"""The displacement stack: its coordinates and attributes, without reading a pixel."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..contract import RECORD
from ..dataset.describe import cell_bounds
from ..dataset.stack_layer import StackLayer
from ..files.written_stack import WrittenStack
from ..grid.lattice import Grid
from ..metadata.attributes import CONVENTIONS, STANDARD_NAMES
from ..metadata.geospatial import grid_attributes
from ..metadata.variables import GRID_MAPPING, TIME_ATTRIBUTES, TIME_ENCODING
from ..network.pair_network import PairNetwork
from ..products.sentinel1 import WAVELENGTH
from ..version import plugin_version
from .date_and_pair_statistics import unknown_statistics
from .pair_selection import acquisition_bounds
from .result_layers import ROLE, SENSE

_CARRIED = (
    "institution",
    "references",
    "acknowledgment",
    "license",
    "project",
    "program",
    "creator_name",
    "creator_type",
    "creator_institution",
    "creator_url",
    "creator_email",
    "contributor_name",
    "contributor_role",
    "metadata_link",
    "platform",
    "platform_vocabulary",
    "instrument",
    "instrument_vocabulary",
    "radar_band",
    "antenna_pointing",
    "geospatial_bounds",
    "geospatial_bounds_crs",
    "footprint",
    "footprint_crs",
    "footprint_comment",
)
"""Attributes of the stack that hold for its displacement as well."""


def displacement_dataset(
    stack: WrittenStack,
    pairs: Sequence[int],
    grid: Grid,
    network: PairNetwork,
    layers: Sequence[StackLayer],
    settings: Mapping[str, Any],
    history: str,
) -> xr.Dataset:
    """Describe a displacement stack; its layers are empty, and its statistics NaN.

    Its dimensions are ``time``, ``y``, ``x``, ``pair`` and ``nv``.

    Parameters
    ----------
    pairs
        Positions of the pairs that are inverted.
    settings
        What was chosen, by name of the parameter; kept in the record of the stack.
    history
        What made the result: task and parameters.
    """
    dataset = xr.Dataset(
        coords={**_coordinates(stack, grid, network), **_pair_coordinates(stack, pairs)},
        attrs=_attributes(stack, pairs, network, settings, history),
    )
    dataset.attrs |= grid_attributes(grid)
    dataset[GRID_MAPPING] = _grid_mapping(stack, grid)
    dataset = dataset.set_coords(GRID_MAPPING)
    shape = {"time": network.date_count, "y": grid.height, "x": grid.width}
    for item in layers:
        layer = item.layer
        sizes = shape if item.per_step else {"y": grid.height, "x": grid.width}
        fill = np.dtype(layer.dtype).type(layer.fill)
        attributes: dict[str, Any] = {
            "long_name": layer.long_name,
            "units": layer.units,
            "grid_mapping": GRID_MAPPING,
            ROLE: layer.role.value,
        }
        for key, value in layer.attributes.items():
            attributes[key] = np.array(value, layer.dtype) if isinstance(value, list) else value
        # A single value that takes no memory, and is never written.
        empty = np.broadcast_to(fill, tuple(sizes.values()))
        dataset[item.name] = xr.Variable(tuple(sizes), empty, attributes, {"_FillValue": fill})
    for name, variable in unknown_statistics(network).items():
        dataset[name] = variable
    dataset.attrs[RECORD] = json.dumps(
        {"settings": dict(settings), "maps": [item.name for item in layers]}
    )
    return dataset


def _coordinates(stack: WrittenStack, grid: Grid, network: PairNetwork) -> dict[str, xr.Variable]:
    encoding = {**TIME_ENCODING, "_FillValue": None}
    times = {
        "long_name": "middle of the acquisition",
        "standard_name": "time",
        "axis": "T",
        **TIME_ATTRIBUTES,
    }
    found = dict(cell_bounds(grid))
    bounds = _bounds_of_dates(stack, network)
    if bounds is not None:
        found["time_bnds"] = xr.Variable(("time", "nv"), bounds, {}, encoding)
        times["bounds"] = "time_bnds"
    found["time"] = xr.Variable("time", network.times, times, encoding)
    for axis, values in (("y", grid.y), ("x", grid.x)):
        attributes = stack.raw.variables[axis].attrs | {"bounds": f"{axis}_bnds"}
        attributes.pop("_FillValue", None)
        found[axis] = xr.Variable(axis, values, attributes, {"_FillValue": None})
    return found


def _bounds_of_dates(stack: WrittenStack, network: PairNetwork) -> NDArray[np.datetime64] | None:
    """Return start and end of each acquisition, shape (N, 2); None where one is not known."""
    bounds = acquisition_bounds(stack)
    if bounds is None:
        return None
    times = network.times[:, np.newaxis]
    holds = (bounds[:, 0] <= times) & (times <= bounds[:, 1])
    if not (holds.sum(axis=1) == 1).all():
        return None
    return bounds[holds.argmax(axis=1)].astype("datetime64[ns]")


_OF_PAIRS = {
    "pair_label": "pair_label",
    "product_name": "pair_product_name",
    "reference_time": "pair_reference_time",
    "secondary_time": "pair_secondary_time",
    "temporal_baseline": "pair_temporal_baseline",
    "perpendicular_baseline": "pair_perpendicular_baseline",
}
"""Statistics of pairs, by their names in the stack, which do not say that they are of pairs."""


def _pair_coordinates(stack: WrittenStack, pairs: Sequence[int]) -> dict[str, xr.Variable]:
    found = {
        "pair": xr.Variable(
            "pair",
            np.arange(1, len(pairs) + 1, dtype="int32"),
            {"long_name": "number of the pair in the inversion"},
        )
    }
    for name, new in _OF_PAIRS.items():
        if name not in stack.raw.variables or stack.dataset.variables[name].dims != ("pair",):
            continue
        variable = stack.dataset.variables[name][list(pairs)].load()
        encoding: dict[str, Any] = {}
        if variable.dtype.kind == "M":
            encoding = {**TIME_ENCODING, "_FillValue": None}
            # Rounding of other units leaves nanoseconds, which this encoding has no room for.
            middle = variable.values + np.timedelta64(500, "ns")
            variable = variable.copy(data=middle.astype("datetime64[us]").astype("datetime64[ns]"))
        elif variable.dtype.kind == "f":
            encoding = {"_FillValue": np.nan}
        elif variable.dtype.kind in "OST":
            texts = [str(item) for item in variable.values]
            variable = xr.Variable("pair", np.array(texts), variable.attrs)
        attributes = {
            key: value
            for key, value in variable.attrs.items()
            if key not in ("axis", "bounds", "_FillValue")
        }
        found[new] = xr.Variable("pair", variable.values, attributes, encoding)
    return found


def _grid_mapping(stack: WrittenStack, grid: Grid) -> xr.Variable:
    attributes = dict(stack.raw.variables[GRID_MAPPING].attrs)
    left, top, spacing = grid.left, grid.top, grid.spacing
    attributes["GeoTransform"] = f"{left} {spacing} 0.0 {top} 0.0 {-spacing}"
    return xr.Variable((), np.int32(0), attributes)


def _attributes(
    stack: WrittenStack,
    pairs: Sequence[int],
    network: PairNetwork,
    settings: Mapping[str, Any],
    history: str,
) -> dict[str, Any]:
    now = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    first, last = (str(time.astype("datetime64[s]")) for time in network.times[[0, -1]])
    source = stack.raw.attrs
    attributes = {name: source[name] for name in _CARRIED if name in source}
    before = [str(source["history"])] if source.get("history") else []
    attributes |= {
        "Conventions": CONVENTIONS,
        "title": f"Line-of-sight displacement on {network.date_count} dates, "
        f"{first[:10]} to {last[:10]}",
        "summary": f"Displacement along the line of sight, {SENSE}, by weighted least squares on "
        f"the network of {network.pair_count} Sentinel-1 interferograms between "
        f"{network.date_count} dates, and its velocity.",
        "comment": "missing numbers are NaN, missing text reads not provided",
        "keywords": "EARTH SCIENCE > SOLID EARTH > TECTONICS > PLATE TECTONICS > CRUSTAL MOTION",
        "keywords_vocabulary": "GCMD Science Keywords",
        "standard_name_vocabulary": STANDARD_NAMES,
        "id": str(uuid.uuid4()),
        "naming_authority": "urn:uuid",
        "source": str(source.get("source", "Sentinel-1 C-SAR interferograms")),
        "source_stack_id": str(source.get("id", "not provided")),
        "product_type": str(source.get("product_type", "not provided")),
        "product_version": plugin_version(),
        "processing_level": "displacement of level 2 interferograms",
        "history": "\n".join(
            [*before, f"{now} HyP3 Stack {plugin_version()} (numpy {np.__version__}): {history}"]
        ),
        "cdm_data_type": "Grid",
        "wavelength": WAVELENGTH,
        "wavelength_units": "m",
        "days_of_a_year": 365.25,
        "component_count": np.int32(network.component_count),
        "gaps": str(settings["GAPS"]),
        "weights": str(settings["WEIGHTS"]),
        "reference_area": str(settings["REFERENCE_AREA"]),
        "time_coverage_start": f"{first}Z",
        "time_coverage_end": f"{last}Z",
    }
    attributes |= {
        name: now
        for name in ("date_created", "date_issued", "date_modified", "date_metadata_modified")
    }
    return attributes
