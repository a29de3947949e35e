"""The place of a product on a grid, and how its pixels get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from ..errors import GridError
from ..inputs.crs import title
from ..inputs.raster_grid import Raster
from ..products.product import Product
from ..selection.selection import LeftOut
from .extent import Bounds, project_bounds, shared_area
from .lattice import Grid, Lattice


class Treatment(Enum):
    """How the pixels of a product reach the grid."""

    COPY = "copy"
    """By an offset of whole pixels: every value stays what it is."""
    WARP = "warp"
    """Resampled, because the product lies in another CRS or off the lattice."""


@dataclass(frozen=True)
class Placement:
    """A product and its place on the grid."""

    # The product and the grid that its layers share.
    product: Product
    raster: Raster
    treatment: Treatment  # copied or warped
    bounds: Bounds  # left, bottom, right, top of the product in the CRS of the grid
    # Grid row and column of the product's upper left pixel where it is copied (negative where the
    # product begins outside the grid); 0 where it is warped.
    row: int = 0
    column: int = 0
    # Step of a stack that holds the product's pixels already, in which case the product itself may
    # be gone; None for a product on disk.
    kept_step: int | None = None

    def covered_pixels(self, grid: Grid) -> float:
        """Return how many pixels of the grid the product's raster covers."""
        return shared_area(self.bounds, grid.bounds) / grid.spacing**2

    def touches(self, grid: Grid, rows: slice, columns: slice) -> bool:
        """Return whether the product reaches into a block of the grid."""
        left, bottom, right, top = self.bounds
        return (
            left < grid.left + columns.stop * grid.spacing
            and right > grid.left + columns.start * grid.spacing
            and bottom < grid.top - rows.start * grid.spacing
            and top > grid.top - rows.stop * grid.spacing
        )

    def center(self, grid: Grid) -> tuple[int, int]:
        """Return row and column of the grid in the middle of the product, or next to it."""
        left, bottom, right, top = self.bounds
        row = int((grid.top - (bottom + top) / 2) / grid.spacing)
        column = int(((left + right) / 2 - grid.left) / grid.spacing)
        return min(max(row, 0), grid.height - 1), min(max(column, 0), grid.width - 1)


def place(
    products: Sequence[tuple[Product, Raster]],
    bounds: Sequence[Bounds],
    grid: Grid,
    lattice: Lattice,
) -> tuple[list[Placement], list[LeftOut]]:
    """Find the place of products on a grid.

    Parameters
    ----------
    products
        Products with the grid that their layers share.
    bounds
        Left, bottom, right, top of each in the CRS of the grid.
    grid, lattice
        The grid and the lattice it lies on.

    Returns
    -------
    placements : list of Placement
        Products that meet the grid, in the order given.
    outside : list of LeftOut
        The others.
    """
    placements: list[Placement] = []
    outside: list[LeftOut] = []
    for (product, raster), box in zip(products, bounds, strict=True):
        if not shared_area(box, grid.bounds):
            outside.append(LeftOut(product.name.text, "outside the grid"))
        elif is_native(raster, grid, lattice):
            placements.append(
                Placement(
                    product,
                    raster,
                    Treatment.COPY,
                    box,
                    row=round((grid.top - raster.top) / grid.spacing),
                    column=round((raster.left - grid.left) / grid.spacing),
                )
            )
        else:
            placements.append(Placement(product, raster, Treatment.WARP, box))
    return placements, outside


def is_native(raster: Raster, grid: Grid, lattice: Lattice) -> bool:
    """Return whether the pixels of a product are those of a grid, which lies on a lattice."""
    return raster.crs == grid.crs and lattice.holds(raster)


def latitudes(raster: Raster) -> tuple[float, float] | None:
    """Return the southern and northern edge of a product in degrees, None where it has none."""
    box = project_bounds(raster.bounds, raster.crs, "EPSG:4326")
    return None if box is None else (box[1], box[3])


def bounds_in(raster: Raster, crs: str) -> Bounds:
    """Return left, bottom, right, top of a product in a CRS, given as :attr:`Grid.crs`.

    Raises
    ------
    GridError
        If it has no coordinates there.
    """
    if raster.crs == crs:
        return raster.bounds
    projected = project_bounds(raster.bounds, raster.crs, crs)
    if projected is None:
        raise GridError(
            f"Products in {title(raster.crs)} cannot be projected to {title(crs)}; choose a "
            "TARGET_CRS that covers them."
        )
    return projected
