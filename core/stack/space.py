"""Estimates what a stack takes on disk before anything is written."""

from __future__ import annotations

from collections.abc import Sequence

from ..disk import COMPRESSED
from .dataset import StackLayer
from .source import StackSource


def estimate_bytes(source: StackSource, layers: Sequence[StackLayer]) -> int:
    """Return about how many bytes one output takes; chunks without data take none."""
    grid = source.grid
    covered = sum(placement.covered_pixels(grid) for placement in source.placements)
    total = 0.0
    for item in layers:
        itemsize = 1 if item.layer.is_mask else 4
        total += itemsize * (covered if item.per_step else grid.width * grid.height)
    return int(total * COMPRESSED)
