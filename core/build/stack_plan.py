"""Decides what goes into a stack: a new one, or one that is on disk and gets more products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..append.append import append_plan, check_passes, check_settings
from ..append.base import Base, open_outputs
from ..errors import InvalidParameterError
from ..grid.frames import frame_warning
from ..grid.placement import latitudes
from ..grid.plan import GridOptions, Plan, make_plan
from ..outputs.options import BuildOptions
from ..outputs.zarr_output import with_groups
from ..products.layers import Layer
from ..run.reporter import Reporter, stop_if_canceled
from ..selection.acquisition_times import in_step_order, product_identity
from ..selection.consistency import check_consistency, gap_warnings
from ..selection.passes import group_passes
from ..selection.selection import Selection, SelectionOptions, select_products


@dataclass(frozen=True)
class BuildPlan:
    """What goes into a stack."""

    plan: Plan  # grid and placements
    layers: tuple[Layer, ...]  # layers of the stack
    base: Base | None  # the stack that is appended to, if any
    build: BuildOptions  # the user's choices, with all groups that the stack has
    is_there: bool  # nothing is new, and all outputs hold that stack


def plan_stack(
    folder: Path,
    selection: SelectionOptions,
    grid: GridOptions,
    build: BuildOptions,
    reporter: Reporter,
) -> BuildPlan:
    """Choose products and lay the grid; shows the user the plan before any work starts.

    Raises
    ------
    StackError
        If the products make no stack, or none with the one that is appended to.
    """
    files = build.files
    found = open_outputs(files.get("NETCDF"), files.get("ZARR"), reporter) if build.append else ()
    base = found[0] if found else None
    build = _with_groups(build, found, reporter)
    reporter.info(f"Looking for HyP3 products in {folder}.")
    chosen = select_products(folder, selection if base is None else _what_is_new(base, selection))
    for text in chosen.warnings:
        reporter.warning(text)
    layers = chosen.layers
    if base is not None:
        layers = _base_layers(base, selection, chosen)
        for text in gap_warnings([product for product, _ in chosen.products], layers):
            reporter.warning(text)
    build.values.precision.check(layers)
    stop_if_canceled(reporter)
    rasters = {item: raster for item, raster in chosen.products}
    if base is not None:
        rasters = {item.product: item.raster for item in base.placements} | rasters
    for text in check_consistency(
        list(rasters),
        build.values.scale is not None,
        lambda product: latitudes(rasters[product]),
        selection.layers,
    ):
        reporter.warning(text)
    products = in_step_order(chosen.products, lambda item: item[0])
    if base is None:
        plan = make_plan(products, grid, chosen.left_out)
    else:
        check_settings(base, build.settings)
        if grid.extent is not None and not build.grow:
            reporter.info("EXTENT counts only where the grid grows (GROW=true).")
        plan = append_plan(base, products, grid, build.grow, chosen.left_out)
        if build.merge_passes:
            check_passes(base, plan)
    _report(plan, layers, chosen.product_type, base, reporter)
    _report_frames(build, plan, reporter)
    is_new = any(placement.kept_step is None for placement in plan.placements)
    is_there = base is not None and not is_new and _are_complete(build, found)
    return BuildPlan(plan, layers, base, build, is_there)


def _with_groups(build: BuildOptions, found: Sequence[Base], reporter: Reporter) -> BuildOptions:
    """Return the options with the groups that a store has already: none is lost by appending."""
    for item in found:
        more = [name for name in item.groups if name not in build.groups]
        if more:
            reporter.info(f"{item.path} holds {more[0]} as well, which gets what is new, too.")
            return replace(build, outputs=with_groups(build.outputs, item.groups))
    return build


def _are_complete(build: BuildOptions, found: Sequence[Base]) -> bool:
    """Return whether all outputs are there, with all groups, and hold the same."""
    there = {
        item.path: item
        for item in found
        if item.names == found[0].names and item.grid == found[0].grid
    }
    return all(
        output.final in there and set(there[output.final].groups) == set(output.groups)
        for output in build.outputs
    )


def _what_is_new(base: Base, selection: SelectionOptions) -> SelectionOptions:
    """Return the options that choose what a stack does not hold yet."""
    kind = base.product_type
    products = [placement.product for placement in base.placements]
    if selection.product_type != "auto" and not all(
        selection.product_type in product.name.job_types for product in products
    ):
        raise InvalidParameterError(
            f"PRODUCT_TYPE is {selection.product_type}, but {base.path} holds {kind} products; "
            "leave it out."
        )
    return replace(
        selection,
        product_type=kind,
        known={product_identity(product): product.name.text for product in products},
        held=tuple(layer.name for layer in base.layers),
    )


def _base_layers(base: Base, selection: SelectionOptions, chosen: Selection) -> tuple[Layer, ...]:
    """Return the layers of a stack; others cannot be appended."""
    there = [layer.name for layer in base.layers]
    wanted = [layer.name for layer in chosen.layers]
    if selection.layers and wanted != there:
        raise InvalidParameterError(
            f"LAYERS asks for {', '.join(wanted)}, but {base.path} holds {', '.join(there)}; leave "
            "LAYERS out or name the same."
        )
    return base.layers


def _report(
    plan: Plan, layers: tuple[Layer, ...], kind: str, base: Base | None, reporter: Reporter
) -> None:
    if base is not None:
        new = [item.product for item in plan.placements if item.kept_step is None]
        reporter.info(
            f"{base.path} holds {len(base.placements)} products; {len(new)} are new"
            f"{': ' if new else ''}{', '.join(map(str, new))}."
        )
    reporter.info(
        f"{len(plan.placements)} {kind} products; layers: "
        f"{', '.join(layer.name for layer in layers)}."
    )
    for line in plan.describe():
        reporter.info(line)


def _report_frames(options: BuildOptions, plan: Plan, reporter: Reporter) -> None:
    """Report what the frames of the products mean for the stack."""
    products = [placement.product for placement in plan.placements]
    if products[0].name.is_insar:
        for name, is_set in (
            ("MERGE_PASSES", options.merge_passes),
            ("SCALE", options.values.scale is not None),
        ):
            if is_set:
                reporter.warning(f"{name} is for backscatter; it changes nothing here.")
        warning = frame_warning(plan.placements)
        if warning is not None:
            reporter.warning(warning)
        return
    passes = group_passes(products)
    several = sum(len(frames) > 1 for frames in passes)
    if several and options.merge_passes:
        reporter.info(f"{len(products)} products are merged to {len(passes)} passes.")
    elif several:
        reporter.info(
            f"{several} of {len(passes)} passes have several frames, which are steps of their own; "
            "MERGE_PASSES merges them."
        )
