"""Estimates what a stack takes and whether its disks hold it, before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..dataset.options import BuildOptions
from ..dataset.stack_layer import StackLayer
from ..machine.disk import COMPRESSED, check_space
from ..pixels.source import StackSource
from ..run.reporter import Reporter
from .workspace import Workspace


def estimate_bytes(source: StackSource, layers: Sequence[StackLayer]) -> int:
    """Return about how many bytes one output takes; chunks without data take none."""
    grid = source.grid
    covered = sum(placement.covered_pixels(grid) for placement in source.placements)
    total = 0.0
    for item in layers:
        itemsize = 1 if item.layer.is_mask else 4
        total += itemsize * (covered if item.per_step else grid.width * grid.height)
    return int(total * COMPRESSED)


def check_outputs(
    source: StackSource,
    layers: Sequence[StackLayer],
    options: BuildOptions,
    workspace: Workspace,
    reporter: Reporter,
) -> None:
    """Tell what the outputs take; what an earlier attempt has written is not needed again.

    Raises
    ------
    OutputError
        If a disk is too small.
    """
    size = estimate_bytes(source, layers)
    store = size * len(options.groups)
    sizes: dict[Path, int] = {}
    if options.netcdf is not None:
        sizes[options.netcdf] = size
    if options.zarr is not None:
        sizes[options.zarr] = store
    remote = 0 if options.remote is None else store
    reporter.info(f"The outputs take about {(sum(sizes.values()) + remote) / 1e6:,.0f} MB.")
    check_space([(path, max(0, need - workspace.used_bytes(path))) for path, need in sizes.items()])
