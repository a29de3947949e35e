"""What the legend says of a layer with many bands, of which the Temporal Controller shows one."""

from qgis.core import (
    QgsMapLayerLegendUtils,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
)
from qgis.PyQt import sip

from .frames.map_frames import dates_of_bands, period_of
from .frames.playing import prepare_playing

_CAPTION = "hyp3_stack/caption"
_BAND_NODE = 0
"""Place in the legend of the line that names the band."""

_kept = []


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


def tree_processor(is_visible=True):
    """Return what changes the entry of one layer once it is in the layer tree.

    QGIS owns it, but calls Python only as long as Python keeps it, too.
    """
    _kept[:] = [kept for kept in _kept if not sip.isdeleted(kept)]
    _kept.append(_Entry(is_visible))
    return _kept[-1]


class _Entry(QgsProcessingLayerPostProcessorInterface):
    """Names the period, or the sense of a motion, instead of the first band.

    What is not visible is folded as well.
    """

    def __init__(self, is_visible):
        super().__init__()
        self._is_visible = is_visible

    def postProcessLayer(self, layer, context, feedback):
        caption = layer.customProperty(_CAPTION)
        project = context.project() or QgsProject.instance()
        node = project.layerTreeRoot().findLayer(layer.id())
        if node is None:
            return
        if not self._is_visible:
            node.setItemVisibilityChecked(False)
            node.setExpanded(False)
        if self._is_visible:
            prepare_playing(layer, project)
        if caption:
            QgsMapLayerLegendUtils.setLegendNodeUserLabel(node, _BAND_NODE, caption)
            layer.legendChanged.emit()  # what is drawn already is drawn anew
