"""The layers of HyP3 products: kind, unit, missing data, and whether they change with time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any


class LayerKind(Enum):
    """What may be done with the values of a layer."""

    CONTINUOUS = "continuous"
    """Values between two pixels may be averaged."""
    UNWRAPPED = "unwrapped"
    """Continuous, but only inside one area of successful unwrapping."""
    CYCLIC = "cyclic"
    """An angle with a seam, where the mean of two neighbors may be the opposite direction."""
    CATEGORICAL = "categorical"
    """Class numbers or bit fields."""


MASK_FILL = 255
"""Missing data in stacked masks (uint8)."""

_REALS = frozenset({"float32", "float64"})
_INTEGERS = frozenset({"uint8", "int16", "uint16", "int32", "uint32"})


@dataclass(frozen=True)
class Layer:
    """One layer of a product type.

    Parameters
    ----------
    name
        Suffix of the file, without underscore and extension.
    variable
        Name in the stack.
    kind
        Decides how the layer is resampled.
    units
        UDUNITS text; empty for class numbers.
    long_name
        One line for people.
    static
        True where the layer describes the ground or the viewing geometry and is kept once.
    missing
        Value in HyP3's files that means no data; None where every stored value is data or the file
        itself tells (backscatter, by its scale).
    never_missing
        Values that are data also where a file declares them as missing, as HyP3's own do.
    is_whole
        Whether files may hold whole numbers of a quantity: heights in whole meters.
    attributes
        Further attributes of the stack variable.
    """

    name: str
    variable: str
    kind: LayerKind
    units: str
    long_name: str
    static: bool = False
    missing: float | None = 0.0
    never_missing: frozenset[float] = frozenset()
    is_whole: bool = False
    attributes: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def is_backscatter(self) -> bool:
        """Whether values are backscatter, in one of three scales."""
        return self.variable.endswith("_backscatter")

    @property
    def is_mask(self) -> bool:
        """Whether values are class numbers, kept as uint8."""
        return self.kind is LayerKind.CATEGORICAL

    @property
    def dtype(self) -> str:
        """Data type in the stack."""
        return "uint8" if self.is_mask else "float32"

    @property
    def stored_types(self) -> frozenset[str]:
        """Data types that a file may have."""
        return _REALS | _INTEGERS if self.is_mask or self.is_whole else _REALS

    @property
    def fill(self) -> float | int:
        """Missing data in the stack: NaN, or 255 in masks."""
        return MASK_FILL if self.is_mask else float("nan")


_TOWARD_SENSOR = "positive toward the sensor"

_INSAR = (
    Layer(
        "unw_phase",
        "unw_phase",
        LayerKind.UNWRAPPED,
        "radian",
        "unwrapped interferometric phase",
        attributes={
            "comment": "positive for motion away from the sensor between reference and secondary "
            "acquisition; relative to the reference point of the pair"
        },
    ),
    Layer(
        "corr",
        "corr",
        LayerKind.CONTINUOUS,
        "1",
        "interferometric coherence",
        attributes={"valid_range": [0.0, 1.0]},
    ),
    Layer(
        "amp",
        "amp",
        LayerKind.CONTINUOUS,
        "1",
        "sigma nought power of the reference acquisition",
        attributes={"comment": "linear power, geocoded, not terrain flattened"},
    ),
    Layer(
        "wrapped_phase",
        "wrapped_phase",
        LayerKind.CYCLIC,
        "radian",
        "wrapped interferometric phase",
    ),
    Layer(
        "los_disp",
        "los_disp",
        LayerKind.UNWRAPPED,
        "m",
        "line-of-sight displacement",
        attributes={"comment": _TOWARD_SENSOR},
    ),
    Layer(
        "vert_disp",
        "vert_disp",
        LayerKind.UNWRAPPED,
        "m",
        "vertical displacement, assuming no horizontal motion",
        attributes={"comment": "positive up"},
    ),
    Layer(
        "conncomp",
        "conncomp",
        LayerKind.CATEGORICAL,
        "1",
        "connected component of phase unwrapping",
        missing=None,
        never_missing=frozenset({0.0}),
        attributes={"comment": "0: in no component"},
    ),
    Layer(
        "lv_theta",
        "lv_theta",
        LayerKind.CONTINUOUS,
        "radian",
        "look vector elevation angle",
        static=True,
        attributes={"comment": "elevation of the line from ground to sensor above the horizon"},
    ),
    Layer(
        "lv_phi",
        "lv_phi",
        LayerKind.CYCLIC,
        "radian",
        "look vector orientation angle",
        static=True,
        attributes={
            "comment": "azimuth of the line from ground to sensor, counterclockwise from true east"
        },
    ),
    Layer(
        "inc_map",
        "inc_map",
        LayerKind.CONTINUOUS,
        "radian",
        "local incidence angle",
        static=True,
        attributes={"comment": "between the line to the sensor and the normal of the terrain"},
    ),
    Layer(
        "inc_map_ell",
        "inc_map_ell",
        LayerKind.CONTINUOUS,
        "radian",
        "ellipsoidal incidence angle",
        static=True,
        attributes={"comment": "between the line to the sensor and the normal of the ellipsoid"},
    ),
    Layer(
        "dem",
        "dem",
        LayerKind.CONTINUOUS,
        "m",
        "height above the WGS 84 ellipsoid",
        static=True,
        is_whole=True,
        attributes={"standard_name": "height_above_reference_ellipsoid"},
    ),
    Layer(
        "water_mask",
        "water_mask",
        LayerKind.CATEGORICAL,
        "1",
        "water mask",
        static=True,
        missing=float(MASK_FILL),
        never_missing=frozenset({0.0}),
        attributes={"flag_values": [0, 1], "flag_meanings": "water land"},
    ),
)


_IN_ISCE = {
    "corr": {
        "long_name": "interferometric coherence, from the filtered phase",
        "attributes": {
            "valid_range": [0.0, 1.0],
            "comment": "estimated from the noise of the filtered phase, so not comparable with "
            "the coherence of products made by GAMMA",
        },
    },
    "amp": {
        "long_name": "amplitude of the interferogram",
        "attributes": {"comment": "not calibrated"},
    },
}
"""What layers of the same name are in products made by ISCE2."""

_ISCE = tuple(replace(layer, **_IN_ISCE.get(layer.name, {})) for layer in _INSAR)  # type: ignore[arg-type]


def _backscatter(polarization: str) -> Layer:
    return Layer(
        polarization,
        f"{polarization}_backscatter",
        LayerKind.CONTINUOUS,
        "1",
        f"radar backscatter, {polarization}",
        missing=None,
        attributes={
            "standard_name": "surface_backwards_scattering_coefficient_of_radar_wave",
            "polarization": polarization,
        },
    )


_RTC = (
    *(_backscatter(polarization) for polarization in ("VV", "VH", "HH", "HV")),
    Layer(
        "ls_map",
        "ls_map",
        LayerKind.CATEGORICAL,
        "1",
        "layover and shadow",
        attributes={
            "flag_masks": [1, 2, 4, 8, 16],
            "flag_meanings": "tested look_angle_less_than_slope layover "
            "look_angle_less_than_opposite_slope shadow",
        },
    ),
    Layer(
        "dem",
        "dem",
        LayerKind.CONTINUOUS,
        "m",
        "height above the WGS 84 ellipsoid",
        static=True,
        missing=None,
        is_whole=True,
        attributes={"standard_name": "height_above_reference_ellipsoid"},
    ),
    Layer("inc_map", "inc_map", LayerKind.CONTINUOUS, "radian", "local incidence angle"),
    Layer("area", "area", LayerKind.CONTINUOUS, "m2", "scattering area of gamma nought"),
)

SOURCE_FRAME = Layer(
    "source_frame",
    "source_frame",
    LayerKind.CATEGORICAL,
    "1",
    "frame of the pass that a pixel comes from",
    missing=None,
    attributes={
        "comment": "0 for the first frame of the pass in time, 1 for the next; where frames "
        "overlap, the one whose center is nearest among those with backscatter"
    },
)
"""Not a layer of products: it is made where the frames of a pass are merged."""

LAYERS: dict[str, dict[str, Layer]] = {
    "INSAR_GAMMA": {layer.name: layer for layer in _INSAR if layer.name != "conncomp"},
    "INSAR_ISCE_BURST": {layer.name: layer for layer in _ISCE},
    "INSAR_ISCE_MULTI_BURST": {layer.name: layer for layer in _ISCE},
    "RTC_GAMMA": {layer.name: layer for layer in _RTC},
}
"""Stackable layers by product type, in the order in which they are stacked and listed."""

COMPUTED_FROM = {"los_disp": "unw_phase", "inc_map_ell": "lv_theta"}
"""Layers that are computed from another one where a product lacks them."""


def layers_by_name(product_type: str) -> dict[str, Layer]:
    """Return the layers of a product type by their names and by the variables that hold them."""
    table = LAYERS[product_type]
    return {layer.variable: layer for layer in table.values()} | table
