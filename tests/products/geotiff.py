"""Small GeoTIFFs of any form, with numbers by which each pixel is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.transform import from_origin

PROFILE: dict[str, Any] = {
    "driver": "GTiff",
    "width": 70,
    "height": 50,
    "count": 1,
    "dtype": "float32",
    "crs": "EPSG:32610",
    "transform": from_origin(500_040, 4_000_040, 80, 80),
}


def write_geotiff(path: Path, **options: Any) -> Path:
    """Write a file whose pixels are counted from the first, as far as the data type goes."""
    settings = {**PROFILE, **options}
    height, width = settings["height"], settings["width"]
    values = np.arange(height * width).reshape(1, height, width)
    values = values % 15 if settings["dtype"] == "uint8" else values % 30_000
    with rasterio.open(path, "w", **settings) as file:
        file.write(values.astype(settings["dtype"]))
    return path
