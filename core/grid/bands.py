"""What GDAL is given to warp: bands of several files as one raster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .raster_file import RasterFile

_TYPES = {
    "uint8": "Byte",
    "int8": "Int8",
    "int16": "Int16",
    "uint16": "UInt16",
    "int32": "Int32",
    "uint32": "UInt32",
    "int64": "Int64",
    "uint64": "UInt64",
    "float32": "Float32",
    "float64": "Float64",
}
_POWER = {"decibel": "dB2pow", "amplitude": "intensity"}
"""Pixel functions of GDAL; they give 0 for missing decibels (10 to the power of a huge negative
number)."""


@dataclass(frozen=True)
class Band:
    """A layer as it is warped.

    Parameters
    ----------
    file
        Its open file.
    missing
        What means no data in the file; None where every value is data.
    scale
        ``decibel`` or ``amplitude`` of backscatter that is warped as power: warping averages
        pixels, and the mean of decibels or amplitudes is not the mean power.
    """

    file: RasterFile
    missing: float | None
    scale: str | None = None

    def text(self, number: int) -> str:
        """Return the band as a part of a virtual raster."""
        path = escape(self.file.path)
        source = f"<SourceFilename>{path}</SourceFilename><SourceBand>1</SourceBand>"
        if self.scale is not None:
            return (
                f'<VRTRasterBand dataType="Float32" band="{number}" '
                'subClass="VRTDerivedRasterBand">'
                f"<PixelFunctionType>{_POWER[self.scale]}</PixelFunctionType>"
                f"<SimpleSource>{source}</SimpleSource></VRTRasterBand>"
            )
        return (
            f'<VRTRasterBand dataType="{_TYPES[self.file.dtype]}" band="{number}">'
            f"<SimpleSource>{source}</SimpleSource></VRTRasterBand>"
        )


def joined_bands(bands: Sequence[Band]) -> str:
    """Return what to open for bands of files of one grid: a file, or a virtual raster (VRT)."""
    if len(bands) == 1 and bands[0].scale is None:
        return bands[0].file.path
    file = bands[0].file.dataset
    georeference = ", ".join(map(repr, file.transform.to_gdal()))
    texts = (band.text(number) for number, band in enumerate(bands, start=1))
    return (
        f'<VRTDataset rasterXSize="{file.width}" rasterYSize="{file.height}">'
        f"<SRS>{escape(file.crs.to_wkt())}</SRS><GeoTransform>{georeference}</GeoTransform>"
        f"{''.join(texts)}</VRTDataset>"
    )
