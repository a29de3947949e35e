"""A process of its own that asks of GDAL what QGIS is about to ask, and may die of it.

Run by path in the Python of QGIS, so that its GDAL is the very library that QGIS reads with. It
takes one JSON object on standard input and answers with JSON lines: ``version`` of GDAL, ``at`` for
each step, and ``refused`` with GDAL's words where it does not open the stack. Parts that GDAL
refuses in words are no concern of this process: QGIS hears the same and says so. Needs ``osgeo``
and the standard library only.
"""

import json
import math
import sys
import time

ADDRESS_SPACE = 6 << 30
"""Bytes that the process may take: a damaged size must not take all the memory of the computer."""

_SMALL = 1 << 20
"""Elements of what is read whole."""

_READ_BYTES = 192 << 20
"""Bytes of pixels to read, before compression: all of a small stack, samples of a large one."""

_READ_SECONDS = 20.0
"""How long to read pixels: a stack behind a slow line is not to wait for minutes."""


def main():
    """Read the job and try."""
    # The folder of this file would make the modules beside it top-level names.
    sys.path.pop(0)
    job = json.loads(sys.stdin.readline())
    _limit_memory()
    from osgeo import gdal

    gdal.UseExceptions()
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    gdal.SetConfigOption("GDAL_PAM_ENABLED", "NO")
    _say(version=gdal.VersionInfo())
    for name, value in job["config"].items():
        gdal.SetConfigOption(name, value)
    for prefix, options in job["stores"].items():
        for name, value in options.items():
            gdal.SetPathSpecificOption(prefix, name, value)
    _Trial(gdal, job).run()


class _Trial:
    """Reads a stack as QGIS does: its description, its small arrays, its layers."""

    def __init__(self, gdal, job):
        self._gdal = gdal
        self._path = job["path"]
        self._sources = job["sources"]
        self._slices = job["slices"]

    def run(self):
        try:
            dataset = self._gdal.OpenEx(self._path, self._gdal.OF_MULTIDIM_RASTER)
            root = dataset.GetRootGroup()
        except RuntimeError as error:
            _say(refused=str(error))
            return
        layers = []
        for name, source in self._sources.items():
            group = _attempt(root.OpenGroup, name) if name else root
            if group is not None:
                layers += [(f"{source}{layer}", steps) for layer, steps in self._describe(group)]
        for source, steps in layers:
            _attempt(self._read_layer, source, steps, len(layers))

    def _describe(self, group):
        """Read attributes and small arrays of a group; return names and steps of its layers."""
        layers = []
        self._read_attributes(group)
        for name in _attempt(group.GetMDArrayNames) or []:
            _say(at=name)
            array = _attempt(group.OpenMDArray, name)
            if array is None:
                continue
            self._read_attributes(array)
            for ask in (array.GetUnit, array.GetNoDataValueAsDouble, array.GetSpatialRef):
                _attempt(ask)
            dimensions = _attempt(array.GetDimensions) or []
            sizes = [dimension.GetSize() for dimension in dimensions]
            if [dimension.GetName() for dimension in dimensions][-2:] == ["y", "x"]:
                layers.append((name, sizes[0] if len(sizes) > 2 else 0))
            elif math.prod(sizes) <= _SMALL:
                _attempt(array.Read)
        return layers

    @staticmethod
    def _read_attributes(holder):
        for attribute in _attempt(holder.GetAttributes) or []:
            _attempt(attribute.Read)

    def _read_layer(self, source, steps, layers):
        """Read blocks of one of so many layers, spread over its bands and its area."""
        size, end = _READ_BYTES // layers, time.monotonic() + _READ_SECONDS / layers
        is_sliced = self._slices and steps > 0
        raster = self._gdal.Open(f"{source}:0" if is_sliced else source)
        raster.GetProjection(), raster.GetGeoTransform(), raster.GetMetadata()
        band = raster.GetRasterBand(1)
        columns, rows = band.GetBlockSize()
        across, down = -(-band.XSize // columns), -(-band.YSize // rows)
        count = across * down * (steps if is_sliced else raster.RasterCount)
        of_block = max(1, columns * rows * self._gdal.GetDataTypeSize(band.DataType) // 8)
        # An odd step meets all rows and columns of blocks, whose numbers are often even.
        stride = -(-count * of_block // size) | 1 if count * of_block > size else 1
        opened = 0
        for place in range(0, count, stride):
            _say(at=f"{source} {place}")
            number, place = divmod(place, across * down)
            row, column = divmod(place, across)
            if is_sliced and number != opened:
                raster, opened = _attempt(self._gdal.Open, f"{source}:{number}"), number
            band = raster and raster.GetRasterBand(1 if is_sliced else 1 + number)
            if band is None:
                continue
            left, top = column * columns, row * rows
            width, height = min(columns, band.XSize - left), min(rows, band.YSize - top)
            _attempt(band.ReadRaster, left, top, width, height)
            if time.monotonic() > end:
                return


def _attempt(ask, *arguments):
    """Return an answer of GDAL, None where it refuses in words."""
    try:
        return ask(*arguments)
    except MemoryError:
        raise
    except Exception:
        return None


def _limit_memory():
    try:
        import resource
    except ImportError:  # on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = ADDRESS_SPACE if hard == resource.RLIM_INFINITY else min(ADDRESS_SPACE, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def _say(**message):
    print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
