"""The layers of HyP3 products: one row each, which all that is done with a layer follows.

This module depends on the standard library only, so that QGIS can style layers by it.
"""

from __future__ import annotations

import math
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


class Role(Enum):
    """What a layer is for; the values are those of ``coverage_content_type`` in ACDD 1.3."""

    MEASUREMENT = "physicalMeasurement"
    QUALITY = "qualityInformation"
    AUXILIARY = "auxiliaryInformation"


class Delivery(Enum):
    """Which products of a type hold a layer."""

    MAIN = "all, which would not be products without it"
    ALWAYS = "all"
    SOMETIMES = "those that were ordered so, or made by later versions of the processor"


class Style(Enum):
    """How a layer is shown on a map; masks are shown by their flags."""

    SEQUENTIAL = "from low to high"
    FROM_ZERO = "from 0 upward"
    GRAY = "gray from limit to limit"
    BACKSCATTER = "gray levels that are even in decibels"
    TERRAIN = "colors of heights"
    CYCLIC = "colors of a circle from limit to limit"
    TOWARD = "symmetric around 0, red for motion toward the sensor or up"
    AWAY = "symmetric around 0, red for values below it"
    COMPONENTS = "numbered areas, 0 for none"


MASK_FILL = 255
"""Missing data in stacked masks (uint8)."""

_REALS = frozenset({"float32", "float64"})
_INTEGERS = frozenset({"uint8", "int16", "uint16", "int32", "uint32"})


@dataclass(frozen=True)
class Layer:
    """One layer of a product type."""

    name: str  # suffix of the file, without underscore and extension
    kind: LayerKind  # decides how the layer is resampled and averaged
    units: str  # UDUNITS text; empty for class numbers
    long_name: str  # one line for people
    # Measurement, statement on the quality of measurements, or what helps to use them.
    role: Role = Role.AUXILIARY
    # True where the layer describes the ground or the viewing geometry and is kept once.
    static: bool = False
    # Value in HyP3's files that means no data; None where every stored value is data or the file
    # itself says (backscatter, by its scale).
    missing: float | None = 0.0
    # Values that are data also where a file declares them as missing, as HyP3's own do.
    never_missing: frozenset[float] = frozenset()
    # Whether files may hold whole numbers of a quantity: heights in whole meters.
    is_whole: bool = False
    is_backscatter: bool = False  # whether values are backscatter, in one of three scales
    # Least and largest value that the quantity can have, in its units; backscatter as power.
    limits: tuple[float, float] = (-math.inf, math.inf)
    delivery: Delivery = Delivery.SOMETIMES  # which products of the type hold it
    order_options: tuple[str, ...] = ()  # options of an order, each of which surely adds it
    computed_from: str | None = None  # layer that it is computed from where a product lacks it
    style: Style = Style.SEQUENTIAL  # how it is shown
    # What it is in a few words, as lists of layers have room for; None for the ``long_name``, empty
    # where the name says it.
    title: str | None = None
    # Further attributes of the stack variable.
    attributes: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def variable(self) -> str:
        """Name in the stack."""
        return f"{self.name}_backscatter" if self.is_backscatter else self.name

    @property
    def is_mask(self) -> bool:
        """Whether values are class numbers, kept as uint8."""
        return self.kind is LayerKind.CATEGORICAL

    @property
    def is_positive(self) -> bool:
        """Whether the quantity is never below 0."""
        return self.limits[0] >= 0.0

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


# Layers that the code knows what to do with; of all others, it knows what their rows say.
UNWRAPPED_PHASE = "unw_phase"
COHERENCE = "corr"
LOS_DISPLACEMENT = "los_disp"
VERTICAL_DISPLACEMENT = "vert_disp"
COMPONENTS = "conncomp"
LOOK_ELEVATION, LOOK_AZIMUTH = "lv_theta", "lv_phi"
ELLIPSOIDAL_INCIDENCE = "inc_map_ell"
WATER_MASK = "water_mask"
HEIGHTS = "dem"
LAYOVER_SHADOW = "ls_map"

_RIGHT_ANGLE = math.pi / 2.0

_WITHOUT_GROUND = {"flat_earth_phase_removed": "true", "topographic_phase_removed": "true"}

_INSAR = (
    Layer(
        UNWRAPPED_PHASE,
        LayerKind.UNWRAPPED,
        "radian",
        "unwrapped interferometric phase",
        title="unwrapped phase",
        role=Role.MEASUREMENT,
        limits=(-1e5, 1e5),
        delivery=Delivery.MAIN,
        style=Style.AWAY,
        attributes={
            "comment": "positive for motion away from the sensor between reference and secondary "
            "acquisition; relative to the reference point of the pair",
            "component": "line of sight",
            **_WITHOUT_GROUND,
        },
    ),
    Layer(
        COHERENCE,
        LayerKind.CONTINUOUS,
        "1",
        "interferometric coherence",
        title="coherence",
        role=Role.QUALITY,
        limits=(0.0, 1.0),
        delivery=Delivery.MAIN,
        style=Style.GRAY,
        attributes={"valid_range": [0.0, 1.0]},
    ),
    Layer(
        "amp",
        LayerKind.CONTINUOUS,
        "1",
        "sigma nought power of the reference acquisition",
        title="radar image",
        role=Role.MEASUREMENT,
        limits=(0.0, math.inf),
        delivery=Delivery.ALWAYS,
        style=Style.BACKSCATTER,
        attributes={"comment": "linear power, geocoded, not terrain flattened"},
    ),
    Layer(
        "wrapped_phase",
        LayerKind.CYCLIC,
        "radian",
        "wrapped interferometric phase",
        title="wrapped phase",
        role=Role.MEASUREMENT,
        limits=(-math.pi, math.pi),
        order_options=("include_wrapped_phase",),
        style=Style.CYCLIC,
        attributes={"comment": "in (-pi, pi]", **_WITHOUT_GROUND},
    ),
    Layer(
        LOS_DISPLACEMENT,
        LayerKind.UNWRAPPED,
        "m",
        "line-of-sight displacement",
        role=Role.MEASUREMENT,
        limits=(-1e3, 1e3),
        order_options=("include_displacement_maps", "include_los_displacement"),
        computed_from=UNWRAPPED_PHASE,
        style=Style.TOWARD,
        attributes={"comment": "positive toward the sensor", "component": "line of sight"},
    ),
    Layer(
        VERTICAL_DISPLACEMENT,
        LayerKind.UNWRAPPED,
        "m",
        "vertical displacement, assuming no horizontal motion",
        title="vertical displacement",
        role=Role.MEASUREMENT,
        limits=(-1e3, 1e3),
        order_options=("include_displacement_maps",),
        style=Style.TOWARD,
        attributes={"comment": "positive up", "component": "vertical"},
    ),
    Layer(
        COMPONENTS,
        LayerKind.CATEGORICAL,
        "1",
        "connected component of phase unwrapping",
        role=Role.QUALITY,
        missing=None,
        never_missing=frozenset({0.0}),
        delivery=Delivery.ALWAYS,
        style=Style.COMPONENTS,
        attributes={"comment": "0: in no component"},
    ),
    Layer(
        LOOK_ELEVATION,
        LayerKind.CONTINUOUS,
        "radian",
        "look vector elevation angle",
        static=True,
        limits=(-_RIGHT_ANGLE, _RIGHT_ANGLE),
        order_options=("include_look_vectors",),
        attributes={
            "comment": "elevation of the line from ground to sensor above the horizon",
            "ellipsoidal_incidence_angle": f"pi / 2 - {LOOK_ELEVATION}",
        },
    ),
    Layer(
        LOOK_AZIMUTH,
        LayerKind.CYCLIC,
        "radian",
        "look vector orientation angle",
        static=True,
        limits=(-math.pi, math.pi),
        order_options=("include_look_vectors",),
        attributes={
            "comment": "azimuth of the line from ground to sensor, counterclockwise from true east",
            "sensor_azimuth_angle": f"pi / 2 - {LOOK_AZIMUTH}, clockwise from true north",
        },
    ),
    Layer(
        "inc_map",
        LayerKind.CONTINUOUS,
        "radian",
        "local incidence angle",
        static=True,
        limits=(0.0, math.pi),
        order_options=("include_inc_map",),
        attributes={
            "standard_name": "angle_of_incidence",
            "comment": "between the line to the sensor and the normal of the terrain",
        },
    ),
    Layer(
        ELLIPSOIDAL_INCIDENCE,
        LayerKind.CONTINUOUS,
        "radian",
        "ellipsoidal incidence angle",
        static=True,
        limits=(0.0, _RIGHT_ANGLE),
        computed_from=LOOK_ELEVATION,
        attributes={
            "standard_name": "angle_of_incidence",
            "comment": "between the line to the sensor and the normal of the ellipsoid",
        },
    ),
    Layer(
        HEIGHTS,
        LayerKind.CONTINUOUS,
        "m",
        "height above the WGS 84 ellipsoid",
        title="ellipsoidal height",
        static=True,
        is_whole=True,
        limits=(-1_000.0, 9_500.0),
        order_options=("include_dem",),
        style=Style.TERRAIN,
        attributes={"standard_name": "height_above_reference_ellipsoid"},
    ),
    Layer(
        WATER_MASK,
        LayerKind.CATEGORICAL,
        "1",
        "water mask",
        static=True,
        missing=float(MASK_FILL),
        never_missing=frozenset({0.0}),
        attributes={"flag_values": [0, 1], "flag_meanings": "water land"},
    ),
)

_IN_ISCE: dict[str, dict[str, Any]] = {
    COHERENCE: {
        "long_name": "interferometric coherence, from the filtered phase",
        "attributes": {
            "valid_range": [0.0, 1.0],
            "comment": "estimated from the noise of the filtered phase, so not comparable with "
            "the coherence of products made by GAMMA",
        },
    },
    "amp": {
        "long_name": "amplitude of the interferogram",
        "delivery": Delivery.SOMETIMES,
        "attributes": {"comment": "not calibrated"},
    },
    **dict.fromkeys(
        ("wrapped_phase", LOOK_ELEVATION, LOOK_AZIMUTH, HEIGHTS), {"delivery": Delivery.ALWAYS}
    ),
}
"""What layers of the same name are in products made by ISCE2."""


def _backscatter(polarization: str) -> Layer:
    return Layer(
        polarization,
        LayerKind.CONTINUOUS,
        "1",
        f"radar backscatter, {polarization}",
        title="",
        role=Role.MEASUREMENT,
        missing=None,
        is_backscatter=True,
        limits=(0.0, math.inf),
        delivery=Delivery.MAIN,
        style=Style.BACKSCATTER,
        attributes={
            "standard_name": "surface_backwards_scattering_coefficient_of_radar_wave",
            "polarization": polarization,
        },
    )


_RTC = (
    *(_backscatter(polarization) for polarization in ("VV", "VH", "HH", "HV")),
    Layer(
        LAYOVER_SHADOW,
        LayerKind.CATEGORICAL,
        "1",
        "layover and shadow",
        role=Role.QUALITY,
        delivery=Delivery.ALWAYS,
        attributes={
            "flag_masks": [1, 2, 4, 8, 16],
            "flag_meanings": "tested look_angle_less_than_slope layover "
            "look_angle_less_than_opposite_slope shadow",
        },
    ),
    *(replace(layer, missing=None) for layer in _INSAR if layer.name == HEIGHTS),
    Layer(
        "inc_map",
        LayerKind.CONTINUOUS,
        "radian",
        "local incidence angle",
        limits=(0.0, math.pi),
        order_options=("include_inc_map",),
        attributes={"standard_name": "angle_of_incidence"},
    ),
    Layer(
        "area",
        LayerKind.CONTINUOUS,
        "m2",
        "scattering area of gamma nought",
        title="scattering area",
        limits=(0.0, math.inf),
        order_options=("include_scattering_area",),
    ),
)

SOURCE_FRAME = Layer(
    "source_frame",
    LayerKind.CATEGORICAL,
    "1",
    "frame of the pass that a pixel comes from",
    role=Role.QUALITY,
    missing=None,
    attributes={
        "comment": "0 for the first frame of the pass in time, 1 for the next; where frames "
        "overlap, the one whose center is nearest among those with backscatter"
    },
)
"""Not a layer of products: it is made where the frames of a pass are merged."""

GAMMA_LAYERS = {layer.name: layer for layer in _INSAR if layer.name != COMPONENTS}
ISCE_LAYERS = {layer.name: replace(layer, **_IN_ISCE.get(layer.name, {})) for layer in _INSAR}
RTC_LAYERS = {layer.name: layer for layer in _RTC}
"""Stackable layers of the products of each processor, in the order in which they are stacked."""
