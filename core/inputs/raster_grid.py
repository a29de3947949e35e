"""The grid of a raster: where it lies, and whether that makes sense."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from affine import Affine
from pyproj import CRS, Geod, Transformer

from .crs import crs_text, epsg_of, is_metric, parsed, title

if TYPE_CHECKING:
    # It takes long to load, and grids of stacks that are written need none of it.
    import rasterio

GEOGRAPHIC = "EPSG:4326"

_EARTH = Geod(ellps="WGS84")

_LONGEST = 5e6
"""Meters; no raster is longer. A swath of Sentinel-1 is 410 km wide at most, the products of a path
on one grid may be some thousand long."""

_FARTHEST = 2e6
"""Meters from the area of use of a CRS in which the middle of a raster may lie: HyP3's products
overrun their zones, and those of a neighboring zone are put on their grid."""

_SKEW = 1e-3
"""Pixels by which the last row or column may lie off where square pixels would have it."""


@dataclass(frozen=True)
class Raster:
    """Size and position of rasters: north up, square pixels."""

    epsg: int | None  # code of the CRS; None for a CRS without one
    # Outer corner of the upper left pixel, in units of the CRS.
    left: float
    top: float
    spacing: float  # width and height of a pixel, in units of the CRS
    # Number of columns and rows.
    width: int
    height: int
    wkt: str = ""  # the CRS; may be empty where it has a code

    @property
    def crs(self) -> str:
        """Authority code where there is one, else WKT."""
        return crs_text(self.epsg, self.wkt)

    @property
    def is_metric(self) -> bool:
        """Whether coordinates are meters on a map, not degrees or feet."""
        return _is_metric(self.crs)

    @property
    def transform(self) -> Affine:
        """Pixel corner (column, row) to map coordinates."""
        return Affine(self.spacing, 0.0, self.left, 0.0, -self.spacing, self.top)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        return (
            self.left,
            self.top - self.height * self.spacing,
            self.left + self.width * self.spacing,
            self.top,
        )

    @property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of the middle, in degrees; not finite where it has none."""
        left, bottom, right, top = self.bounds
        longitude, latitude = to_geographic(self.crs).transform(
            (left + right) / 2, (bottom + top) / 2
        )
        return float(longitude), float(latitude)


@functools.lru_cache(maxsize=64)
def to_geographic(crs: str) -> Transformer:
    """Return the way from a map to longitude and latitude, which takes milliseconds to make."""
    return Transformer.from_crs(crs, GEOGRAPHIC, always_xy=True)


@functools.lru_cache(maxsize=64)
def _is_metric(crs: str) -> bool:
    return is_metric(parsed(crs))


def raster_of(dataset: rasterio.DatasetReader) -> Raster | str:
    """Return the grid of an open file, or what is wrong with it and helps (a clause).

    Raises
    ------
    pyproj.exceptions.ProjError
        If PROJ does not know its CRS, or cannot read its own database.
    """
    transform = dataset.transform
    epsg, wkt = _crs_of("" if dataset.crs is None else dataset.crs.to_wkt())
    if epsg is None and not wkt:
        return (
            "has no coordinate reference system of the Earth; retrieve the product again, or "
            "assign the one that it lies in"
        )
    if not all(map(math.isfinite, transform[:6])):
        return "has no position, but numbers that are not finite; retrieve the product again"
    if transform == Affine.identity():
        return "has no position on the map; retrieve the product again"
    if transform.b or transform.d:
        return f"is a rotated raster, {_NOT_NORTH_UP}"
    if transform.a <= 0:
        return f"has columns that run from east to west, {_NOT_NORTH_UP}"
    if transform.e >= 0:
        return f"has rows that run from south to north, {_NOT_NORTH_UP}"
    longest = max(dataset.width, dataset.height)
    if abs(transform.a + transform.e) * longest > _SKEW * transform.a:
        return (
            f"has pixels that are not square ({transform.a:g} x {-transform.e:g}), {_NOT_NORTH_UP}"
        )
    return Raster(
        epsg,
        transform.c,
        transform.f,
        transform.a,
        dataset.width,
        dataset.height,
        "" if epsg is not None else wkt,
    )


_NOT_NORTH_UP = (
    "not a north-up raster with square pixels; use the product as HyP3 delivered it, and cut the "
    "result by EXTENT where it was clipped"
)


@functools.lru_cache(maxsize=64)
def _crs_of(wkt: str) -> tuple[int | None, str]:
    """Return code and WKT of a map's CRS; neither where there is none."""
    if not wkt:
        return None, ""
    crs = CRS.from_wkt(wkt)
    if crs.is_compound:  # with heights, which a map does not have
        crs = crs.sub_crs_list[0]
    if not (crs.is_projected or crs.is_geographic):
        return None, ""
    crs = crs.to_2d()
    return epsg_of(crs), crs.to_wkt()


def misplaced(raster: Raster, spacing: float) -> str | None:
    """Return what is wrong with the place or the size of a raster (a clause), else None.

    Parameters
    ----------
    spacing
        Pixel spacing that the product has by its name, in meters.
    """
    is_metric = raster.is_metric
    if max(raster.width, raster.height) * (raster.spacing if is_metric else spacing) > _LONGEST:
        return (
            f"claims {raster.width:,} x {raster.height:,} pixels, far more than an image of "
            "Sentinel-1 has; retrieve the product again"
        )
    longitude, latitude = raster.middle
    is_there = _makes_sense(raster, longitude, latitude)
    # Pixels of a raster elsewhere have a size only where that is written in meters.
    if is_metric or is_there:
        pixel = raster.spacing if is_metric else _ground(raster)
        most = _RESAMPLED if is_metric else _REPROJECTED
        if not spacing / most <= pixel <= spacing * most:
            return (
                f"has pixels of {pixel:.3g} m in {title(raster.crs)}, but by its name of "
                f"{spacing:g} m; use the product as HyP3 delivered it"
            )
    if not is_there:
        return (
            f"lies where {title(raster.crs)} has no place (upper left corner {raster.left:.10g}, "
            f"{raster.top:.10g}); retrieve the product again"
        )
    return None


_RESAMPLED, _REPROJECTED = 50.0, 1.9
"""Factor by which pixels may differ from the spacing in a product's name: where they are meters,
which a stack takes as they are, and where they are warped to that spacing (pixels that are square
in degrees are larger near the poles)."""


def _makes_sense(raster: Raster, longitude: float, latitude: float) -> bool:
    """Return whether the CRS is meant for the place of a raster."""
    if not (abs(longitude) <= 360.0 and abs(latitude) <= 90.0):  # nor where they are not finite
        return False
    left, bottom, right, top = raster.bounds
    x, y = (left + right) / 2, (bottom + top) / 2
    back = to_geographic(raster.crs).transform(longitude, latitude, direction="INVERSE")
    if not math.hypot(back[0] - x, back[1] - y) <= raster.spacing:
        return False
    area = _area_of_use(raster.crs)
    if area is None:
        return True
    west, south, east, north = area
    width = east - west + (360.0 if west > east else 0.0)
    beyond = (longitude - west) % 360.0
    if beyond <= width:
        nearest = longitude
    else:
        nearest = east if beyond - width < 360.0 - beyond else west
    parallel = min(max(latitude, south), north)
    return float(_EARTH.inv(longitude, latitude, nearest, parallel)[2]) <= _FARTHEST


@functools.lru_cache(maxsize=64)
def _area_of_use(crs: str) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of where a CRS is meant to be used; None if unknown."""
    area = parsed(crs).area_of_use
    return None if area is None else area.bounds


def _ground(raster: Raster) -> float:
    """Return the side of a square of the area of the middle pixel on the ground, in meters."""
    left, bottom, right, top = raster.bounds
    x, y, half = (left + right) / 2, (bottom + top) / 2, raster.spacing / 2
    longitudes, latitudes = to_geographic(raster.crs).transform(
        [x - half, x + half, x, x], [y, y, y - half, y + half]
    )
    distances = _EARTH.inv(longitudes[::2], latitudes[::2], longitudes[1::2], latitudes[1::2])[2]
    return math.sqrt(float(distances[0]) * float(distances[1]))


def compared(raster: Raster, other: Raster) -> str:
    """Return how a raster differs from that of another layer, and what helps (a clause)."""
    if raster.crs != other.crs:
        return (
            f"was put into {title(raster.crs)}, the other lies in {title(other.crs)}; put all its "
            "layers into one, or use them as HyP3 delivered them, which are warped to TARGET_CRS"
        )
    if not math.isclose(raster.spacing, other.spacing, rel_tol=1e-9):
        return (
            f"was resampled (pixels of {raster.spacing:g}, not {other.spacing:g}); resample all "
            "its layers alike, or use them as HyP3 delivered them"
        )
    sizes = [
        f"{one.width} x {one.height} pixels from {one.left:.10g}, {one.top:.10g}"
        for one in (raster, other)
    ]
    if (raster.width, raster.height) == (other.width, other.height):
        return f"was moved ({sizes[0]}, not {sizes[1]}); use the layers as HyP3 delivered them"
    return (
        f"was clipped or filled up ({sizes[0]}, not {sizes[1]}); clip all its layers alike, or use "
        "them as HyP3 delivered them and cut the result by EXTENT"
    )
