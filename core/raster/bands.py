"""What GDAL is given to warp: bands of several files as one raster, or the numbers of pixels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from html import escape

import numpy as np
import rasterio
from rasterio.crs import CRS
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from ..inputs.raster_grid import Raster
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

_REPEATED = 64
"""Columns or rows that are repeated. GDAL would stretch a single one, which takes longer."""


@dataclass(frozen=True)
class Band:
    """A layer as it is warped."""

    file: RasterFile  # its open file
    # What means no data in the file; one value stands for all of them when it is warped.
    missing: NoData
    # Value of warped blocks where there is none, and their data type.
    outside: float
    dtype: str
    # ``decibel`` or ``amplitude`` of backscatter that is averaged as power: the mean of decibels or
    # amplitudes is not the mean power.
    scale: str | None = None

    @property
    def settings(self) -> tuple[float | None, float, str]:
        """What bands that GDAL warps at once agree in: values for no data, and data type."""
        if self.scale is not None:
            # Power of 0 means no data.
            return 0.0, 0.0, self.dtype
        return self.missing.value, self.outside, self.dtype

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
    return _georeferenced(
        dataset.width, dataset.height, dataset.crs.to_wkt(), dataset.transform, bands
    )


def _georeferenced(width: int, height: int, crs: str, transform: Affine, bands: str) -> str:
    georeference = ", ".join(map(repr, transform.to_gdal()))
    return (
        f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}">'
        f"<SRS>{escape(crs)}</SRS><GeoTransform>{georeference}</GeoTransform>"
        f"{bands}</VRTDataset>"
    )


def joined_bands(bands: Sequence[Band]) -> str:
    """Return what to open for bands of files of one grid: a file, or a virtual raster (VRT)."""
    if len(bands) == 1 and bands[0].scale is None:
        return bands[0].path
    texts = (band.text(number) for number, band in enumerate(bands, start=1))
    return _virtual(bands[0].file, "".join(texts))


@contextmanager
def opened_positions(raster: Raster) -> Iterator[rasterio.DatasetReader]:
    """Open a raster of which the pixels hold their own row and column, counted from 1.

    It takes little memory: a few columns and a few rows are repeated all over it.
    """
    height, width = raster.height, raster.width
    # GDAL warps 16 bits sooner than 32.
    dtype = "uint16" if max(height, width) < 1 << 16 else "int32"
    row, column = np.ogrid[1 : height + 1, 1 : width + 1]
    bands = ""
    with ExitStack() as files:
        for number, (values, shape) in enumerate(
            ((row, (height, _REPEATED)), (column, (_REPEATED, width))), start=1
        ):
            repeated = np.broadcast_to(values, shape).astype(dtype)
            file = files.enter_context(MemoryFile(ext=".tif"))
            profile = {"height": shape[0], "width": shape[1], "count": 1, "dtype": dtype}
            with file.open(driver="GTiff", transform=raster.transform, **profile) as written:
                written.write(repeated, 1)
            sources = "".join(
                f"<SimpleSource>{_source(file.name)}{_rectangles(down, across, raster, shape)}"
                "</SimpleSource>"
                for down in range(0, height, shape[0])
                for across in range(0, width, shape[1])
            )
            bands += (
                f'<VRTRasterBand dataType="{_TYPES[dtype]}" band="{number}">{sources}'
                "</VRTRasterBand>"
            )
        crs = CRS.from_user_input(raster.crs).to_wkt()
        text = _georeferenced(width, height, crs, raster.transform, bands)
        yield files.enter_context(rasterio.open(text))


def _rectangles(down: int, across: int, raster: Raster, shape: tuple[int, int]) -> str:
    """Return what of a file of some shape goes where in a virtual raster."""
    height, width = min(shape[0], raster.height - down), min(shape[1], raster.width - across)
    return "".join(
        f'<{name} xOff="{x}" yOff="{y}" xSize="{width}" ySize="{height}"/>'
        for name, x, y in (("SrcRect", 0, 0), ("DstRect", across, down))
    )
