"""Grids on a lattice of pixel edges, in whole pixels wherever possible."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from ..inputs.crs import epsg_of
from ..inputs.raster_grid import Raster

TOLERANCE = 1e-3
"""Positions closer than this many pixels are the same; HyP3 writes whole or half meters."""


@dataclass(frozen=True)
class Lattice:
    """Positions that pixel edges may take.

    The native lattices differ: edges of GAMMA interferograms lie half a pixel off the multiples of
    the spacing (their pixel centers lie on them), edges of ISCE and RTC products on the multiples.
    Snapping to multiples, as ``gdalwarp -tap`` does, would shift the former by half a pixel.
    """

    spacing: float  # distance between edges in meters
    # Position of one vertical and one horizontal edge modulo ``spacing``, in meters.
    x_phase: float
    y_phase: float

    @classmethod
    def of(cls, raster: Raster) -> Lattice:
        """Return the lattice that a raster lies on."""
        return cls(
            raster.spacing, _phase(raster.left, raster.spacing), _phase(raster.top, raster.spacing)
        )

    def holds(self, raster: Raster) -> bool:
        """Return whether a raster's pixel edges lie on the lattice (its CRS is not compared)."""
        if not math.isclose(raster.spacing, self.spacing, rel_tol=1e-9):
            return False
        offsets = (
            (raster.left - self.x_phase) / self.spacing,
            (raster.top - self.y_phase) / self.spacing,
        )
        return all(abs(offset - round(offset)) < TOLERANCE for offset in offsets)

    def outward(self, bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """Return the smallest range of lattice lines around left, bottom, right, top."""
        left, bottom, right, top = self._lines(bounds)
        return (
            math.floor(left + TOLERANCE),
            math.floor(bottom + TOLERANCE),
            math.ceil(right - TOLERANCE),
            math.ceil(top - TOLERANCE),
        )

    def inward(self, bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """Return the largest range of lattice lines inside left, bottom, right, top."""
        left, bottom, right, top = self._lines(bounds)
        return (
            math.ceil(left - TOLERANCE),
            math.ceil(bottom - TOLERANCE),
            math.floor(right + TOLERANCE),
            math.floor(top + TOLERANCE),
        )

    def _lines(self, bounds: tuple[float, float, float, float]) -> tuple[float, ...]:
        left, bottom, right, top = bounds
        return (
            (left - self.x_phase) / self.spacing,
            (bottom - self.y_phase) / self.spacing,
            (right - self.x_phase) / self.spacing,
            (top - self.y_phase) / self.spacing,
        )

    def grid(self, epsg: int | None, wkt: str, lines: tuple[int, int, int, int]) -> Grid:
        """Return the grid between lattice lines left, bottom, right, top."""
        left, bottom, right, top = lines
        return Grid(
            epsg=epsg,
            wkt=wkt,
            left=self.x_phase + left * self.spacing,
            top=self.y_phase + top * self.spacing,
            spacing=self.spacing,
            width=right - left,
            height=top - bottom,
        )


class Grid(Raster):
    """The grid of a stack, in meters; its CRS is written out also where it has a code."""

    @classmethod
    def of_mapping(cls, attributes: Mapping[str, Any], sizes: Mapping[Any, int]) -> Grid:
        """Return the grid that a grid mapping describes, given the sizes of its ``x`` and ``y``.

        Raises
        ------
        KeyError, ValueError, CRSError
            If it does not, in the way in which stacks do.
        """
        crs = CRS.from_wkt(attributes["crs_wkt"])
        left, spacing, _, top, _, _ = map(float, attributes["GeoTransform"].split())
        return cls(epsg_of(crs), left, top, spacing, sizes["x"], sizes["y"], crs.to_wkt())

    @property
    def x(self) -> NDArray[np.float64]:
        """Eastings of the pixel centers, ascending, shape (width,)."""
        return self.left + self.spacing * (np.arange(self.width, dtype="float64") + 0.5)

    @property
    def y(self) -> NDArray[np.float64]:
        """Northings of the pixel centers, descending, shape (height,)."""
        return self.top - self.spacing * (np.arange(self.height, dtype="float64") + 0.5)


def _phase(position: float, spacing: float) -> float:
    """Return the position modulo the spacing, 0 where rounding would give nearly one spacing."""
    phase = position % spacing
    return 0.0 if spacing - phase < TOLERANCE * spacing else phase


@functools.lru_cache(maxsize=16)
def to_longitude_latitude(grid: Grid) -> Transformer:
    """Return the way from a grid to WGS 84, longitude first, which takes milliseconds to make."""
    return Transformer.from_crs(grid.crs, "OGC:CRS84", always_xy=True)
