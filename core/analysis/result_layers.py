"""The layers of a displacement stack: those that the inversion makes and those carried over."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dataset.stack_layer import StackLayer
from ..files.written_stack import WrittenStack
from ..pixels.look_vectors import LOOK_VECTORS
from ..products.layers import GAMMA_LAYERS, Layer, LayerKind, Role
from .corrections import DEM, DEM_ERROR, RAMP, TROPOSPHERE
from .series_analysis import LOW_TEMPORAL_COHERENCE, NO_GEOMETRY, NO_VALID_PAIR
from .solver.time_functions import TimeFunctions

GEOMETRY = tuple(
    layer.variable for layer in (*GAMMA_LAYERS.values(), *LOOK_VECTORS) if layer.static
)
"""Layers of a stack that are carried over."""

ROLE = "coverage_content_type"
"""Attribute that says whether a layer is a measurement or states its quality."""

SENSE = "positive toward the satellite"
_UNMEASURED = "NaN where mask is not 0"

_ENCODED = ("_FillValue", "missing_value", "scale_factor", "add_offset")
"""Attributes of how a layer is stored, which is another way in the result."""


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
            comment=f"{SENSE}, relative to the reference area; 0 at the first date; {_UNMEASURED}",
            cell_methods="area: mean",
            component="line of sight",
        ),
        _measured(
            "velocity",
            "m year-1",
            "line-of-sight velocity",
            comment=f"{SENSE}, relative to the reference area; a year is 365.25 days; that of the "
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
        layers.append(_measured(name, units, text, comment=f"{SENSE}; {_UNMEASURED}"))
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
                name, "m", f"step at the beginning of {day}", comment=f"{SENSE}; {_UNMEASURED}"
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
        kept = (*_ENCODED, "grid_mapping", "coordinates", "units", "long_name", ROLE)
        attributes = {key: item for key, item in variable.attrs.items() if key not in kept}
        attributes = {
            key: item
            for key, item in attributes.items()
            if not (key == "_CRS" or key == "zarr_conventions" or ":" in key)
        }
        is_mask = variable.dtype == np.uint8 and not stack.is_packed(name)
        kind = LayerKind.CATEGORICAL if is_mask else LayerKind.CONTINUOUS
        units, text = stack.text("units", name), stack.text("long_name", name)
        layer = Layer(name, kind, units or "1", text or name, static=True, attributes=attributes)
        layers.append(StackLayer(layer, per_step=False))
    return tuple(layers)
