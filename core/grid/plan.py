"""The plan of a stack: which grid, which products are copied, warped or left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from pyproj import CRS
from pyproj.exceptions import CRSError

from ..errors import GridError, InconsistentProductsError, InvalidParameterError
from ..parameters import Extent
from ..products.product import Product, Raster
from ..products.selection import LeftOut
from .extent import Bounds, choose_lines, overlap, project_bounds
from .lattice import Grid, Lattice


class Transfer(Enum):
    """How the pixels of a product reach the grid."""

    COPY = "copy"
    """By an offset of whole pixels: every value stays what it is."""
    WARP = "warp"
    """Resampled, because the product lies in another CRS or off the lattice."""


@dataclass(frozen=True)
class Placement:
    """A product and its place on the grid.

    Parameters
    ----------
    product, raster
        The product and the grid that its layers share.
    transfer
        Copied or warped.
    bounds
        Left, bottom, right, top of the product in the CRS of the grid.
    row, column
        Grid row and column of the product's upper left pixel where it is copied (negative where
        the product begins outside the grid); 0 where it is warped.
    stored_step
        Step of a stack that holds the product's pixels already, in which case the product itself
        may be gone; None for a product on disk.
    """

    product: Product
    raster: Raster
    transfer: Transfer
    bounds: Bounds
    row: int = 0
    column: int = 0
    stored_step: int | None = None

    def covered_pixels(self, grid: Grid) -> float:
        """Return how many pixels of the grid the product's raster covers."""
        left, bottom, right, top = grid.bounds
        width = min(self.bounds[2], right) - max(self.bounds[0], left)
        height = min(self.bounds[3], top) - max(self.bounds[1], bottom)
        return max(width, 0.0) * max(height, 0.0) / grid.spacing**2

    def touches(self, grid: Grid, rows: slice, columns: slice) -> bool:
        """Tell whether the product reaches into a block of the grid."""
        left, bottom, right, top = self.bounds
        return (
            left < grid.left + columns.stop * grid.spacing
            and right > grid.left + columns.start * grid.spacing
            and bottom < grid.top - rows.start * grid.spacing
            and top > grid.top - rows.stop * grid.spacing
        )


@dataclass(frozen=True)
class GridOptions:
    """What the user decides about the grid; see the parameters of ``hyp3:buildstack``."""

    target_crs: str | None = None
    extent_mode: str = "union"
    extent: Extent | None = None


@dataclass(frozen=True)
class Plan:
    """The grid and the fate of every product.

    Parameters
    ----------
    grid
        Common grid.
    placements
        Products that go onto the grid, in the order given.
    left_out
        Products that do not.
    reasons
        Sentences on how the grid was chosen.
    """

    grid: Grid
    placements: tuple[Placement, ...]
    left_out: tuple[LeftOut, ...] = ()
    reasons: tuple[str, ...] = field(default=())

    @property
    def copied(self) -> int:
        """Number of products that are copied bit for bit."""
        return sum(placement.transfer is Transfer.COPY for placement in self.placements)

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
            if placement.transfer is Transfer.WARP:
                source = placement.raster.epsg
                why = (
                    f"from EPSG:{source}"
                    if source != grid.epsg
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
    """Lay one grid over products.

    The CRS is that of most products (by number; ties go to the larger covered area, then to the
    lowest code) unless the user names one. The lattice is that of most products in that CRS.
    Products on it are copied, all others warped.

    Parameters
    ----------
    products
        Products with the grid that their layers share; at least one.
    options
        The user's choices.
    left_out
        Products that were put aside before, for the account.

    Returns
    -------
    Plan
        Grid and placements in the order of ``products``.

    Raises
    ------
    InconsistentProductsError
        If the products have different pixel spacings.
    GridError
        If nothing is left of the intersection, or the extent lies outside the products.
    InvalidParameterError
        If the target CRS is unknown or not in meters, or the extent cannot be projected.
    """
    rasters = [raster for _, raster in products]
    spacing = common_spacing(products)
    reasons: list[str] = []
    crs = _target_crs(rasters, options.target_crs, reasons)
    epsg = crs.to_epsg()
    lattice = _native_lattice(rasters, epsg, spacing)

    bounds = [bounds_in(raster, crs, epsg) for raster in rasters]
    lines = choose_lines(lattice, bounds, options.extent_mode, options.extent, crs)
    grid = lattice.grid(epsg, crs.to_wkt(), lines)

    placements, outside = place(products, bounds, grid, lattice)
    if not placements:
        raise GridError(
            "EXTENT lies in a gap between the products and meets none of them; choose an extent "
            "that does."
        )
    return Plan(grid, tuple(placements), (*left_out, *outside), tuple(reasons))


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
        if not overlap(box, grid.bounds):
            outside.append(LeftOut(product.name.text, "outside the grid"))
        elif raster.epsg == grid.epsg and lattice.holds(raster):
            placements.append(
                Placement(
                    product,
                    raster,
                    Transfer.COPY,
                    box,
                    row=round((grid.top - raster.top) / grid.spacing),
                    column=round((raster.left - grid.left) / grid.spacing),
                )
            )
        else:
            placements.append(Placement(product, raster, Transfer.WARP, box))
    return placements, outside


def common_spacing(products: Sequence[tuple[Product, Raster]]) -> float:
    """Return the pixel spacing of products in meters.

    Raises
    ------
    InconsistentProductsError
        If they have several.
    """
    spacings: dict[float, list[Product]] = {}
    for product, raster in products:
        spacings.setdefault(round(raster.spacing, 6), []).append(product)
    if len(spacings) > 1:
        listed = "; ".join(
            f"{spacing:g} m: {len(group)} (such as {group[0]})"
            for spacing, group in sorted(spacings.items())
        )
        raise InconsistentProductsError(
            f"The products have {len(spacings)} pixel spacings ({listed}); put the products of "
            "each spacing into a folder of their own."
        )
    return next(raster.spacing for _, raster in products)


def _target_crs(rasters: Sequence[Raster], wanted: str | None, reasons: list[str]) -> CRS:
    if wanted is not None:
        try:
            crs = CRS.from_user_input(wanted)
        except CRSError:
            raise InvalidParameterError(
                f"TARGET_CRS is {wanted!r}, which is no coordinate reference system; give a code "
                "such as EPSG:32606."
            ) from None
        units = {axis.unit_name for axis in crs.axis_info}
        if not crs.is_projected or units != {"metre"}:
            raise InvalidParameterError(
                f"TARGET_CRS {crs.name} is not a projected system in meters; choose a UTM zone "
                "or another such system."
            )
        reasons.append(f"The target CRS {crs.name} was chosen by the user.")
        return crs
    number = Counter(raster.epsg for raster in rasters)
    area: Counter[int] = Counter()
    for raster in rasters:
        area[raster.epsg] += raster.width * raster.height
    epsg = min(number, key=lambda code: (-number[code], -area[code], code))
    crs = CRS.from_epsg(epsg)
    if len(number) > 1:
        listed = ", ".join(f"EPSG:{code}: {count}" for code, count in sorted(number.items()))
        reasons.append(
            f"The products lie in {len(number)} zones ({listed}); most lie in EPSG:{epsg} "
            f"({crs.name}), which the stack takes."
        )
    return crs


def _native_lattice(rasters: Sequence[Raster], epsg: int | None, spacing: float) -> Lattice:
    # Without a product in the target CRS the lattice of their type is kept: HyP3 snaps raw
    # coordinates, so its phase is the same in every zone.
    native = [raster for raster in rasters if raster.epsg == epsg] or list(rasters)
    phases = Counter(
        (round(lattice.x_phase, 6), round(lattice.y_phase, 6))
        for lattice in map(Lattice.of, native)
    )
    x_phase, y_phase = min(phases, key=lambda phase: (-phases[phase], phase))
    return Lattice(spacing, x_phase, y_phase)


def bounds_in(raster: Raster, crs: CRS, epsg: int | None) -> Bounds:
    """Return left, bottom, right, top of a product in a CRS.

    Raises
    ------
    GridError
        If it has no coordinates there.
    """
    if raster.epsg == epsg:
        return raster.bounds
    projected = project_bounds(raster.bounds, f"EPSG:{raster.epsg}", crs.to_wkt())
    if projected is None:
        raise GridError(
            f"Products in EPSG:{raster.epsg} cannot be projected to {crs.name}; choose a "
            "TARGET_CRS that covers them."
        )
    return projected
