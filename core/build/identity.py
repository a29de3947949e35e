"""Return whether two builds are the same: same inputs, same plan, same layout, same program."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ..grid.placement import Placement
from ..grid.plan import Plan
from ..products.layers import Layer
from ..version import plugin_version

_DIGITS = 16


def build_identity(plan: Plan, layers: Sequence[Layer], options: dict[str, Any]) -> str:
    """Return a short text that is the same for builds of which one can go on with the other's work.

    Parameters
    ----------
    plan
        Grid; its placements do not count.
    options
        What else decides on the outputs; anything that has a constant text.
    """
    facts = {
        "version": plugin_version(),
        "grid": asdict(plan.grid),
        "layers": [layer.variable for layer in layers],
        "options": options,
    }
    return _digest(facts)


def placement_identity(placement: Placement) -> str:
    """Return a short text that is the same for products of which the same pixels are made.

    Inputs count by size and time of change of their files: a product that was retrieved again is
    another one.
    """
    return _digest(_facts(placement))


def _digest(facts: Any) -> str:
    """Return hexadecimal digits."""
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _facts(placement: Placement) -> list[Any]:
    product = placement.product
    if placement.kept_step is not None:
        return [product.name.text, placement.kept_step]
    return [
        product.name.text,
        str(product.location),
        placement.treatment.value,
        placement.bounds,
        [(stamp.size, stamp.modified) for _, stamp in sorted(product.stamps.items())],
        # Programs write them while a build is stopped, most without a word on missing data.
        {name: note.missing for name, note in product.notes.items() if note.missing is not None},
    ]
