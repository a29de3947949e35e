"""The three scales of backscatter: power, amplitude and decibel."""

from __future__ import annotations

from html import escape

import numpy as np
import rasterio
from numpy.typing import NDArray

MISSING_DECIBEL = -3.4028234663852886e38
"""Missing data of HyP3 backscatter in decibels: the lowest float32."""


def power_raster(dataset: rasterio.DatasetReader, scale: str | None) -> str:
    """Return a virtual raster (VRT text) of backscatter in power.

    Warping averages pixels, and the mean of decibels or amplitudes is not the mean power. GDAL's
    pixel functions give 0 for missing decibels (10 to the power of a huge negative number).
    """
    function = "dB2pow" if scale == "decibel" else "intensity"
    georeference = ", ".join(map(repr, dataset.transform.to_gdal()))
    return (
        f'<VRTDataset rasterXSize="{dataset.width}" rasterYSize="{dataset.height}">'
        f"<SRS>{escape(dataset.crs.to_wkt())}</SRS><GeoTransform>{georeference}</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1" subClass="VRTDerivedRasterBand">'
        f"<PixelFunctionType>{function}</PixelFunctionType>"
        f"<SimpleSource><SourceFilename>{escape(dataset.name)}</SourceFilename>"
        "<SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )


def convert_scale(values: NDArray[np.float32], stored: str, wanted: str) -> NDArray[np.float32]:
    """Convert backscatter between power, amplitude and decibel.

    Power is the square of amplitude, and decibels are ten times the decimal logarithm of power.

    Parameters
    ----------
    values
        Backscatter, any shape; NaN stays NaN.
    stored, wanted
        ``power``, ``amplitude`` or ``decibel``.

    Returns
    -------
    ndarray
        float32, a new array unless both scales are the same; power 0 becomes NaN in decibels.
    """
    if stored == wanted:
        return values
    power = {
        "power": lambda: values,
        "amplitude": lambda: np.square(values),
        "decibel": lambda: np.power(np.float32(10.0), values / np.float32(10.0)),
    }[stored]()
    if wanted == "decibel":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(power > 0, np.float32(10.0) * np.log10(power), np.float32(np.nan))
    with np.errstate(invalid="ignore"):
        return np.sqrt(power) if wanted == "amplitude" else power
