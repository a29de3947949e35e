"""The plan of a stack: which grid, which products are copied, warped or left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pyproj import CRS
from pyproj.exceptions import CRSError

from ..errors import GridError, InconsistentProductsError, InvalidParameterError
from ..parameters import Extent
from ..products.product import Product, Raster
from ..products.selection import LeftOut
from .crs import epsg_of
from .extent import choose_lines
from .lattice import Grid, Lattice
from .placement import Placement, Transfer, bounds_in, place


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
    epsg = epsg_of(crs)
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


def parse_target_crs(text: str) -> CRS:
    """Read TARGET_CRS.

    Raises
    ------
    InvalidParameterError
        If it is unknown, not in meters or not of two dimensions.
    """
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        raise InvalidParameterError(
            f"TARGET_CRS is {text!r}, which is no coordinate reference system; give a code "
            "such as EPSG:32606."
        ) from None
    units = {axis.unit_name for axis in crs.axis_info}
    if not crs.is_projected or units != {"metre"}:
        raise InvalidParameterError(
            f"TARGET_CRS {crs.name} is not a projected system in meters; choose a UTM zone "
            "or another such system."
        )
    if len(crs.axis_info) != 2:
        raise InvalidParameterError(
            f"TARGET_CRS {crs.name} is a system with heights, which a map does not have; choose "
            "the horizontal one alone, such as EPSG:32606."
        )
    return crs


def _target_crs(rasters: Sequence[Raster], wanted: str | None, reasons: list[str]) -> CRS:
    if wanted is not None:
        crs = parse_target_crs(wanted)
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
