"""Own checks of the grid of a stack: coordinates, coordinate reference system, GeoZarr."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pyproj import CRS
from pyproj.exceptions import CRSError

from ..files.written_stack import WrittenStack

_NEAR = 1e-3
"""Largest deviation of a coordinate, in pixels."""


def coordinates(stack: WrittenStack) -> Iterator[str]:
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


def crs(stack: WrittenStack) -> Iterator[str]:
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
                for key, value in stack.raw[mapping].attrs.items()
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


def geozarr(stack: WrittenStack) -> Iterator[str]:
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
