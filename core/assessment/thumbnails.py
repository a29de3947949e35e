"""Small maps of some steps of a stack; how much is read for them is bounded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..files.written_stack import WrittenStack
from ..products.layers import UNWRAPPED_PHASE
from .picture import RED_BLUE, VIRIDIS, Colors
from .pixel_checks import primary

_MOST = 12
_SIDE = 180
"""Longest side in pixels."""

_MOST_BYTES = 64_000_000
_MOST_REMOTE_BYTES = 16_000_000
_PERCENTILES = (2.0, 98.0)


@dataclass(frozen=True)
class Thumbnails:
    """Small maps of a layer."""

    layer: str  # its name
    units: str  # of the values
    steps: tuple[int, ...]  # number of each step, from 0
    maps: NDArray[np.float64]  # shape (steps, rows, columns), NaN without data
    # Values of the first and the last color.
    low: float
    high: float
    colors: Colors  # from low to high


def read_thumbnails(stack: WrittenStack, is_remote: bool) -> Thumbnails | None:
    """Read every so many pixels of some steps, evenly spaced.

    None where there is nothing to show, or where a map takes the chunks of all steps.

    Parameters
    ----------
    is_remote
        Whether it lies in an object store, from which less is read.
    """
    name = primary(stack) or _first_measured(stack)
    if name is None:
        return None
    variable = stack.raw.variables[name]
    chunks = variable.encoding.get("chunksizes") or variable.encoding.get("chunks")
    if chunks and chunks[0] > 1:
        return None
    count, height, width = variable.shape
    most = _MOST_REMOTE_BYTES if is_remote else _MOST_BYTES
    number = min(count, _MOST, most // max(1, height * width * variable.dtype.itemsize))
    if not number:
        return None
    steps = tuple(sorted({int(step) for step in np.linspace(0, count - 1, number).round()}))
    stride = max(1, math.ceil(max(height, width) / _SIDE))
    fill = stack.number("_FillValue", name)
    maps = np.stack([variable[step].values[::stride, ::stride] for step in steps]).astype("f8")
    if fill is not None:
        maps[maps == fill] = np.nan
    units = stack.text("units", name)
    if name != UNWRAPPED_PHASE and units != "dB":
        with np.errstate(divide="ignore", invalid="ignore"):
            maps = np.where(maps > 0, 10.0 * np.log10(maps), np.nan)
        units = "dB" if stack.attribute("units", name) == "1" else f"10 log10 {units}".strip()
    known = maps[np.isfinite(maps)]
    if not known.size:
        return None
    low, high = (float(end) for end in np.percentile(known, _PERCENTILES))
    if name == UNWRAPPED_PHASE:
        high = max(abs(low), abs(high))
        return Thumbnails(name, units, steps, maps, -high, high, RED_BLUE)
    return Thumbnails(name, units, steps, maps, low, high, VIRIDIS)


def _first_measured(stack: WrittenStack) -> str | None:
    measured = [
        name
        for name in stack.layers
        if stack.raw[name].ndim == 3 and stack.raw[name].dtype.kind == "f"
    ]
    return measured[0] if measured else None
