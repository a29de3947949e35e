"""The plan of a stack: which grid, which products are copied, warped or left out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..errors import GridError
from ..inputs.crs import code_or_name, crs_text, epsg_of
from ..inputs.raster_grid import Raster
from ..products.product import Product
from ..run.parameters import Extent
from ..selection.selection import LeftOut
from .extent import choose_lines
from .lattice import Grid
from .placement import Placement, Treatment, bounds_in, place
from .target import choose_crs, common_spacing, native_lattice


@dataclass(frozen=True)
class GridOptions:
    """What the user decides about the grid; see the parameters of ``hyp3:buildstack``."""

    target_crs: str | None = None
    extent_mode: str = "union"
    extent: Extent | None = None


@dataclass(frozen=True)
class Plan:
    """The grid and the fate of every product."""

    grid: Grid  # common grid
    placements: tuple[Placement, ...]  # products that go onto the grid, in the order given
    left_out: tuple[LeftOut, ...] = ()  # products that do not
    reasons: tuple[str, ...] = field(default=())  # sentences on how the grid was chosen

    @property
    def copied(self) -> int:
        """Number of products that are copied bit for bit."""
        return sum(placement.treatment is Treatment.COPY for placement in self.placements)

    @property
    def warped(self) -> int:
        """Number of products that are warped."""
        return len(self.placements) - self.copied

    def describe(self) -> list[str]:
        """Return the plan as lines for the user."""
        grid = self.grid
        lines = [
            *self.reasons,
            f"Grid: {grid.crs}, {grid.width} x {grid.height} pixels of {grid.spacing:g} m, "
            f"upper left corner {grid.left:.1f}, {grid.top:.1f}.",
            f"{self.copied} products are copied bit for bit, {self.warped} are warped, "
            f"{len(self.left_out)} are left out.",
        ]
        for placement in self.placements:
            if placement.treatment is Treatment.WARP:
                source = placement.raster.crs
                why = (
                    f"from {code_or_name(source)}"
                    if source != grid.crs
                    else "it lies off the pixel lattice"
                )
                lines.append(f"  warped: {placement.product} ({why})")
        lines.extend(f"  left out: {item.name} ({item.reason})" for item in self.left_out)
        return lines


def make_plan(
    products: Sequence[tuple[Product, Raster]],
    options: GridOptions,
    left_out: Sequence[LeftOut] = (),
) -> Plan:
    """Lay one grid over products; placements are in the order of ``products``.

    The CRS is that of most products that lie in meters on a map (by number; ties go to the larger
    covered area, then to the lowest code) unless the user names one. The lattice is that of most
    products in that CRS. Products on it are copied, all others warped.

    Parameters
    ----------
    products
        Products with the grid that their layers share; at least one.
    left_out
        Products that were put aside before, for the account.

    Raises
    ------
    InconsistentProductsError
        If the products have different pixel spacings.
    GridError
        If nothing is left of the intersection, the extent lies outside the products, or none of
        them lies in meters on a map and the user names no CRS.
    InvalidParameterError
        If the target CRS is unknown or not in meters, or the extent cannot be projected.
    """
    spacing = common_spacing(products)
    crs, reasons = choose_crs(products, options.target_crs)
    epsg, wkt = epsg_of(crs), crs.to_wkt()
    here = crs_text(epsg, wkt)
    lattice = native_lattice(products, here, spacing)

    bounds = [bounds_in(raster, here) for _, raster in products]
    lines = choose_lines(lattice, bounds, options.extent_mode, options.extent, crs)
    grid = lattice.grid(epsg, wkt, lines)

    placements, outside = place(products, bounds, grid, lattice)
    if not placements:
        raise GridError(
            "EXTENT lies in a gap between the products and overlaps none of them; choose an extent "
            "that does."
        )
    return Plan(grid, tuple(placements), (*left_out, *outside), reasons)
