"""What a stack holds: its steps and its layers, with those that are made from others."""

from __future__ import annotations

from dataclasses import replace

from ..append.base import Base
from ..dataset.options import BuildOptions
from ..dataset.stack_layer import StackLayer, stack_layers
from ..grid.plan import Plan
from ..pixels.look_vectors import LOOK_VECTORS, check_angles
from ..pixels.masks import mask_inputs, mask_layers
from ..pixels.source import StackSource, Step
from ..products.layers import SOURCE_FRAME, Layer
from ..selection.passes import group_passes


def stack_contents(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, base: Base | None
) -> tuple[StackSource, tuple[StackLayer, ...]]:
    """Return where the blocks of a stack come from, and all its layers.

    Parameters
    ----------
    plan
        Grid and placements.
    layers
        Layers of the products.
    options
        The user's choices.
    base
        The stack that is appended to, if any.

    Raises
    ------
    InvalidParameterError
        If look vectors are wanted and the layers that they need are not there.
    """
    stored = None if base is None else base.stored(plan.grid)
    source = StackSource.of(plan.grid, _steps(plan, options), options.values, stored)
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


def _steps(plan: Plan, options: BuildOptions) -> list[Step]:
    """Return the products of each step: one, or the frames of a pass."""
    if not options.merge_passes or plan.placements[0].product.name.is_insar:
        return [(placement,) for placement in plan.placements]
    placements = {placement.product.name.text: placement for placement in plan.placements}
    return [
        tuple(placements[frame.name.text] for frame in frames)
        for frames in group_passes([placement.product for placement in plan.placements])
    ]
