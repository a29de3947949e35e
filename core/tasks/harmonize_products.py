"""The task behind ``hyp3:harmonizeproducts``: a folder of products, all on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..contract import Task
from ..errors import InvalidParameterError
from ..files.geotiff import check_replaceable, harmonize, sidecar_bytes
from ..files.static_fill import StaticFill, fills_of
from ..grid.plan import GridOptions, Plan, make_plan
from ..machine.disk import COMPRESSED, check_space
from ..products.layers import Layer
from ..run.parameters import Parameters
from ..run.reporter import Reporter, step
from ..selection.selection import Selection, SelectionOptions, select_products


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Put products on one grid."""
    given = Parameters(parameters, Task.HARMONIZE_PRODUCTS)
    source = given.folder("INPUT")
    target = given.path("OUTPUT", required=True)
    if target is None or _inside(target, source) or _inside(source, target):
        raise InvalidParameterError(
            f"OUTPUT is {target}, which holds the input folder or lies in it; choose another "
            "folder, because inputs are never changed."
        )
    if target.exists() and not target.is_dir():
        raise InvalidParameterError(f"OUTPUT is {target}, which is a file; choose a folder.")
    options = GridOptions(
        target_crs=given.text("TARGET_CRS"),
        extent_mode=given.choice("EXTENT_MODE"),
        extent=given.extent(),
    )
    resampling = given.choice("RESAMPLING")

    reporter.info(f"Looking for HyP3 products in {source}.")
    selection = select_products(source, SelectionOptions(layers=given.names("LAYERS")))
    for text in (*selection.warnings, *_computed_only(source, selection)):
        reporter.warning(text)
    plan = make_plan(selection.products, options, selection.left_out)
    for line in plan.describe():
        reporter.info(line)
    check_replaceable(plan, target, reporter)
    fills = fills_of(plan, selection.layers)
    if fills:
        names = ", ".join(dict.fromkeys(fill.layer.name for fill in fills))
        reporter.info(f"Where a product has no data of {names}, it takes those of the others.")
    check_space([(target / "products", _estimate_bytes(plan, selection.layers, fills))])
    with step(reporter, 5.0, 100.0) as writing:
        harmonize(plan, selection.layers, fills, resampling, target, writing)
    return {
        "OUTPUT": str(target),
        "CRS": plan.grid.crs,
        "COPIED": plan.copied,
        "WARPED": plan.warped,
    }


def _computed_only(folder: Path, selection: Selection) -> list[str]:
    """Return warnings of layers that stacks compute from another one where products lack them.

    Raises
    ------
    InvalidParameterError
        If no product holds such a layer itself, so that nothing would be written of it.
    """
    products = [product for product, _ in selection.products]
    found = []
    for layer in selection.layers:
        origin = layer.computed_from
        lacking = [product for product in products if layer.name not in product.layers]
        if origin is None or not lacking:
            continue
        if len(lacking) == len(products):
            raise InvalidParameterError(
                f"LAYERS names {layer.name}, which no product in {folder} holds; leave it out, or "
                f"build a stack with hyp3:buildstack, which computes it from {origin}."
            )
        found.append(
            f"The layer {layer.name} is missing in {len(lacking)} of {len(products)} products "
            f"(such as {lacking[0]}) and is not written for them; hyp3:buildstack computes it from "
            f"{origin}."
        )
    return found


def _estimate_bytes(plan: Plan, layers: Sequence[Layer], fills: Sequence[StaticFill]) -> int:
    """Return about how many bytes the products take, and what fills their gaps meanwhile."""
    filled = {
        (item.product.name.text, fill.layer.name): fill.covered_pixels(plan.grid)
        for fill in fills
        for item in fill.placements
    }
    total, copied = 0.0, 0
    for placement in plan.placements:
        product = placement.product
        held = [layer for layer in layers if layer.name in product.layers]
        covered = placement.covered_pixels(plan.grid)
        for layer in held:
            pixels = filled.get((product.name.text, layer.name), covered)
            total += (1 if layer.is_mask else 4) * pixels
        copied += sidecar_bytes(product, held)
    return int(total * COMPRESSED) + copied + sum(fill.bytes_on(plan.grid) for fill in fills)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
