"""What GDAL is given to warp: bands of several files as one raster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from ..products.nodata import NoData
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
    """A layer as it is warped."""

    file: RasterFile  # its open file
    # What means no data in the file; one value stands for all of them when it is warped.
    missing: NoData
    # ``decibel`` or ``amplitude`` of backscatter that is warped as power: warping averages pixels,
    # and the mean of decibels or amplitudes is not the mean power.
    scale: str | None = None

    def text(self, number: int) -> str:
        """Return the band as a part of a virtual raster."""
        source = _source(self.path)
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

    @property
    def path(self) -> str:
        """What to open for the band with one value for missing data: its file, or virtual rasters.

        Each of them puts that value in the place of another one.
        """
        opened = self.file.path
        for value in self.missing.others:
            band = (
                f'<VRTRasterBand dataType="{_TYPES[self.file.dtype]}" band="1">'
                f"<NoDataValue>{self.missing.value!r}</NoDataValue>"
                f"<ComplexSource>{_source(opened)}<NODATA>{value!r}</NODATA></ComplexSource>"
                "</VRTRasterBand>"
            )
            opened = _virtual(self.file, band)
        return opened


def _source(path: str) -> str:
    return f"<SourceFilename>{escape(path)}</SourceFilename><SourceBand>1</SourceBand>"


def _virtual(file: RasterFile, bands: str) -> str:
    """Return a virtual raster of the size and position of a file."""
    dataset = file.dataset
    georeference = ", ".join(map(repr, dataset.transform.to_gdal()))
    return (
        f'<VRTDataset rasterXSize="{dataset.width}" rasterYSize="{dataset.height}">'
        f"<SRS>{escape(dataset.crs.to_wkt())}</SRS><GeoTransform>{georeference}</GeoTransform>"
        f"{bands}</VRTDataset>"
    )


def joined_bands(bands: Sequence[Band]) -> str:
    """Return what to open for bands of files of one grid: a file, or a virtual raster (VRT)."""
    if len(bands) == 1 and bands[0].scale is None:
        return bands[0].path
    texts = (band.text(number) for number, band in enumerate(bands, start=1))
    return _virtual(bands[0].file, "".join(texts))
