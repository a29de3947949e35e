"""Samples of a raster's values for its style, without reading all of it."""

import math
import struct

from osgeo import gdal

from .stack_description import open_raster

_BANDS = 8
_SAMPLE = 256
_SIDE = 32
# Across and down, in the order of reading: whatever the number of bands, each is read far apart.
_PLACES = [
    (across / 3, down / 3)
    for across, down in zip(  # noqa: B905 - Python 3.9
        (1, 2, 0, 3, 2, 1, 3, 0, 1, 2, 0, 3, 1, 2, 0, 3),
        (1, 2, 3, 0, 1, 2, 3, 0, 0, 3, 1, 2, 3, 0, 2, 1),
    )
]
_WINDOW = 512
_WINDOWS = 200


def sample(source, of_last=False):
    """Return some hundred values of several bands, spread over time and place, in order.

    With ``of_last``, of the last band only. Missing data are left out. The number of bands and the
    size of the windows are fixed, so that a large stack takes no longer than a small one.
    """
    dataset = open_raster(source)
    if dataset is None:
        return []
    count = dataset.RasterCount
    bands = sorted({1 + round(i * (count - 1) / max(1, _BANDS - 1)) for i in range(_BANDS)})
    bands = bands[-1:] if of_last else bands
    values = []
    for number, place in enumerate(_PLACES):
        values += _window(dataset.GetRasterBand(bands[number % len(bands)]), *place)
    return sorted(values)


def distinct_values(source):
    """Return the values of a raster of bytes without missing data, and whether these are all.

    Of a large raster many windows are read, so that what is rare may be missing.
    """
    dataset = open_raster(source)
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
        data = _read(band, left, top, width, height, buf_type=gdal.GDT_Byte)
        found |= set(data) - {band.GetNoDataValue()}
    return found, len(read) == len(windows)


def percentile(values, percent):
    """Return the value below which ``percent`` of the sorted ``values`` lie."""
    return values[min(len(values) - 1, int(len(values) * percent / 100.0))]


def _window(band, across, down):
    width, height = min(_SAMPLE, band.XSize), min(_SAMPLE, band.YSize)
    columns, rows = min(_SIDE, width), min(_SIDE, height)
    left, top = int((band.XSize - width) * across), int((band.YSize - height) * down)
    data = _read(band, left, top, width, height, columns, rows, gdal.GDT_Float64)
    missing = band.GetNoDataValue()
    return [
        value
        for value in struct.unpack(f"={len(data) // 8}d", data)
        if math.isfinite(value) and value != missing
    ]


def _read(band, *place, **options):
    """Return bytes, none where they cannot be read: a style may do without."""
    try:
        return bytes(band.ReadRaster(*place, **options) or b"")
    except RuntimeError:
        return b""
