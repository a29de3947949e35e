"""The displacement stack: its layers, coordinates and attributes, without reading a pixel."""

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
from ..metadata.variables import GRID_MAPPING, TIME_ATTRIBUTES, TIME_ENCODING, numbers
from ..network.pair_network import PairNetwork
from ..pixels.look_vectors import LOOK_VECTORS
from ..products.layers import GAMMA_LAYERS, Layer, LayerKind, Role
from ..products.sentinel1 import WAVELENGTH
from ..version import plugin_version
from .corrections import DEM, DEM_ERROR, RAMP, TROPOSPHERE
from .pair_selection import acquisition_bounds
from .series_analysis import LOW_TEMPORAL_COHERENCE, NO_GEOMETRY, NO_VALID_PAIR
from .solver.time_functions import TimeFunctions

GEOMETRY = tuple(
    layer.variable for layer in (*GAMMA_LAYERS.values(), *LOOK_VECTORS) if layer.static
)
"""Layers of a stack that are carried over."""

_ROLE = "coverage_content_type"

_SENSE = "positive toward the satellite"
_UNMEASURED = "NaN where mask is not 0"

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


def _measured(
    name: str, units: str, long_name: str, is_static: bool = True, **attributes: Any
) -> StackLayer:
    layer = Layer(
        name,
        LayerKind.CONTINUOUS,
        units,
        long_name,
        role=Role.MEASUREMENT,
        static=is_static,
        attributes={"ancillary_variables": "mask", **attributes},
    )
    return StackLayer(layer, per_step=not is_static)


def _quality(name: str, long_name: str, **attributes: Any) -> StackLayer:
    layer = Layer(
        name,
        LayerKind.CONTINUOUS,
        "1",
        long_name,
        role=Role.QUALITY,
        static=True,
        attributes=attributes,
    )
    return StackLayer(layer, per_step=False)


_TAKEN_OFF = f"already subtracted from displacement; add it to take it back; {_UNMEASURED}"

_CORRECTIONS = {
    TROPOSPHERE: _measured(
        TROPOSPHERE,
        "m",
        "tropospheric delay in proportion to height",
        False,
        comment=_TAKEN_OFF,
    ),
    RAMP: _measured(RAMP, "m", "ramp of each date", False, comment=_TAKEN_OFF),
    DEM: _measured(
        DEM, "m", "apparent displacement by the error of the heights", False, comment=_TAKEN_OFF
    ),
    DEM_ERROR: _measured(
        DEM_ERROR,
        "m",
        "error of the heights",
        comment=f"true height less that of dem, relative to the reference area; {_UNMEASURED}",
    ),
}


def analysis_layers(
    functions: TimeFunctions, corrections: Sequence[str] = ()
) -> tuple[StackLayer, ...]:
    """Return the layers that the inversion makes, in order, with those of corrections by name."""
    layers = [
        _measured(
            "displacement",
            "m",
            "line-of-sight displacement since the first date",
            False,
            comment=f"{_SENSE}, relative to the reference area; 0 at the first date; {_UNMEASURED}",
            cell_methods="area: mean",
            component="line of sight",
        ),
        _measured(
            "velocity",
            "m year-1",
            "line-of-sight velocity",
            comment=f"{_SENSE}, relative to the reference area; a year is 365.25 days; that of the "
            f"middle of the period; {_UNMEASURED}",
            cell_methods="area: mean",
            component="line of sight",
        ),
        _measured(
            "velocity_standard_error",
            "m year-1",
            "standard error of the velocity",
            comment="the larger one of that from the residuals of the fit, which takes them for "
            "independent in time, and that propagated from the residuals of the pairs; neither "
            "knows of errors that the reference area, unwrapping or a slow atmosphere make",
        ),
    ]
    for name, units, what in (
        ("acceleration", "m year-2", "second"),
        ("jerk", "m year-3", "third"),
    )[: functions.degree - 1]:
        text = f"{what} derivative of the displacement in the middle of the period"
        layers.append(_measured(name, units, text, comment=f"{_SENSE}; {_UNMEASURED}"))
    for name, what in (("annual", "yearly"), ("semiannual", "half-yearly"))[: functions.harmonics]:
        layers += [
            _measured(f"{name}_amplitude", "m", f"amplitude of the {what} motion"),
            _measured(
                f"{name}_peak",
                "day",
                f"day of the year on which the {what} motion is nearest to the satellite",
                comment="counted from 0 at the beginning of January 1, in years of 365.25 days",
            ),
        ]
    for name, day in zip(functions.step_names, functions.steps, strict=True):
        layers.append(
            _measured(
                name, "m", f"step at the beginning of {day}", comment=f"{_SENSE}; {_UNMEASURED}"
            )
        )
    layers += [_CORRECTIONS[name] for name in corrections]
    layers += [
        _quality(
            "temporal_coherence",
            "temporal coherence of the inversion",
            comment="magnitude of the mean unit vector of the residuals of all valid pairs; "
            "without meaning where redundancy is 0",
            valid_range=[0.0, 1.0],
        ),
        _quality("valid_pairs", "number of valid pairs"),
        _quality(
            "redundancy",
            "number of valid pairs less the rank of their network",
            comment="0: the pairs cannot check each other",
        ),
        _quality(
            "gap_count",
            "number of gaps in the network of valid pairs",
            comment="components of the network less one; across a gap the displacement is not "
            "measured, but follows the assumption in the attribute gaps of the stack",
        ),
        _quality(
            "closure_error_share",
            "share of triangles of pairs whose phase does not close by whole cycles",
            comment="NaN where no triangle of pairs is valid",
            valid_range=[0.0, 1.0],
        ),
        StackLayer(
            Layer(
                "mask",
                LayerKind.CATEGORICAL,
                "1",
                "reasons why a pixel has no displacement",
                role=Role.QUALITY,
                static=True,
                attributes={
                    "standard_name": "status_flag",
                    "flag_masks": [NO_VALID_PAIR, LOW_TEMPORAL_COHERENCE, NO_GEOMETRY],
                    "flag_meanings": "no_valid_pair low_temporal_coherence no_geometry",
                },
            ),
            per_step=False,
        ),
    ]
    return tuple(layers)


def geometry_layers(stack: WrittenStack) -> tuple[StackLayer, ...]:
    """Return the layers of a stack that are carried over, as they are described there."""
    layers = []
    for name in GEOMETRY:
        if name not in stack.layers:
            continue
        variable = stack.raw.variables[name]
        kept = ("_FillValue", "grid_mapping", "coordinates", "units", "long_name", _ROLE)
        attributes = {key: item for key, item in variable.attrs.items() if key not in kept}
        attributes = {
            key: item
            for key, item in attributes.items()
            if not (key == "_CRS" or key == "zarr_conventions" or ":" in key)
        }
        kind = LayerKind.CATEGORICAL if variable.dtype.kind in "iu" else LayerKind.CONTINUOUS
        units, text = stack.text("units", name), stack.text("long_name", name)
        layer = Layer(name, kind, units or "1", text or name, static=True, attributes=attributes)
        layers.append(StackLayer(layer, per_step=False))
    return tuple(layers)


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
            _ROLE: layer.role.value,
        }
        for key, value in layer.attributes.items():
            attributes[key] = np.array(value, layer.dtype) if isinstance(value, list) else value
        # A single value that takes no memory, and is never written.
        empty = np.broadcast_to(fill, tuple(sizes.values()))
        dataset[item.name] = xr.Variable(tuple(sizes), empty, attributes, {"_FillValue": fill})
    for name, variable in _statistics(network).items():
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
        elif variable.dtype.kind == "f":
            encoding = {"_FillValue": np.nan}
        elif variable.dtype.kind in "OST":
            variable = xr.Variable("pair", variable.values.astype(str), variable.attrs)
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


def _statistics(network: PairNetwork) -> dict[str, xr.Variable]:
    """Return the variables that are known only when all pixels have been inverted."""

    def of_pairs(long_name: str, units: str, **attributes: Any) -> xr.Variable:
        unknown = [None] * network.pair_count
        return numbers(("pair",), unknown, long_name, units, comment=_UNKNOWN, **attributes)

    return {
        "residual_rms": numbers(
            ("time",),
            [None] * network.date_count,
            "root mean square of displacement less its functions of time",
            "m",
            comment=_UNKNOWN,
        ),
        "pair_residual_rms": of_pairs(
            "root mean square of the residuals of the inversion", "radian"
        ),
        "pair_valid_share": of_pairs(
            "share of the pixels with displacement in which it is valid", "1"
        ),
        "pair_closure_error_share": of_pairs(
            "share of its pixels in triangles that do not close by whole cycles", "1"
        ),
        "pair_closure_blame": of_pairs(
            "share of its pixels in which none of its triangles closes", "1"
        ),
        "pair_reference_phase": of_pairs(
            "unwrapped phase of the reference area that was subtracted", "radian"
        ),
    }


_UNKNOWN = "NaN: not known"


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
        "summary": f"Displacement along the line of sight, {_SENSE}, by weighted least squares on "
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


def note_statistics(
    dataset: xr.Dataset, sums: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    """Return the statistics of dates and pairs from what adds up over all pixels.

    They are put into the dataset as well.

    Parameters
    ----------
    dataset
        From :func:`displacement_dataset`.
    sums
        See :meth:`.series_analysis.SeriesAnalysis.run`.
    """
    kept = max(int(sums["mask_pixels"][0]), 1)
    pixels = np.maximum(sums["pair_pixels"], 1)
    checked = np.maximum(sums["closure_pixels"], 1)
    is_checked = sums["closure_pixels"] > 0
    is_known = sums["mask_pixels"][0] > 0
    found = {
        "residual_rms": np.where(is_known, np.sqrt(sums["date_squares"] / kept), np.nan),
        "pair_residual_rms": np.where(
            sums["pair_pixels"] > 0, np.sqrt(sums["pair_squares"] / pixels), np.nan
        ),
        "pair_valid_share": np.where(is_known, sums["pair_pixels"] / kept, np.nan),
        "pair_closure_error_share": np.where(is_checked, sums["closure_wrong"] / checked, np.nan),
        "pair_closure_blame": np.where(is_checked, sums["closure_never_right"] / checked, np.nan),
    }
    for name, values in found.items():
        dataset[name].values = values
    return found
