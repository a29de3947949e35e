"""Small colored pictures as PNG inside HTML, and those of some steps of a stack."""

from __future__ import annotations

import base64
import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from ..files.written_stack import WrittenStack
from ..products.layers import UNWRAPPED_PHASE
from .pixel_checks import primary

Colors = tuple[tuple[int, int, int], ...]
"""Red, green and blue of evenly spaced colors."""

VIRIDIS: Colors = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""Five colors of the map viridis (public domain)."""

RED_BLUE: Colors = (
    (178, 24, 43),
    (239, 138, 98),
    (247, 247, 247),
    (103, 169, 207),
    (33, 102, 172),
)
"""Five of the diverging colors of ColorBrewer (Brewer 2002, Apache license)."""


def picture(values: NDArray[Any], low: float, high: float, colors: Colors = VIRIDIS) -> str:
    """Return an image as the address of an ``img`` element.

    Parameters
    ----------
    values
        Shape (rows, columns); NaN is transparent.
    low, high
        Values of the first and the last color.
    colors
        From low to high.
    """
    stops = np.array(colors, float)
    present = ~np.isnan(values)
    share = np.clip((np.nan_to_num(values) - low) / max(high - low, 1e-12), 0.0, 1.0)
    position = share * (len(stops) - 1)
    bands = [np.interp(position, np.arange(len(stops)), stops[:, n]) for n in range(3)]
    image = np.stack([*bands, np.where(present, 255, 0)]).round().astype("uint8")
    with MemoryFile() as memory, warnings.catch_warnings():
        # Pictures have no place on the map.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(
            driver="PNG", width=image.shape[2], height=image.shape[1], count=4, dtype="uint8"
        ) as file:
            file.write(image)
        data = memory.read()
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def color(share: float) -> str:
    """Return the color of a share from 0 to 1, as CSS and SVG write it."""
    position = min(max(share, 0.0), 1.0) * (len(VIRIDIS) - 1)
    mixed = (
        np.interp(position, np.arange(len(VIRIDIS)), np.array(VIRIDIS)[:, n]) for n in range(3)
    )
    return "#" + "".join(f"{round(float(value)):02x}" for value in mixed)


def color_bar(colors: Colors = VIRIDIS) -> str:
    """Return colors as a CSS gradient."""
    return f"linear-gradient(to right, {', '.join(f'rgb{color}' for color in colors)})"


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

    None where there is nothing to show, or where a map takes the chunks of all steps. From an
    object store less is read.
    """
    name = primary(stack) or _first_measured(stack)
    if name is None:
        return None
    variable = stack.raw.variables[name]
    if stack.blocks.array(name).chunks[0] > 1:
        return None
    count, height, width = variable.shape
    most = _MOST_REMOTE_BYTES if is_remote else _MOST_BYTES
    number = min(count, _MOST, most // max(1, height * width * variable.dtype.itemsize))
    if not number:
        return None
    steps = tuple(sorted({int(step) for step in np.linspace(0, count - 1, number).round()}))
    stride = max(1, math.ceil(max(height, width) / _SIDE))
    every = slice(None)
    read = (stack.read(name, [step], every, every)[0, ::stride, ::stride] for step in steps)
    maps = np.stack([*read]).astype("f8")
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
        if stack.raw.variables[name].ndim == 3 and stack.raw.variables[name].dtype.kind == "f"
    ]
    return measured[0] if measured else None
