"""What the legend says of a layer with many bands, of which the Temporal Controller shows one."""

from qgis.core import QgsMapLayerLegendUtils

from .frames.map_frames import dates_of_bands, period_of

_CAPTION = "hyp3_stack/caption"
_BAND_NODE = 0
"""Place in the legend of the line that names the band."""


def describe_bands(layer, stack):
    """Note the period of all bands for the legend, and the dates of each in the metadata.

    GDAL calls the bands of a NetCDF file ``pair=1`` or by a number of seconds, and QGIS cannot
    call them otherwise.
    """
    layer.setCustomProperty(_CAPTION, period_of(stack))
    metadata = layer.metadata()
    metadata.setHistory([f"Band {n}: {dates}" for n, dates in enumerate(dates_of_bands(stack), 1)])
    layer.setMetadata(metadata)


def describe_sense(layer):
    """Note for the legend of a map of motion what its colors mean."""
    layer.setCustomProperty(_CAPTION, "red is toward the satellite")


def show_caption(layer, node):
    """Say in the legend the period, or the sense of a motion, instead of the first band."""
    caption = layer.customProperty(_CAPTION)
    if caption:
        QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, _BAND_NODE, caption)
        layer.legendChanged.emit()  # what is drawn already is drawn anew
