"""The pixels of a grid that a place stands for."""

import math
from dataclasses import dataclass

from osgeo import gdal, ogr, osr


@dataclass(frozen=True)
class Footprint:
    """Pixels of a window of a grid.

    ``rows`` and ``columns`` are counted every ``stride`` pixels from ``top`` and ``left``;
    ``inside`` has a byte for each of them, row after row, 1 where it belongs to the place.
    """

    top: int
    left: int
    rows: int
    columns: int
    inside: bytes
    stride: int = 1

    @property
    def size(self):
        """Number of pixels that belong to the place."""
        return sum(self.inside)


def around(shape, row, column, half, radius=math.inf):
    """Return the pixels within ``half`` rows and columns and a radius of pixels around one.

    Those beyond the edge of a grid of ``shape`` are left out. The pixel has to lie inside.
    """
    top, left = max(0, row - half), max(0, column - half)
    rows = min(shape[0], row + half + 1) - top
    columns = min(shape[1], column + half + 1) - left
    inside = bytes(
        math.hypot(top + down - row, left + across - column) <= radius
        for down in range(rows)
        for across in range(columns)
    )
    return Footprint(top, left, rows, columns, inside)


def covered_by(polygon, extent, shape, most):
    """Return the pixels whose centers lie in a polygon; None where there are none.

    Of a polygon whose window has more than ``most`` pixels, only every second, third, ... row and
    column counts. Polygon and ``extent``, of a grid of ``shape``, have one CRS.
    """
    height, width = shape
    across, down = extent.width() / width, extent.height() / height
    box = polygon.boundingBox()
    top = max(0, math.floor((extent.yMaximum() - box.yMaximum()) / down))
    bottom = min(height, math.ceil((extent.yMaximum() - box.yMinimum()) / down))
    left = max(0, math.floor((box.xMinimum() - extent.xMinimum()) / across))
    right = min(width, math.ceil((box.xMaximum() - extent.xMinimum()) / across))
    if bottom <= top or right <= left:
        return None
    rows, columns = bottom - top, right - left
    stride = min(rows, columns, math.ceil(math.sqrt(rows * columns / most)))
    rows, columns = rows // stride, columns // stride
    # So that the centers of the pixels that count are those of a coarse grid's.
    shift = stride // 2 + 0.5 - stride / 2
    origin = (
        extent.xMinimum() + (left + shift) * across,
        extent.yMaximum() - (top + shift) * down,
    )
    inside = _burnt(polygon, (rows, columns), origin, (stride * across, stride * down))
    return Footprint(top, left, rows, columns, inside, stride) if any(inside) else None


def _burnt(polygon, shape, origin, spacing):
    """Return 1 for each pixel of a grid whose center lies in a polygon."""
    rows, columns = shape
    raster = gdal.GetDriverByName("MEM").Create("", columns, rows, 1, gdal.GDT_Byte)
    raster.SetGeoTransform((origin[0], spacing[0], 0.0, origin[1], 0.0, -spacing[1]))
    shapes = ogr.GetDriverByName("Memory").CreateDataSource("")
    layer = shapes.CreateLayer("", osr.SpatialReference(), ogr.wkbUnknown)
    feature = ogr.Feature(layer.GetLayerDefn())
    feature.SetGeometry(ogr.CreateGeometryFromWkb(bytes(polygon.asWkb())))
    layer.CreateFeature(feature)
    gdal.RasterizeLayer(raster, [1], layer, burn_values=[1])
    return bytes(raster.ReadRaster())
