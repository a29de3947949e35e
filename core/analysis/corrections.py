"""The corrections of an inversion in their order: each is found, taken off, and kept as a layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..products.layers import HEIGHTS, LOOK_ELEVATION
from .date_corrections import Surfaces
from .height_error import HeightErrorFit, range_times_sine
from .pair_selection import PairSelection

Numbers = NDArray[np.float64]

TROPOSPHERE, RAMP, DEM = "troposphere_correction", "ramp_correction", "dem_error_correction"
"""Layers of shape (N, rows, columns), meters; the displacement is less each of them."""

DEM_ERROR = "dem_error"
"""Meters by which the elevation model is too low."""


@dataclass(frozen=True)
class Places:
    """Where pixels are."""

    # In the grid of what is inverted; shape (pixels,).
    row: Numbers
    column: Numbers
    # Meters above the ellipsoid, NaN where not known; shape (pixels,), None where no correction
    # needs it.
    height: Numbers | None = None
    # Slant range times sine of the incidence angle, meters; likewise.
    distance: Numbers | None = None

    def part(self, pixels: slice | NDArray[np.intp]) -> Places:
        """Return some of them."""
        return Places(
            self.row[pixels],
            self.column[pixels],
            None if self.height is None else self.height[pixels],
            None if self.distance is None else self.distance[pixels],
        )


@dataclass(frozen=True)
class Corrections:
    """What is taken off the displacement; can be pickled."""

    delays: Surfaces | None = None  # delays that go with height, by date; None for none
    ramps: Surfaces | None = None  # planes or quadratic surfaces, by date; None for none
    height_error: HeightErrorFit | None = None  # finds the residual height of pixels; None for none
    # Radius of the Earth and height of the satellite in meters, where ``height_error`` is given.
    orbit: tuple[float, float] = (0.0, 0.0)

    def places(self, selection: PairSelection, rows: slice, columns: slice) -> Places | None:
        """Return what the corrections need to know of a block; None where there are none."""
        if not self.names:
            return None
        row, column = np.mgrid[rows, columns].astype(float).reshape(2, -1)
        height = distance = None
        if self.delays is not None:
            height = selection.geometry(HEIGHTS, rows, columns).astype(float).ravel()
        if self.height_error is not None:
            elevation = selection.geometry(LOOK_ELEVATION, rows, columns).astype(float).ravel()
            distance = range_times_sine(np.pi / 2 - elevation, *self.orbit)
        return Places(row, column, height, distance)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers that :meth:`take_off` returns, in its order."""
        wanted = (
            (TROPOSPHERE, self.delays),
            (RAMP, self.ramps),
            (DEM, self.height_error),
            (DEM_ERROR, self.height_error),
        )
        return tuple(name for name, correction in wanted if correction is not None)

    def take_off(self, series: Numbers, places: Places) -> dict[str, Numbers]:
        """Take all corrections off and return them.

        Parameters
        ----------
        series
            Displacement in meters, shape (N, pixels); changed in place. Where the height is not
            known it becomes NaN, as a correction that is missing would show as a step in the map.
        """
        found: dict[str, Numbers] = {}
        if self.delays is not None and places.height is not None:
            found[TROPOSPHERE] = self.delays(places.height)
            series -= found[TROPOSPHERE]
        if self.ramps is not None:
            found[RAMP] = self.ramps(places.row, places.column)
            series -= found[RAMP]
        if self.height_error is not None and places.distance is not None:
            errors = self.height_error.find(series, places.distance)
            found |= {DEM: errors.correction, DEM_ERROR: errors.height}
            series -= errors.correction
        return found


NO_CORRECTIONS = Corrections()
