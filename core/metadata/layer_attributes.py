"""Attributes that conventions ask of the layers, besides those that say what they hold."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

_MEASUREMENTS = ("unw_phase", "wrapped_phase", "amp", "los_disp", "vert_disp")
_QUALITY = ("corr", "conncomp", "data_mask", "mask_reason", "ls_map", "source_frame")
_INCIDENCE = ("inc_map", "inc_map_ell")

_EXTRA: dict[str, dict[str, Any]] = {
    "unw_phase": {
        "component": "line of sight",
        "flat_earth_phase_removed": "true",
        "topographic_phase_removed": "true",
    },
    "wrapped_phase": {
        "comment": "in (-pi, pi]",
        "flat_earth_phase_removed": "true",
        "topographic_phase_removed": "true",
    },
    "los_disp": {"component": "line of sight"},
    "vert_disp": {"component": "vertical"},
    "lv_theta": {"ellipsoidal_incidence_angle": "pi / 2 - lv_theta"},
    "lv_phi": {"sensor_azimuth_angle": "pi / 2 - lv_phi, clockwise from true north"},
}


def layer_attributes(name: str, is_static: bool, others: Collection[str]) -> dict[str, Any]:
    """Return attributes of CF and ACDD for a layer.

    Parameters
    ----------
    name
        Name of the stack variable.
    is_static
        Whether it is kept once.
    others
        Names of all layers of the stack.
    """
    attributes = dict(_EXTRA.get(name, {}))
    is_measurement = name in _MEASUREMENTS or name.endswith("_backscatter")
    if is_measurement:
        attributes["coverage_content_type"] = "physicalMeasurement"
    else:
        attributes["coverage_content_type"] = (
            "qualityInformation" if name in _QUALITY else "auxiliaryInformation"
        )
    if name in _INCIDENCE:
        attributes["standard_name"] = "angle_of_incidence"
    if is_measurement or name == "corr":
        attributes["cell_methods"] = "area: mean"
    about = [
        other
        for other in ("data_mask", "mask_reason", "corr", "conncomp", "ls_map")
        if other in others and other != name
    ]
    if is_measurement and not is_static and about:
        attributes["ancillary_variables"] = " ".join(about)
    return attributes
