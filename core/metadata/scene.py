"""Scalars of the whole scene: the radar's wave and the direction in which it looks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from ..grid.lattice import to_longitude_latitude
from ..grid.placement import Placement, Treatment
from ..pixels.geometry import incidence_angle, look_angles, look_vector
from ..pixels.values import ValueReader, is_available
from ..products.layers import LOOK_AZIMUTH, LOOK_ELEVATION
from ..products.sentinel1 import CENTER_FREQUENCY, WAVELENGTH
from . import variables

if TYPE_CHECKING:
    from ..pixels.source import StackSource

_MOST_PRODUCTS = 5
_ROWS = (0.5, 0.25, 0.75)


@dataclass(frozen=True)
class _Look:
    """Angles at a pixel, as ``lv_theta`` and ``lv_phi``, and what they are from."""

    x: float
    y: float
    elevation: float
    azimuth: float
    source: str
    incidences: tuple[float, float] | None = None


def wave_variables() -> dict[str, xr.Variable]:
    """Return wavelength and frequency of the radar."""
    return {
        "radiation_wavelength": variables.numbers(
            (),
            WAVELENGTH,
            "wavelength of the radar",
            "m",
            standard_name="radiation_wavelength",
            comment="speed of light over radar_frequency, as rounded by HyP3",
        ),
        "radar_frequency": variables.numbers(
            (),
            CENTER_FREQUENCY,
            "center frequency of the radar",
            "Hz",
            standard_name="radiation_frequency",
            comment="from the annotation of Sentinel-1 products",
        ),
    }


def look_variables(source: StackSource, has_grids: bool = False) -> dict[str, xr.Variable]:
    """Return the look vector in the center of the scene.

    Parameters
    ----------
    source
        An interferogram stack; one product is read for its angles.
    has_grids
        Whether the stack has look vectors for all pixels, which take the names of that in the
        center; the latter begins with ``scene_center_`` then.

    Returns
    -------
    dict of Variable
        ``look_vector_x``, ``_y``, ``_z`` (sensor to ground, Earth-centered, Earth-fixed), its
        position, the incidence angle there, and those at the edges where look vectors give them.
        Empty where neither look vectors nor heading and distances are delivered.
    """
    look = _from_layers(source) or _from_parameters(source)
    if look is None:
        return {}
    longitude, latitude = to_longitude_latitude(source.grid).transform(look.x, look.y)
    comment = (
        f"unit vector from sensor to ground, Earth-centered, Earth-fixed, from {look.source}; "
        "at scene_center_longitude, scene_center_latitude"
    )
    vector = look_vector(longitude, latitude, look.elevation, look.azimuth)
    result = {
        f"{'scene_center_' if has_grids else ''}look_vector_{axis}": variables.numbers(
            (), value, f"{axis} component of the look vector", "1", comment=comment
        )
        for axis, value in zip("xyz", vector, strict=True)
    }
    result["scene_center_longitude"] = variables.numbers(
        (), float(longitude), "longitude of the scene center (WGS 84)", "degree"
    )
    result["scene_center_latitude"] = variables.numbers(
        (), float(latitude), "latitude of the scene center (WGS 84)", "degree"
    )
    result["incidence_center"] = variables.numbers(
        (),
        90.0 - math.degrees(look.elevation),
        "ellipsoidal incidence angle in the scene center",
        "degree",
        standard_name="angle_of_incidence",
        comment=f"from {look.source}; at scene_center_longitude, scene_center_latitude",
    )
    if look.incidences is not None:
        for edge, value in zip(("near", "far"), look.incidences, strict=True):
            result[f"incidence_{edge}"] = variables.numbers(
                (),
                value,
                f"ellipsoidal incidence angle at the {edge} edge",
                "degree",
                standard_name="angle_of_incidence",
                comment=f"extreme of pi / 2 - lv_theta along three rows of {look.source}",
            )
    return result


def _from_layers(source: StackSource) -> _Look | None:
    theta, phi = (
        source.placements[0].product.type.layers.get(name)
        for name in (LOOK_ELEVATION, LOOK_AZIMUTH)
    )
    if theta is None or phi is None:
        return None
    having = [
        item
        for item in source.placements
        if item.kept_step is None and is_available(item, theta) and is_available(item, phi)
    ]
    having.sort(key=lambda item: item.treatment is Treatment.WARP)
    columns = slice(0, source.grid.width)
    for placement in having[:_MOST_PRODUCTS]:
        with (
            ValueReader(placement, theta, source.grid, source.options.exact) as thetas,
            ValueReader(placement, phi, source.grid, source.options.exact) as phis,
        ):
            found, incidences = None, []
            for share in _ROWS:
                row = _row(source, placement, share)
                rows = slice(row, row + 1)
                elevation = thetas.read(rows, columns)[0]
                valid = np.flatnonzero(~np.isnan(elevation))
                if not valid.size:
                    continue
                incidences += [90 - math.degrees(float(elevation[valid].max()))]
                incidences += [90 - math.degrees(float(elevation[valid].min()))]
                if found is None:
                    column = int(valid[np.abs(valid - source.grid.width / 2).argmin()])
                    azimuth = float(phis.read(rows, slice(column, column + 1))[0, 0])
                    if not math.isnan(azimuth):
                        found = (row, column, float(elevation[column]), azimuth)
            if found is not None:
                row, column, angle, azimuth = found
                return _Look(
                    float(source.grid.x[column]),
                    float(source.grid.y[row]),
                    angle,
                    azimuth,
                    f"lv_theta and lv_phi of {placement.product}",
                    (min(incidences), max(incidences)),
                )
    return None


def _row(source: StackSource, placement: Placement, share: float) -> int:
    _, bottom, _, top = placement.bounds
    _, lowest, _, highest = source.grid.bounds
    bottom, top = max(bottom, lowest), min(top, highest)
    row = int((source.grid.top - top + share * (top - bottom)) / source.grid.spacing)
    return min(max(row, 0), source.grid.height - 1)


def _from_parameters(source: StackSource) -> _Look | None:
    """Use heading and distances; ISCE products carry constants instead of the latter."""
    for placement in source.placements:
        product = placement.product
        values = [
            product.number(name)
            for name in ("heading", "earth_radius", "spacecraft_height", "slant_range_center")
        ]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            continue
        heading, radius, height, distance = known
        incidence = incidence_angle(radius, height, distance)
        if incidence is None:
            continue
        left, bottom, right, top = source.grid.bounds
        return _Look(
            (left + right) / 2,
            (bottom + top) / 2,
            *look_angles(heading, incidence),
            f"heading and slant range of {product}",
        )
    return None
