"""The gridding convention of a stack: where its pixels lie, and which products had them there."""

from __future__ import annotations

from collections.abc import Sequence

from pyproj import CRS

from ..grid.lattice import TOLERANCE, Grid, Lattice
from ..grid.placement import is_native
from ..inputs.raster_grid import Raster

IN_UTM = "in UTM coordinates"
"""How a convention says so, for those who check it."""

_UTM = (range(32601, 32661), range(32701, 32761))
"""EPSG codes of the zones in which HyP3 delivers its products."""


def gridding_convention(grid: Grid, rasters: Sequence[Raster]) -> str:
    """Describe the lattice of a stack.

    Returns
    -------
    str
        Whose lattice it is, where it lies in which coordinates, and how many products are copied
        or resampled to it.
    """
    lattice = Lattice.of(grid)
    phases = (lattice.x_phase / grid.spacing, lattice.y_phase / grid.spacing)
    on_multiples = next(
        (
            name
            for name, phase in (("edges", 0.0), ("centers", 0.5))
            if all(abs(one - phase) < TOLERANCE for one in phases)
        ),
        None,
    )
    if on_multiples:
        position = f"{on_multiples} at multiples of the spacing"
    else:
        position = (
            f"edges {lattice.x_phase:.6g} m along x and {lattice.y_phase:.6g} m along y behind "
            "multiples of the spacing"
        )
    is_utm = any(grid.epsg in codes for codes in _UTM)
    copied = sum(is_native(raster, grid, lattice) for raster in rasters)
    if is_utm and on_multiples:
        whose = "the lattice of HyP3's own products"
    else:
        whose = "the lattice of products of the stack" if copied else "a lattice of its own"
    name = CRS.from_wkt(grid.wkt).name
    if is_utm:
        where = IN_UTM
    else:
        where = "in coordinates of " + ("the CRS in crs_wkt" if name == "unknown" else name)
    return f"{whose}: pixels of {grid.spacing:g} m, {position} {where}; {_fate(copied, rasters)}"


def _fate(copied: int, rasters: Sequence[Raster]) -> str:
    total = len(rasters)
    if copied == total:
        return "all products are copied to it value for value"
    if copied == 0:
        return "all products are resampled to it"
    return f"{copied} of {total} products are copied to it value for value, the others resampled"
