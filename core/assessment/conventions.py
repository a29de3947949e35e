"""Own checks of what CF 1.11, ACDD 1.3, GeoZarr and the layout of HyP3 Stack ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..contract import DECIBEL
from ..files.written_stack import TEXT_KINDS, TIME_UNITS, WrittenStack
from ..pixels.masks import MASK_NAMES
from ..products.product_types import PRODUCT_TYPES
from . import agreement, plausibility
from .verdict import NUMBERINGS

_NEAR = 1e-3
"""Largest deviation of a coordinate, in pixels."""


def _coordinates(stack: WrittenStack) -> Iterator[str]:
    """Yield where the coordinates are not the pixel centers of the stated grid."""
    for axis in "xy":
        values = stack.values(axis)
        if values is None:
            yield f"the coordinate {axis} is missing"
            continue
        if stack.text("standard_name", axis) != f"projection_{axis}_coordinate":
            yield f"{axis} is not declared as a projection coordinate"
        step = 1 if axis == "x" else -1
        differences = np.diff(values)
        if values.size > 1 and not np.allclose(differences, differences[0], rtol=0, atol=1e-6):
            yield f"{axis} is not evenly spaced"
        if values.size > 1 and not (differences * step > 0).all():
            yield f"{axis} runs the wrong way"
        yield from _against_transform(stack, axis, values)
        bounds = stack.values(stack.text("bounds", axis))
        if bounds is None or bounds.shape != (values.size, 2):
            yield f"{axis} has no bounds"
        elif not np.allclose(bounds.mean(axis=1), values, rtol=0, atol=1e-3):
            yield f"{axis} does not lie in the middle of its bounds"


def _against_transform(stack: WrittenStack, axis: str, values: np.ndarray) -> Iterator[str]:
    mapping = next((stack.text("grid_mapping", name) for name in stack.layers), "")
    try:
        left, width, _, top, _, height = map(float, stack.text("GeoTransform", mapping).split())
    except ValueError:
        yield "the grid mapping has no GeoTransform to compare with"
        return
    origin, step = (left, width) if axis == "x" else (top, height)
    if not step:
        yield f"the GeoTransform has no width of pixels along {axis}"
        return
    expected = origin + step * (np.arange(values.size) + 0.5)
    offset = float(np.abs(values - expected).max()) / abs(step)
    if not offset < _NEAR:
        yield f"{axis} lies up to {offset:.3g} pixels off the grid in GeoTransform"


def _crs(stack: WrittenStack) -> Iterator[str]:
    """Yield what the grid mapping lacks, and where its attributes and its WKT differ."""
    for name in stack.layers:
        mapping = stack.text("grid_mapping", name)
        if mapping not in stack.raw.variables:
            yield f"{name} names no grid mapping that exists"
            return
    mapping = stack.text("grid_mapping", stack.layers[0])
    kind = stack.text("grid_mapping_name", mapping)
    stated = stack.crs()
    if stated is None:
        yield f"{mapping} has no crs_wkt that can be read"
        return
    if not stated.is_projected:
        yield f"{mapping} is not a projected system"
    if not kind:
        # CF has no name for some projections, such as that of web maps.
        yield f"{mapping} has no grid_mapping_name"
        return
    try:
        from_attributes = CRS.from_cf(
            {
                key: value
                for key, value in stack.raw.variables[mapping].attrs.items()
                if key not in ("crs_wkt", "spatial_ref", "GeoTransform")
            }
        )
    except (CRSError, KeyError, ValueError, TypeError) as error:
        yield f"the CF parameters of {mapping} cannot be read ({error})"
        return
    one, other = stated.to_cf(), from_attributes.to_cf()
    for key, value in other.items():
        same = key in one and (
            np.allclose(one[key], value) if isinstance(value, (int, float)) else True
        )
        if not same:
            yield f"{key} of {mapping} differs from its WKT"


def _geozarr(stack: WrittenStack) -> Iterator[str]:
    """Yield where attributes of Zarr arrays differ from the coordinates."""
    x, y = stack.values("x"), stack.values("y")
    if x is None or y is None or min(x.size, y.size) < 2:
        return
    step = float(x[1] - x[0])
    expected = [step, 0.0, float(x[0]) - step / 2, 0.0, -step, float(y[0]) + step / 2]
    if stack.attribute("spatial:dimensions") is not None:
        yield "the group has spatial:dimensions, with which GDAL 3.13 crashes"
    for name in stack.layers:
        transform = stack.attribute("spatial:transform", name)
        if transform is None:
            yield f"{name} has no spatial:transform"
        elif not np.allclose(transform, expected, rtol=0, atol=1e-3):
            yield f"spatial:transform of {name} differs from the coordinates"
        if not stack.text("proj:wkt2", name):
            yield f"{name} has no proj:wkt2"
        if stack.attribute("_CRS", name) is None:
            yield f"{name} has no _CRS, which older versions of GDAL need"


_UNITS = {"1", "m", "m2", "radian", "degree", "day", "Hz", DECIBEL, "s"}
_ACDD = (
    "title summary keywords id naming_authority source processing_level history license "
    "acknowledgment creator_name project date_created geospatial_bounds geospatial_lat_min "
    "geospatial_lat_max geospatial_lon_min geospatial_lon_max time_coverage_start "
    "time_coverage_end platform instrument standard_name_vocabulary"
).split()
_MANTISSA_BITS = 23


_OF_SOURCES = ("macqid", "instru-sar", "acqpar")
_OF_ORBITS = ("orbit-insar", "orbit")
_OF_DOCUMENTS = ("pfsurl", "protype")


@dataclass(frozen=True)
class Check:
    """One check."""

    name: str  # what holds when it is passed
    problems: tuple[str, ...]  # what it found wrong; nothing when passed
    of_layers: bool = False  # whether it is of layers, else of the whole stack
    # Ids of the CEOS-ARD requirements that are not met where it is not passed.
    requirements: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check_conventions(stack: WrittenStack) -> list[Check]:
    """Check one dataset; each check looks at the whole of it."""
    return [
        Check(name, tuple(check(stack)), of_layers, requirements)
        for name, check, of_layers, requirements in _CHECKS
        if check is not _geozarr or stack.form == "Zarr"
    ]


def _declared(stack: WrittenStack) -> Iterator[str]:
    conventions = stack.text("Conventions")
    for name in ("CF-1.", "ACDD-1."):
        if name not in conventions:
            yield f"Conventions does not name {name}x"


def _discovery(stack: WrittenStack) -> Iterator[str]:
    for name in _ACDD:
        if stack.attribute(name) is None:
            yield f"the attribute {name} is missing"


def _names(stack: WrittenStack) -> Iterator[str]:
    bounds = {stack.text("bounds", str(name)) for name in stack.raw.variables}
    for name in map(str, stack.raw.variables):
        if name in bounds or stack.attribute("grid_mapping_name", name) is not None:
            continue
        if not stack.text("long_name", name) and not stack.text("standard_name", name):
            yield f"{name} has neither long_name nor standard_name"


def _units(stack: WrittenStack) -> Iterator[str]:
    for name in map(str, stack.raw.variables):
        if name in stack.layers or _needs_no_unit(stack, name):
            continue
        unit = stack.text("units", name)
        if not unit:
            yield f"{name} has no unit"
        elif unit not in _UNITS and not TIME_UNITS.match(unit):
            yield f"{name} is in {unit!r}, which is not a unit of the stack"


def _needs_no_unit(stack: WrittenStack, name: str) -> bool:
    variable = stack.raw.variables[name]
    return (
        variable.dtype.kind in TEXT_KINDS
        or name in NUMBERINGS
        or name.endswith("_bnds")
        or stack.attribute("grid_mapping_name", name) is not None
        or stack.attribute("flag_meanings", name) is not None
        or stack.attribute("algorithm", name) is not None
    )


def _times(stack: WrittenStack) -> Iterator[str]:
    for name in map(str, stack.raw.variables):
        if stack.text("standard_name", name) != "time":
            continue
        if not TIME_UNITS.match(stack.text("units", name)):
            yield f"{name} has no unit of time"
        if not stack.text("calendar", name):
            yield f"{name} has no calendar"
    bounds = stack.text("bounds", "time")
    if not bounds or bounds not in stack.raw.variables:
        yield "time has no bounds"


def _texts(stack: WrittenStack) -> Iterator[str]:
    for name, value in stack.raw.attrs.items():
        if isinstance(value, str) and not value.strip():
            yield f"the attribute {name} is empty"
    for name in map(str, stack.raw.variables):
        for key, value in stack.raw.variables[name].attrs.items():
            if isinstance(value, str) and not value.strip():
                yield f"the attribute {key} of {name} is empty"
        if stack.raw.variables[name].dtype.kind in TEXT_KINDS:
            values = stack.values(name)
            if values is not None and any(not item.strip() for item in np.ravel(values)):
                yield f"{name} holds empty text"


def _layer_attributes(stack: WrittenStack) -> Iterator[str]:
    for name in stack.layers:
        for key in ("units", "long_name", "grid_mapping"):
            if not stack.text(key, name):
                yield f"{name} has no {key}"
        if stack.text("units", name) not in ("", *_UNITS):
            yield f"{name} is in {stack.text('units', name)!r}, which is not a unit of the stack"


def _fill_values(stack: WrittenStack) -> Iterator[str]:
    for name in stack.layers:
        fill = stack.attribute("_FillValue", name)
        kind = stack.raw.variables[name].dtype.kind
        if fill is None:
            yield f"{name} has no fill value"
        elif kind == "f" and not np.isnan(stack.number("_FillValue", name) or 0.0):
            yield f"the fill value of {name} is {fill} instead of NaN"
        elif kind in "iu" and stack.number("_FillValue", name) != 255:
            yield f"the fill value of {name} is {fill} instead of 255"


_FLAGGED = {
    *MASK_NAMES,
    *(
        layer.variable
        for row in PRODUCT_TYPES.values()
        for layer in row.layers.values()
        if "flag_meanings" in layer.attributes
    ),
}
"""Layers whose values have no meaning without their flags."""


def _flags(stack: WrittenStack) -> Iterator[str]:
    for name in map(str, stack.raw.variables):
        meanings = stack.text("flag_meanings", name).split()
        values = stack.attribute("flag_values", name)
        masks = stack.attribute("flag_masks", name)
        given = values if values is not None else masks
        if not meanings and given is None:
            if name in _FLAGGED:
                yield f"{name} has no flag meanings"
            continue
        if given is None or np.size(given) != len(meanings):
            yield f"{name} has {len(meanings)} flag meanings for {np.size(given)} values"


def _rounding(stack: WrittenStack) -> Iterator[str]:
    for name in stack.layers:
        container = stack.text("quantization", name)
        if not container and stack.attribute("quantization_nsb", name) is None:
            continue
        bits = stack.number("quantization_nsb", name)
        if stack.raw.variables[name].dtype.kind != "f":
            yield f"{name} is rounded but holds no floating point numbers"
        if bits is None or not 1 <= bits <= _MANTISSA_BITS:
            yield f"{name} has no quantization_nsb from 1 to {_MANTISSA_BITS}"
        for key in ("algorithm", "implementation"):
            if not stack.text(key, container):
                yield f"the quantization of {name} has no {key}"


def _steps(stack: WrittenStack) -> Iterator[str]:
    times, bounds = stack.values("time"), stack.values(stack.text("bounds", "time"))
    if times is None or bounds is None or bounds.shape != (times.size, 2):
        yield "time and its bounds cannot be compared"
        return
    if not stack.is_insar:
        if not (np.diff(times) > 0).all():
            yield "time does not grow strictly"
        return
    if not np.allclose(bounds.mean(axis=1), times, rtol=0, atol=1.0):
        yield "time does not lie in the middle of its bounds"
    days = stack.values("temporal_baseline")
    if days is None or not np.allclose((bounds[:, 1] - bounds[:, 0]) / 86400, days, atol=1e-4):
        yield "temporal_baseline differs from the times of the pairs"
    numbers = stack.values("acquisition_time")
    for side, column in (("reference", 0), ("secondary", 1)):
        index = stack.values(f"{side}_acquisition")
        if index is None or numbers is None:
            yield f"{side}_acquisition is missing"
        elif not (
            ((index >= 1) & (index <= numbers.size)).all()
            and np.allclose(numbers[index.astype(int) - 1], bounds[:, column], rtol=0, atol=1.0)
        ):
            yield f"{side}_acquisition names other acquisitions than the times of the pairs"


_CHECKS: tuple[
    tuple[str, Callable[[WrittenStack], Iterator[str]], bool, tuple[str, ...]],
    ...,
] = (
    ("Conventions are declared", _declared, False, ()),
    ("Discovery attributes are there (ACDD)", _discovery, False, ()),
    ("Every variable says what it is", _names, False, ()),
    ("Every number has a unit", _units, False, ()),
    ("Times have units, calendar and bounds", _times, False, ()),
    ("Coordinates are pixel centers on the stated grid", _coordinates, False, ()),
    ("The coordinate reference system is complete", _crs, False, ()),
    ("No text is empty", _texts, False, ()),
    ("Layers have unit, description and grid mapping", _layer_attributes, True, ()),
    ("Layers have their fill value", _fill_values, True, ()),
    ("Flags have values and meanings", _flags, True, ()),
    ("Rounded layers say how they were rounded", _rounding, True, ()),
    ("Steps agree with their times", _steps, False, ()),
    ("Zarr attributes agree with the coordinates", _geozarr, False, ()),
    ("Numbers and layers are in their units", plausibility.units, False, ()),
    ("Acquisitions and pairs are counted right", agreement.counts, False, ("time-sar", "macqid")),
    ("Times of coverage are those of the data", agreement.coverage, False, ("time-sar",)),
    ("Steps are those of their products", agreement.steps, False, ("time-src",)),
    ("Acquisitions are those of their granules", agreement.sources, False, _OF_SOURCES),
    ("Passes fly where their heading says", agreement.directions, False, _OF_ORBITS),
    ("Extents are those of the coordinates", agreement.places, False, ("geoarea-sar",)),
    ("Ranges are those of the baselines", agreement.baselines, False, ("inspair",)),
    ("Numbers are those of HyP3's parameter files", agreement.records, False, ("inspair",)),
    ("Specification and product type are right", agreement.documents, False, _OF_DOCUMENTS),
    ("Numbers are possible for Sentinel-1", plausibility.limits, False, ("imgatt-sar",)),
    ("Flags along the steps have a meaning", plausibility.flags, False, ()),
    ("Look vectors have unit length", plausibility.vectors, False, ("rulvec",)),
)
"""What is asked, by whom it is answered, whether it is of layers, and requirements it decides."""
