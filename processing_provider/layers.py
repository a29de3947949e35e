"""Makes QGIS layers of a stack: one for each variable, playing in the Temporal Controller."""

from html import escape

from osgeo import gdal
from qgis.core import Qgis, QgsDateTimeRange, QgsRasterLayer
from qgis.PyQt.QtCore import QDateTime

from .band_times import band_ranges
from .stack_file import StackFileError, gdal_version, quiet_gdal
from .styles import style
from .translation import tr

_MULTIBAND_ZARR = (3, 8)
"""GDAL version that shows a 3-D Zarr array as bands."""


def make_layer(stack, variable):
    """Return a styled layer of a variable; raises StackFileError if GDAL cannot open it."""
    # The default style would read bands for statistics that nobody needs.
    options = QgsRasterLayer.LayerOptions(loadDefaultStyle=False)
    with quiet_gdal():
        source = layer_source(stack, variable)
        layer = QgsRasterLayer(source, variable.long_name, "gdal", options)
    if not layer.isValid():
        raise StackFileError(
            tr("The variable {name} of {path} cannot be opened as a layer: {reason}.").format(
                name=variable.name, path=stack.path, reason=layer.error().summary()
            )
        )
    with quiet_gdal():
        style(layer, variable)
    if variable.steps:
        _set_times(layer, stack, variable)
    metadata = layer.metadata()
    metadata.setTitle(f"{stack.name}: {variable.long_name}")
    comment = str(variable.attributes.get("comment", ""))
    metadata.setAbstract(" ".join(text for text in (stack.title, comment) if text))
    layer.setMetadata(metadata)
    return layer


def layer_source(stack, variable):
    """Return the source string of a variable."""
    if not stack.is_zarr:
        return f'NETCDF:"{stack.path}":{variable.name}'
    if not variable.steps or gdal_version() >= _MULTIBAND_ZARR:
        return str(stack.path / stack.group / variable.name)
    return str(_slices(stack, variable))


def _set_times(layer, stack, variable):
    ranges = band_ranges(stack.begins, stack.ends)
    if len(ranges) != variable.steps:
        return
    properties = layer.temporalProperties()
    properties.setMode(Qgis.RasterTemporalMode.FixedRangePerBand)
    properties.setFixedRangePerBand(
        {
            band: QgsDateTimeRange(_qt(begin), _qt(end), True, False)
            for band, (begin, end) in enumerate(ranges, start=1)
        }
    )
    properties.setIsActive(True)


def _qt(moment):
    return QDateTime.fromMSecsSinceEpoch(round(moment.timestamp() * 1000)).toUTC()


def _slices(stack, variable):
    """Write a virtual raster with one band for each slice of a Zarr array, beside the store."""
    sources = [
        f'ZARR:"{stack.path}":/{stack.group}/{variable.name}:{step}'
        for step in range(variable.steps)
    ]
    first = gdal.Open(sources[0])
    if first is None:
        raise StackFileError(
            tr("The variable {name} of {path} cannot be read.").format(
                name=variable.name, path=stack.path
            )
        )
    folder = stack.path.with_name(f"{stack.path.stem}_layers")
    path = folder / f"{variable.name}.vrt"
    try:
        folder.mkdir(exist_ok=True)
        path.write_text(_virtual_raster(first, sources, stack), encoding="utf-8")
    except OSError as error:
        raise StackFileError(
            tr(
                "{path} cannot be written ({reason}); QGIS needs it with GDAL before 3.8 to show "
                "a Zarr store, so load the stack as NetCDF instead."
            ).format(path=path, reason=error.strerror)
        ) from None
    return path


def _virtual_raster(first, sources, stack):
    band = first.GetRasterBand(1)
    kind = gdal.GetDataTypeName(band.DataType)
    size = f'xSize="{first.RasterXSize}" ySize="{first.RasterYSize}"'
    columns, rows = band.GetBlockSize()
    lines = [
        f'<VRTDataset rasterXSize="{first.RasterXSize}" rasterYSize="{first.RasterYSize}">',
        f"<SRS>{escape(first.GetProjection(), quote=False)}</SRS>",
        f"<GeoTransform>{', '.join(map(repr, first.GetGeoTransform()))}</GeoTransform>",
    ]
    for number, source in enumerate(sources, start=1):
        file = escape(source, quote=False)
        name = ""
        if len(stack.begins) == len(sources):
            dates = dict.fromkeys(
                time[number - 1].strftime("%Y-%m-%d") for time in (stack.begins, stack.ends)
            )
            name = f"<Description>{' to '.join(dates)}</Description>"
        missing = band.GetNoDataValue()
        lines += [
            f'<VRTRasterBand dataType="{kind}" band="{number}">{name}',
            "" if missing is None else f"<NoDataValue>{missing!r}</NoDataValue>",
            f'<SimpleSource><SourceFilename relativeToVRT="0">{file}</SourceFilename>',
            "<SourceBand>1</SourceBand>",
            f'<SourceProperties RasterXSize="{first.RasterXSize}" '
            f'RasterYSize="{first.RasterYSize}" DataType="{kind}" '
            f'BlockXSize="{columns}" BlockYSize="{rows}"/>',
            f'<SrcRect xOff="0" yOff="0" {size}/><DstRect xOff="0" yOff="0" {size}/>',
            "</SimpleSource></VRTRasterBand>",
        ]
    return "\n".join([*lines, "</VRTDataset>"])
