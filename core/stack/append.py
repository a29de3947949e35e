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
from ..grid.plan import GridOptions, Plan, common_spacing
from ..memory import MemoryBudget
from ..products.layers import Layer
from ..products.passes import group_passes
from ..products.product import Product, Raster
from ..products.selection import LeftOut
from ..reporter import Reporter
from .base import Base
from .reference import ReferencePoint, refer_to_point
from .source import StackSource
from .steps import step_order


def check_settings(base: Base, wanted: Mapping[str, Any]) -> None:
    """Check that new steps would be made as those of the stack were.

    Parameters
    ----------
    base
        The stack.
    wanted
        Parameters of the job that decide on values, by name.

    Raises
    ------
    InvalidParameterError
        If one differs.
    """
    for name, value in wanted.items():
        there = base.settings.get(name, value)
        if there != value:
            raise InvalidParameterError(
                f"{name} is {_said(value)}, but {base.path} was built with {_said(there)}; append "
                "with the same value, or build a new stack."
            )


def _said(value: Any) -> str:
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
    base
        The stack.
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
    boxes = [bounds_in(raster, crs, grid.epsg) for _, raster in products]
    if products and round(common_spacing(products), 6) != round(grid.spacing, 6):
        raise InconsistentProductsError(
            f"{products[0][0]} has pixels of {products[0][1].spacing:g} m, but those of "
            f"{base.path} have {grid.spacing:g} m; stack it elsewhere."
        )
    if grow and products:
        lines = choose_lines(lattice, boxes, "union", options.extent, crs)
        lines = around([lattice.outward(grid.bounds), lines])
        grid = lattice.grid(grid.epsg, grid.wkt, lines)
        if grid != base.grid:
            reasons.append("It grows to hold the new products.")
    placements, outside = place(products, boxes, grid, lattice)
    both = sorted([*base.placements, *placements], key=lambda item: step_order(item.product))
    return Plan(grid, tuple(both), (*left_out, *outside), tuple(reasons))


def check_passes(base: Base, plan: Plan) -> None:
    """Check that no new frame belongs to a pass that the stack holds merged.

    Raises
    ------
    InconsistentProductsError
        If one does.
    """
    stored = {item.product.name.text: item.stored_step for item in plan.placements}
    for frames in group_passes([item.product for item in plan.placements]):
        steps = {stored[frame.name.text] for frame in frames}
        if len(steps) > 1:
            new = next(frame for frame in frames if stored[frame.name.text] is None)
            raise InconsistentProductsError(
                f"{new} is a frame of a pass that {base.path} holds already, merged without it; "
                "build a new stack to merge it."
            )


def refer_new_steps(
    source: StackSource, base: Base, layers: Sequence[Layer], reporter: Reporter
) -> tuple[StackSource, ReferencePoint]:
    """Refer the new pairs to the point to which those of the stack are referred.

    Parameters
    ----------
    source
        Stored and new steps.
    base
        The stack, which has such a point.
    layers
        Layers of the stack.
    reporter
        Told of progress.
    """
    x, y = (float(base.stack[f"reference_point_{axis}"]) for axis in "xy")
    known = base.stack["reference_phase"].values
    phases = [
        0.0 if (step := frames[0].stored_step) is None else float(known[step])
        for frames in source.steps
    ]
    offsets: dict[str, list[float]] = {}
    new = [number for number in range(len(source.steps)) if not source.is_stored(number)]
    if new:
        part = replace(source, steps=tuple(source.steps[number] for number in new))
        part, point = refer_to_point(part, f"{x!r},{y!r}", layers, reporter, MemoryBudget())
        for position, number in enumerate(new):
            phases[number] = point.phases[position]
            for name, values in part.offsets.items():
                offsets.setdefault(name, [0.0] * len(phases))[number] = values[position]
    grid = source.grid
    row = round((grid.top - y) / grid.spacing - 0.5)
    column = round((x - grid.left) / grid.spacing - 0.5)
    referred = replace(source, offsets={name: tuple(item) for name, item in offsets.items()})
    return referred, ReferencePoint(row, column, x, y, tuple(phases))
