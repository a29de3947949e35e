"""Small colored pictures of a grid, as PNG inside HTML."""

from __future__ import annotations

import base64
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

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
