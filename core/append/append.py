"""Plans for a stack that is on disk already and gets more pairs or dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyproj import CRS

from ..errors import InconsistentProductsError, InvalidParameterError
from ..grid.extent import around, choose_lines
from ..grid.lattice import Lattice
from ..grid.placement import bounds_in, place
from ..grid.plan import GridOptions, Plan
from ..grid.target import common_spacing, spacing_of
from ..inputs.raster_grid import Raster
from ..pixels.reference_point import AUTO, ReferencePoint, parse_point, reference_to_pixel
from ..pixels.source import StackSource
from ..products.layers import SOURCE_FRAME, Layer
from ..products.product import Product
from ..selection.acquisition_times import in_step_order
from ..selection.passes import group_passes
from ..selection.selection import LeftOut
from .base import Base


def check_settings(base: Base, wanted: Mapping[str, Any]) -> None:
    """Check that new steps would be made as those of the stack were.

    Raises
    ------
    InvalidParameterError
        If one differs.
    """
    for name, value in wanted.items():
        there = base.settings.get(name, value)
        if there != value and not (name == "REFERENCE_POINT" and _are_one_point(value, there)):
            raise InvalidParameterError(
                f"{name} is {_setting_text(value)}, but {base.path} was built with "
                f"{_setting_text(there)}; append with the same value, or build a new stack."
            )


def _are_one_point(one: str, other: str) -> bool:
    texts = {one, other}
    return not texts & {"", AUTO} and len({parse_point(text) for text in texts}) == 1


def _setting_text(value: Any) -> str:
    if isinstance(value, Mapping):  # KEEP_BITS
        layers = [f"{name}={bits}" for name, bits in value["layers"]]
        value = ",".join([*([str(value["others"])] if value["others"] else []), *layers])
    return "nothing" if value in (None, "", [], {}) else str(value)


def append_plan(
    base: Base,
    products: Sequence[tuple[Product, Raster]],
    options: GridOptions,
    grow: bool,
    left_out: Sequence[LeftOut],
) -> Plan:
    """Place the products of a stack and new ones on its grid.

    Parameters
    ----------
    products
        New products with the grid that their layers share; may be none.
    options
        The user's choices; the extent counts only where the grid grows.
    grow
        Whether the grid grows to hold the new products.
    left_out
        Products that were put aside before, for the account.

    Raises
    ------
    InvalidParameterError
        If another CRS is asked for.
    InconsistentProductsError
        If a new product has another pixel spacing, or belongs to a pass of the stack that was
        merged.
    """
    grid = base.grid
    crs = CRS.from_wkt(grid.wkt)
    if options.target_crs is not None and CRS.from_user_input(options.target_crs) != crs:
        raise InvalidParameterError(
            f"TARGET_CRS is {options.target_crs}, but {base.path} is in {grid.crs}; leave it out."
        )
    reasons = [f"The grid is that of {base.path}."]
    lattice = Lattice.of(grid)
    boxes = [bounds_in(raster, grid.crs) for _, raster in products]
    if products and round(common_spacing(products), 6) != round(grid.spacing, 6):
        raise InconsistentProductsError(
            f"{products[0][0]} has pixels of {spacing_of(*products[0]):g} m, but those of "
            f"{base.path} have {grid.spacing:g} m; stack it elsewhere."
        )
    if grow and products:
        lines = choose_lines(lattice, boxes, "union", options.extent, crs)
        lines = around([lattice.outward(grid.bounds), lines])
        grid = lattice.grid(grid.epsg, grid.wkt, lines)
        if grid != base.grid:
            reasons.append("It grows to hold the new products.")
    placements, outside = place(products, boxes, grid, lattice)
    both = in_step_order([*base.placements, *placements], lambda item: item.product)
    return Plan(grid, tuple(both), (*left_out, *outside), tuple(reasons))


def check_passes(base: Base, plan: Plan) -> None:
    """Check that new frames can be merged beside what the stack holds.

    Raises
    ------
    InconsistentProductsError
        If one belongs to a pass that the stack holds merged, or nothing in the stack shows where
        its own passes have data.
    """
    kept = {item.product.name.text: item.kept_step for item in plan.placements}
    shows_frames = SOURCE_FRAME.variable in base.variables or any(
        layer.is_backscatter for layer in base.layers
    )
    for frames in group_passes([item.product for item in plan.placements]):
        if len(frames) > 1 and not shows_frames:
            raise InconsistentProductsError(
                f"{frames[0]} is a frame of a pass, but {base.path} holds no backscatter, which "
                "is needed to tell frames apart; build a new stack to merge them."
            )
        steps = {kept[frame.name.text] for frame in frames}
        if len(steps) > 1:
            new = next(frame for frame in frames if kept[frame.name.text] is None)
            raise InconsistentProductsError(
                f"{new} is a frame of a pass that {base.path} holds already, merged without it; "
                "build a new stack to merge it."
            )


def reference_new_steps(
    source: StackSource, base: Base, layers: Sequence[Layer]
) -> tuple[StackSource, ReferencePoint]:
    """Make the new pairs relative to the point of those of the stack.

    Parameters
    ----------
    source
        Stored and new steps.
    base
        The stack, which has such a point.

    Raises
    ------
    ProductError
        If a new pair has no data at the point.
    """
    x, y = (float(base.stack[f"reference_point_{axis}"]) for axis in "xy")
    grid = source.grid
    row = round((grid.top - y) / grid.spacing - 0.5)
    column = round((x - grid.left) / grid.spacing - 0.5)
    known = base.stack["reference_phase"].values
    phases = [
        0.0 if (step := frames[0].kept_step) is None else float(known[step])
        for frames in source.steps
    ]
    offsets: dict[str, list[float]] = {}
    new = [number for number in range(len(source.steps)) if not source.is_kept(number)]
    if new:
        part = replace(source, steps=tuple(source.steps[number] for number in new))
        where = f"the reference point of {base.path}; leave the pair out, or build a new stack"
        part, point = reference_to_pixel(part, row, column, layers, where)
        for position, number in enumerate(new):
            phases[number] = point.phases[position]
            for name, values in part.offsets.items():
                offsets.setdefault(name, [0.0] * len(phases))[number] = values[position]
    referenced = replace(source, offsets={name: tuple(item) for name, item in offsets.items()})
    return referenced, ReferencePoint(row, column, x, y, tuple(phases))
