"""A stack as it is going to be: designed once, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr

from ..append.append import reference_new_steps
from ..append.base import Base
from ..contract import RECORD
from ..dataset.carry_over import carry_over
from ..dataset.dataset import stack_dataset
from ..dataset.record import stack_record
from ..dataset.stack_layer import StackLayer, stack_layers
from ..errors import InvalidParameterError, OutputError
from ..files.chunking import Layouts
from ..grid.plan import Plan
from ..machine.disk import COMPRESSED, check_space, free_space
from ..machine.memory import MOST_THREADS
from ..machine.stamps import Stamp
from ..outputs.options import BuildOptions
from ..outputs.output import check_outputs_fit, describe_outputs, output_sizes
from ..outputs.workspace import Workspace
from ..pixels.look_vectors import LOOK_VECTORS, check_angles
from ..pixels.masks import mask_inputs, mask_layers
from ..pixels.reference_point import ReferencePoint, reference_to_point
from ..pixels.source import StackSource, Step
from ..pixels.survey import Survey
from ..products.layers import SOURCE_FRAME, Layer
from ..retrieval.catalog.enrichment import Details, look_up_granules
from ..run.reporter import Reporter
from ..selection.passes import group_passes
from .identity import placement_identity


@dataclass(frozen=True)
class Design:
    """What is going to be written."""

    # Where blocks come from, with all values as they are going to stand in the stack.
    source: StackSource
    layers: tuple[StackLayer, ...]  # all layers of the stack
    product_layers: tuple[str, ...]  # names of those that products hold
    layouts: Layouts  # chunks, blocks and threads
    options: BuildOptions  # the user's choices
    base: Base | None = None  # the stack that is appended to, if any
    point: ReferencePoint | None = None  # where all pairs are referenced to, if they are
    details: Details | None = None  # what the catalog knows of the source granules, if it was asked

    @property
    def survey(self) -> Survey:
        """An empty survey of the stack."""
        layers = [item.layer for item in self.layers if item.per_step]
        return Survey(self.source.grid, layers, len(self.source.steps))

    @property
    def steps(self) -> list[dict[str, Any]]:
        """What each step is made of, as JSON knows it: products, and what is subtracted."""
        return [
            {
                "products": {item.product.name.text: placement_identity(item) for item in step},
                "offsets": {
                    layer: float(values[number]) for layer, values in self.source.offsets.items()
                },
            }
            for number, step in enumerate(self.source.steps)
        ]

    @property
    def inputs(self) -> dict[Path, Stamp]:
        """The stamps of all files that are read."""
        inputs: dict[Path, Stamp] = {} if self.base is None else dict(self.base.stamps)
        for placement in self.source.placements:
            inputs |= placement.product.stamps
        return inputs


def design_stack(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    base: Base | None,
    workspace: Workspace,
    reporter: Reporter,
) -> Design:
    """Design a stack, and check that its outputs fit on their disks.

    Raises
    ------
    InvalidParameterError
        If an option does not fit the layers or the kind of products.
    OutputError
        If a disk is too small.
    """
    source, all_layers = stack_contents(plan, layers, options, base)
    layouts = _layouts(source, options, reporter)
    check_outputs_fit(options.outputs, _estimate_bytes(source, all_layers), workspace, reporter)
    for text in (
        *options.values.precision.describe(item.layer for item in all_layers),
        *describe_outputs(options.outputs, layouts),
    ):
        reporter.info(text)
    source, point = _reference(source, all_layers, options, base, layouts, reporter)
    return Design(
        source,
        all_layers,
        tuple(layer.name for layer in layers),
        layouts,
        options,
        base,
        point,
        _look_up(source, reporter) if options.enrich else None,
    )


def report_expected(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    base: Base | None,
    reporter: Reporter,
) -> int:
    """Report how a stack would be stored and whether it fits; return about how many bytes it takes.

    Raises
    ------
    InvalidParameterError
        If an option does not fit the layers or the kind of products.
    """
    source, all_layers = stack_contents(plan, layers, options, base)
    sizes = output_sizes(options.outputs, _estimate_bytes(source, all_layers))
    for final, size in sizes:
        reporter.info(f"{final} takes about {size / 1e6:,.0f} MB.")
    places = [(final, size) for final, size in sizes if isinstance(final, Path)]
    for folder, free in free_space([path for path, _ in places]).items():
        reporter.info(f"The disk of {folder} has {free / 1e6:,.0f} MB free.")
    try:
        check_space(places)
    except OutputError as error:
        reporter.warning(str(error))
    for text in (
        *options.values.precision.describe(item.layer for item in all_layers),
        *describe_outputs(options.outputs, _layouts(source, options, reporter)),
    ):
        reporter.info(text)
    return sum(size for _, size in sizes)


def _layouts(source: StackSource, options: BuildOptions, reporter: Reporter) -> Layouts:
    """Return chunks, blocks and threads."""
    return Layouts.of(
        (len(source.steps), source.grid.height, source.grid.width),
        options.chunk_megabytes,
        options.memory_megabytes,
        reporter,
        options.sharding,
        # Workers of a cluster have threads of their own.
        None if options.scheduler is None else MOST_THREADS,
    )


def designed_dataset(design: Design, reporter: Reporter) -> xr.Dataset:
    """Return the stack as a lazy dataset, with all that is known before its pixels are read."""
    options, source = design.options, design.source
    attributes: dict[str, Any] = {}
    if options.data_access is not None:
        attributes |= options.data_access.attributes
    attributes[RECORD] = stack_record(
        source.placements,
        options.settings,
        design.product_layers,
        [item.name for item in design.layers],
    )
    dataset = stack_dataset(
        source, design.layers, options.history, design.point, design.details, attributes
    )
    if design.base is not None:
        carry_over(design.base.stack, dataset, options.enrich, reporter)
    return dataset


def stack_contents(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, base: Base | None
) -> tuple[StackSource, tuple[StackLayer, ...]]:
    """Return where the blocks of a stack come from, and all its layers.

    Raises
    ------
    InvalidParameterError
        If look vectors are wanted and the layers that they need are not there.
    """
    kept = None if base is None else base.kept(plan.grid)
    source = StackSource.of(plan.grid, plan_steps(plan, options), options.values, kept)
    if any(len(step) > 1 for step in source.steps):
        layers = (*layers, SOURCE_FRAME)
    if options.look_vectors:
        check_angles(layers)
        layers = (*layers, *LOOK_VECTORS)
    if options.masks:
        inputs = mask_inputs(layers)
        source = replace(source, mask_inputs=inputs)
        layers = (*layers, *mask_layers(inputs))
    return source, stack_layers(layers, options.static_mode)


def plan_steps(plan: Plan, options: BuildOptions) -> list[Step]:
    """Return the products of each step: one, or the frames of a pass."""
    if not options.merge_passes or plan.placements[0].product.name.is_insar:
        return [(placement,) for placement in plan.placements]
    placements = {placement.product.name.text: placement for placement in plan.placements}
    return [
        tuple(placements[frame.name.text] for frame in frames)
        for frames in group_passes([placement.product for placement in plan.placements])
    ]


def _estimate_bytes(source: StackSource, layers: Sequence[StackLayer]) -> int:
    """Return about how many bytes the layers take; chunks without data take none."""
    grid = source.grid
    covered = sum(placement.covered_pixels(grid) for placement in source.placements)
    total = 0.0
    for item in layers:
        itemsize = 1 if item.layer.is_mask else 4
        total += itemsize * (covered if item.per_step else grid.width * grid.height)
    return int(total * COMPRESSED)


def _reference(
    source: StackSource,
    layers: Sequence[StackLayer],
    options: BuildOptions,
    base: Base | None,
    layouts: Layouts,
    reporter: Reporter,
) -> tuple[StackSource, ReferencePoint | None]:
    """Return a source that references all pairs to one point, and the point, if it is wanted."""
    wanted = options.reference_point
    if wanted is None:
        return source, None
    if not source.placements[0].product.name.is_insar:
        raise InvalidParameterError(
            "REFERENCE_POINT is for interferograms; leave it out for backscatter."
        )
    plain_layers = [item.layer for item in layers]
    if base is None:
        made = reference_to_point(source, wanted, plain_layers, reporter, layouts.budget)
    else:
        made = reference_new_steps(source, base, plain_layers)
    point = made[1]
    reporter.info(
        f"All pairs are referenced to the pixel at {point.x:.1f}, {point.y:.1f} "
        f"({source.grid.crs})."
    )
    return made


def _look_up(source: StackSource, reporter: Reporter) -> Details:
    """Ask the catalog for the sources of all products."""
    products = [placement.product for placement in source.placements]
    return look_up_granules([name for item in products for name in item.source_granules], reporter)
