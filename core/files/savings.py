"""Tells what rounding saves, measured on samples of the products before the stack is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..pixels.precision import largest_relative_error, round_mantissa
from ..pixels.source import StackSource
from ..pixels.static_layers import StaticReader
from ..run.reporter import Reporter, stop_if_canceled
from . import netcdf_file, zarr_store
from .space import estimate_bytes

_SIDE = 512
"""Side of a sample in pixels: a megabyte, like a small chunk."""


def tell_savings(
    source: StackSource,
    layers: Sequence[StackLayer],
    has_netcdf: bool,
    groups: int,
    reporter: Reporter,
) -> None:
    """Compress samples of each rounded layer, exact and rounded, and tell the difference.

    Parameters
    ----------
    source
        Where blocks come from; its options tell what is rounded.
    layers
        Layers of the stack.
    has_netcdf
        Whether a NetCDF file is written.
    groups
        Number of Zarr groups that are written.
    reporter
        Told of each layer and of all together.
    """
    precision = source.options.precision
    exact_source = replace(source, options=source.options.exact)
    whole = saved = 0.0
    for item in layers:
        size = estimate_bytes(source, [item]) * (has_netcdf + groups)
        whole += size
        bits = precision.bits(item.layer)
        if bits is None:
            continue
        stop_if_canceled(reporter)
        exact = rounded = 0
        for block in _samples(exact_source, item):
            exact += _compressed(block, item, has_netcdf, groups)
            round_mantissa(block, bits)
            rounded += _compressed(block, item, has_netcdf, groups)
        error = f"{100.0 * largest_relative_error(bits):.2g} %"
        text = f"KEEP_BITS: {item.name} keeps {bits} bits, so values change by at most {error}"
        if exact == 0:
            reporter.info(f"{text}; its sample has no data.")
            continue
        saved += size * (1.0 - rounded / exact)
        reporter.info(f"{text}; its sample takes {rounded / exact:.0%} of the exact size.")
    if saved:
        reporter.info(
            f"KEEP_BITS saves about {saved / 1e6:,.0f} of {whole / 1e6:,.0f} MB, judged by these "
            "samples."
        )


def _samples(source: StackSource, item: StackLayer) -> list[NDArray[Any]]:
    """Read blocks from the middle of products: of the first, a middle and the last step."""

    def middle(step: int) -> tuple[slice, slice]:
        grid = source.grid
        row, column = source.steps[step][0].center(grid)
        top = max(0, min(row - _SIDE // 2, grid.height - _SIDE))
        left = max(0, min(column - _SIDE // 2, grid.width - _SIDE))
        return slice(top, min(top + _SIDE, grid.height)), slice(left, min(left + _SIDE, grid.width))

    steps = [number for number in range(len(source.steps)) if source.has(item.layer, number)]
    if item.per_step:
        chosen = {steps[0], steps[len(steps) // 2], steps[-1]} if steps else set()
        return [source.read(item.layer, step, *middle(step)) for step in sorted(chosen)]
    return [
        StaticReader(source, compares=False).read(item.layer, *middle(step))[0]
        for step in steps[:1]
    ]


def _compressed(block: NDArray[Any], item: StackLayer, has_netcdf: bool, groups: int) -> int:
    size = groups * len(zarr_store.compressed(block)) if groups else 0
    return size + (len(netcdf_file.compressed(block, item.layer)) if has_netcdf else 0)
