"""A layer and how it stands in a stack: for each step, or once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ..pixels.look_vectors import LOOK_VECTOR_NAMES
from ..products.layers import Layer


@dataclass(frozen=True)
class StackLayer:
    """A layer and how it stands in the stack."""

    layer: Layer  # the layer of the products
    per_step: bool  # True for (pair, y, x) or (time, y, x), False for (y, x)

    @cached_property
    def name(self) -> str:
        """Name of the variable."""
        return self.layer.variable


def stack_layers(layers: Sequence[Layer], static_mode: str) -> tuple[StackLayer, ...]:
    """Decide which layers are kept per step; ``static_mode`` is ``once`` or ``per_pair``."""
    return tuple(
        StackLayer(
            layer,
            per_step=not layer.static
            or (static_mode == "per_pair" and layer.name not in LOOK_VECTOR_NAMES),
        )
        for layer in layers
    )
