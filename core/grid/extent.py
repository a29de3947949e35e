"""The extent of the grid: union or intersection of products, cut to the user's area."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from pyproj import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds

from ..errors import GridError, InvalidParameterError
from ..inputs.crs import given_crs
from ..run.parameters import Extent
from .antimeridian import wrap
from .lattice import Grid, Lattice

Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top in meters."""

Lines = tuple[int, int, int, int]
"""Left, bottom, right, top as numbers of lattice lines."""

_TURN = 360.0
_EDGE_POINTS = 101
"""Points per edge when a rectangle is projected: its edges become curves."""


def choose_lines(
    lattice: Lattice, bounds: Sequence[Bounds], mode: str, extent: Extent | None, crs: CRS
) -> Lines:
    """Return the lattice lines between which the grid lies: left, bottom, right, top.

    Parameters
    ----------
    lattice
        Where pixel edges may lie.
    bounds
        Left, bottom, right, top of each product in the CRS of the grid.
    mode
        ``union`` or ``intersection`` of the products.
    extent
        The user's area, to which the grid is cut (outward, to whole pixels); None for all.
    crs
        CRS of the grid.

    Raises
    ------
    GridError
        If nothing is left of the intersection, or the extent lies outside the products.
    InvalidParameterError
        If the extent cannot be projected.
    """
    lines = around([lattice.outward(box) for box in bounds])
    if mode == "intersection":
        lines = _within([lattice.inward(box) for box in bounds])
        if _empty(lines):
            raise GridError(
                "The products have no area in common; use the extent mode union, or choose fewer "
                "products by START, END or folder."
            )
    if extent is not None:
        covered = lattice.grid(None, "", lines).bounds
        wanted = _project_extent(extent, crs, covered)
        if wanted is None or _empty(inner := _within([lines, lattice.outward(wanted)])):
            raise _outside(covered, crs, extent)
        lines = inner
    return lines


def cut_to_extent(grid: Grid, extent: Extent | None) -> tuple[int, int, Grid]:
    """Return the smallest window of a grid around an extent, all of it without one.

    Returns
    -------
    row, column : int
        Upper left pixel of the window.
    window : Grid
        Its grid.

    Raises
    ------
    GridError
        If the extent lies outside the grid.
    InvalidParameterError
        If the extent cannot be projected.
    """
    if extent is None:
        return 0, 0, grid
    lattice = Lattice.of(grid)
    lines = choose_lines(lattice, [grid.bounds], "union", extent, CRS.from_wkt(grid.wkt))
    window = lattice.grid(grid.epsg, grid.wkt, lines)
    row = round((grid.top - window.top) / grid.spacing)
    column = round((window.left - grid.left) / grid.spacing)
    return row, column, window


def _outside(covered: Bounds, crs: CRS, extent: Extent) -> GridError:
    listed = ", ".join(f"{covered[i]:.0f}" for i in (0, 2, 1, 3))
    remedy = "choose an extent within"
    if extent.crs is None:
        remedy = (
            "it has no coordinate reference system and is taken in that one, so write its own "
            f"behind the numbers, such as [EPSG:4326], or {remedy}"
        )
    return GridError(
        f"EXTENT lies outside the products, which cover {listed} (xmin, xmax, ymin, ymax) in "
        f"{crs.name}; {remedy}."
    )


def _project_extent(extent: Extent, crs: CRS, covered: Bounds) -> Bounds | None:
    """Return the extent in the target CRS, None where it does not meet the covered area."""
    box = (extent.xmin, extent.ymin, extent.xmax, extent.ymax)
    if extent.crs is None:
        return box
    source = given_crs(extent.crs, "EXTENT")
    turn = _TURN if source.is_geographic else None
    if source == crs and box[0] < box[2]:
        return box
    # Cut to the covered area there, because a wide extent, such as the whole world, has no
    # coordinates in the target CRS.
    here = project_bounds(covered, crs.to_wkt(), source.to_wkt())
    if here is not None:
        shared = _common_range((box[0], box[2]), (here[0], here[2]), turn)
        if shared is None:
            return None
        left, right = shared if turn is None else (wrap(shared[0]), wrap(shared[1]))
        box = (left, max(box[1], here[1]), right, min(box[3], here[3]))
        if box[1] >= box[3]:
            return None
    projected = project_bounds(box, source.to_wkt(), crs.to_wkt())
    if projected is None:
        raise InvalidParameterError(
            f"EXTENT cannot be projected from {source.name} to {crs.name}; give it in {crs.name}."
        )
    return projected


def _common_range(
    one: tuple[float, float], other: tuple[float, float], turn: float | None
) -> tuple[float, float] | None:
    """Return from where to where two ranges overlap, None if they do not.

    Parameters
    ----------
    one, other
        Begin and end. A range of longitudes whose begin is greater crosses the antimeridian.
    turn
        What takes a longitude back to where it was; None for other coordinates.

    Returns
    -------
    (begin, end)
        In the numbers of ``other``, from its begin on. Where ``one`` goes round so far that it
        meets both ends of the other range, all that lies between them is returned.
    """
    begin, end = one
    west, east = other
    shifts: Sequence[float] = (0.0,)
    if turn is not None:
        end += turn * (end < begin)
        east += turn * (east < west)
        shifts = (-turn, 0.0, turn)
    parts = [(max(begin + shift, west), min(end + shift, east)) for shift in shifts]
    parts = [part for part in parts if part[0] < part[1]]
    if not parts:
        return None
    return min(part[0] for part in parts), max(part[1] for part in parts)


def project_bounds(box: Bounds, source: str, target: str) -> Bounds | None:
    """Return the box around a projected rectangle, None where it has no finite coordinates."""
    try:
        left, bottom, right, top = transform_bounds(source, target, *box, densify_pts=_EDGE_POINTS)
    except RasterioError:
        return None
    return (left, bottom, right, top) if all(map(isfinite, (left, bottom, right, top))) else None


def around(ranges: Sequence[Lines]) -> Lines:
    """Return the smallest range of lattice lines that holds others."""
    lefts, bottoms, rights, tops = zip(*ranges, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _within(ranges: Sequence[Lines]) -> Lines:
    lefts, bottoms, rights, tops = zip(*ranges, strict=True)
    return max(lefts), max(bottoms), min(rights), min(tops)


def _empty(lines: Lines) -> bool:
    left, bottom, right, top = lines
    return right <= left or top <= bottom


def shared_area(one: Bounds, other: Bounds) -> float:
    """Return the area that two rectangles share, in square meters."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
