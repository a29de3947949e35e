"""Samples of a raster's values for its style, without reading all of it."""

import math
import struct

from osgeo import gdal

_BANDS = 8
_WINDOW = 512
_SIDE = 64
_WINDOWS = 200
_PLACES = ((0.5, 0.5), (0.25, 0.75), (0.75, 0.25), (0.3, 0.3), (0.7, 0.7))


def sample(source):
    """Return some hundred values of several bands, spread over time and place, in order.

    Missing data are left out. The number of bands and the size of the windows are fixed, so that a
    large stack takes no longer than a small one.
    """
    dataset = gdal.Open(source)
    if dataset is None:
        return []
    count = dataset.RasterCount
    bands = sorted({1 + round(i * (count - 1) / max(1, _BANDS - 1)) for i in range(_BANDS)})
    values = []
    for number, band in enumerate(bands):
        values += _window(dataset.GetRasterBand(band), *_PLACES[number % len(_PLACES)])
    return sorted(values)


def distinct_values(source):
    """Return the values of a raster of bytes without missing data, and whether these are all.

    Of a large raster many windows are read, so that what is rare may be missing.
    """
    dataset = gdal.Open(source)
    if dataset is None:
        return set(), False
    first = dataset.GetRasterBand(1)
    windows = [
        (number, left, top)
        for number in range(1, dataset.RasterCount + 1)
        for top in range(0, first.YSize, _WINDOW)
        for left in range(0, first.XSize, _WINDOW)
    ]
    found = set()
    read = windows[:: -(-len(windows) // _WINDOWS)]
    for number, left, top in read:
        width, height = min(_WINDOW, first.XSize - left), min(_WINDOW, first.YSize - top)
        band = dataset.GetRasterBand(number)
        data = band.ReadRaster(left, top, width, height, buf_type=gdal.GDT_Byte)
        found |= set(bytes(data or b"")) - {band.GetNoDataValue()}
    return found, len(read) == len(windows)


def percentile(values, percent):
    """Return the value below which ``percent`` of the sorted ``values`` lie."""
    return values[min(len(values) - 1, int(len(values) * percent / 100.0))]


def _window(band, across, down):
    width, height = min(_WINDOW, band.XSize), min(_WINDOW, band.YSize)
    columns, rows = min(_SIDE, width), min(_SIDE, height)
    data = band.ReadRaster(
        int((band.XSize - width) * across),
        int((band.YSize - height) * down),
        width,
        height,
        columns,
        rows,
        gdal.GDT_Float64,
    )
    missing = band.GetNoDataValue()
    return [
        value
        for value in struct.unpack(f"={columns * rows}d", data)
        if math.isfinite(value) and value != missing
    ]
