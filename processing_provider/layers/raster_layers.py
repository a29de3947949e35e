"""Makes QGIS layers of a stack: one for each variable, playing in the Temporal Controller."""

from html import escape

from qgis.core import Qgis, QgsDateTimeRange, QgsRasterLayer
from qgis.PyQt.QtCore import QDateTime

from .displacement_layers import is_toward
from .frames.band_times import band_ranges
from .frames.map_frames import note_frames
from .gdal_names import fresh_path, source_begin
from .layer_tree import describe_bands, describe_sense, layer_name
from .stack_description import MULTIBAND_ZARR, StackFileError, gdal_version, quiet_gdal
from .styles import style
from .virtual_raster import slices_as_bands


def make_layer(stack, variable):
    """Return a styled layer of a variable; raises StackFileError if GDAL cannot open it."""
    # The default style would read bands for statistics that nobody needs.
    options = QgsRasterLayer.LayerOptions(loadDefaultStyle=False)
    with quiet_gdal():
        source = _fresh_source(stack, variable)
        layer = QgsRasterLayer(source, layer_name(variable), "gdal", options)
    if not layer.isValid():
        raise StackFileError(
            f"The variable {variable.name} of {stack.path} cannot be opened as a layer: "
            f"{layer.error().summary()}."
        )
    with quiet_gdal():
        style(layer, variable)
    if variable.steps:
        _set_times(layer, stack, variable)
    metadata = layer.metadata()
    comment = str(variable.attributes.get("comment", ""))
    # QGIS shows both as HTML, but other people's files are the source of these texts.
    metadata.setTitle(escape(f"{stack.name}: {variable.long_name}", quote=False))
    metadata.setAbstract(
        escape(" ".join(text for text in (stack.title, comment) if text), quote=False)
    )
    layer.setMetadata(metadata)
    if variable.steps and len(stack.begins) == variable.steps:
        describe_bands(layer, stack)
        note_frames(layer, stack)
    elif is_toward(variable.name):
        describe_sense(layer)
    return layer


def layer_source(stack, variable):
    """Return the source string of a variable."""
    if not stack.is_zarr and '"' in str(stack.path):
        raise StackFileError(
            f"{stack.path} has a double quote in its path, with which GDAL opens no layer of a "
            "NetCDF file; rename the file or its folder."
        )
    if not stack.is_zarr or not variable.steps or gdal_version() >= MULTIBAND_ZARR:
        return f"{source_begin(stack.path, stack.group)}{variable.name}"
    return str(slices_as_bands(stack, variable))


def _fresh_source(stack, variable):
    """Return the source of a variable as nobody has opened it yet; see reloading.py."""
    source = layer_source(stack, variable)
    if stack.is_zarr:
        return source
    return f"{source_begin(fresh_path(stack.path), stack.group)}{variable.name}"


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
    """Return a moment in whole seconds, which are all that projects and styles keep."""
    return QDateTime.fromSecsSinceEpoch(round(moment.timestamp())).toUTC()
