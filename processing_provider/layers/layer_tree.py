"""Names the layers of a stack, orders them in the layer tree, and says what a legend shows."""

from qgis import utils
from qgis.core import (
    QgsCoordinateTransform,
    QgsCsException,
    QgsLayerTree,
    QgsMapLayerLegendUtils,
    QgsProcessingLayerPostProcessorInterface,
    QgsProject,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QDockWidget

from ...core.products.layers import Role
from ...core.products.product_types import find_layer
from .frames.map_frames import dates_of_bands, period_of
from .frames.playing import prepare_playing

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


_MEASUREMENTS, _QUALITY, _MASKS, _OTHERS = _SUBGROUPS = (
    "Other measurements",
    "Quality",
    "Masks",
    "Geometry",
)
_BY_ROLE = {Role.MEASUREMENT.value: _MEASUREMENTS, Role.QUALITY.value: _QUALITY}
_PLACE = "hyp3_stack/place"
_FAR = 10.0
"""How many times wider than the layer a map is that shows too little of it."""
_MARGIN = 1.05

_INDICATORS = 24
"""Pixels that the clock beside a layer in time takes."""
_WIDEST = 400
"""Pixels that the panel of layers is made wide at most."""

_TITLES = {
    "displacement": "cumulative",
    "velocity": "line of sight",
    "velocity_standard_error": "",
    "temporal_coherence": "",
    "valid_pairs": "",
    "redundancy": "pairs that check others",
    "gap_count": "gaps in the network",
    "closure_error_share": "",
    "mask": "reasons of missing values",
    "mask_reason": "reasons of masking",
}
"""Short titles of variables that are not layers of products; others have their ``long_name``."""

_GUILLEMETS = str.maketrans("<>", "\u2039\u203a")

_kept = []


def layer_name(variable):
    """Return the name of a layer, without angle brackets: QGIS shows it as HTML in places."""
    layer = find_layer(variable.name)
    title = layer.title if layer is not None else _TITLES.get(variable.name)
    if title is None:
        title = variable.long_name
    return (f"{variable.name}: {title}" if title else variable.name).translate(_GUILLEMETS)


def shown_first(variables):
    """Return the one of some variables that shows when they are loaded: the first measurement.

    The measurement that a product type is for comes first in a stack.
    """
    measured = (item for item in variables if _role(item) == Role.MEASUREMENT.value)
    return next(measured, variables[0])


def note_place(layer, place):
    """Note the place of a layer among those of its stack; 0 is that which shows."""
    layer.setCustomProperty(_PLACE, place)


def has_first_place(layer):
    """Return whether a layer is the one of its stack that shows."""
    return _place(layer) == 0


def stack_group(node):
    """Return the group of the stack to which the entry of a layer belongs, None for none."""
    group = node.parent()
    if group is not None and group.name() in _SUBGROUPS and group.parent() is not None:
        group = group.parent()
    return group if group is not None and group.parent() is not None else None


def tree_processor(variable, is_shown):
    """Return what orders the entry of a layer once it is in the layer tree."""
    return keep(_Entry("" if is_shown else _subgroup(variable)))


def keep(processor):
    """Return a post-processor: QGIS owns it, but calls Python only as long as Python keeps it."""
    _kept[:] = [kept for kept in _kept if not sip.isdeleted(kept)]
    _kept.append(processor)
    return processor


class _Entry(QgsProcessingLayerPostProcessorInterface):
    """Shows a layer, or turns it off and folds it into a subgroup."""

    def __init__(self, subgroup):
        super().__init__()
        self._subgroup = subgroup

    def postProcessLayer(self, layer, context, feedback):
        project = context.project() or QgsProject.instance()
        node = project.layerTreeRoot().findLayer(layer.id())
        if node is None:
            return
        if self._subgroup:
            node = _move(node, self._subgroup)
            node.setItemVisibilityChecked(False)
            node.setExpanded(False)
        else:
            prepare_playing(layer, project)
            _bring_into_view(layer, project)
        show_caption(layer, node)


def _subgroup(variable):
    if "flag_masks" in variable.attributes or "flag_values" in variable.attributes:
        return _MASKS
    return _BY_ROLE.get(_role(variable), _OTHERS)


def _role(variable):
    return variable.attributes.get("coverage_content_type")


def _move(node, name):
    """Move the entry of a layer into a subgroup of its group, and return its new self."""
    parent = node.parent()
    group = parent.findGroup(name) or _insert_group(parent, name)
    before = [child for child in group.findLayers() if _place(child.layer()) < _place(node.layer())]
    moved = node.clone()
    group.insertChildNode(len(before), moved)
    parent.removeChildNode(node)
    return moved


def _insert_group(parent, name):
    later = _SUBGROUPS[_SUBGROUPS.index(name) + 1 :]
    places = [
        place
        for place, child in enumerate(parent.children())
        if QgsLayerTree.isGroup(child) and child.name() in later
    ]
    group = parent.insertGroup(min(places, default=len(parent.children())), name)
    group.setExpanded(False)
    return group


def _place(layer):
    return int(layer.customProperty(_PLACE, 0)) if layer is not None else 0


def _bring_into_view(layer, project):
    """Make a layer the active one, and zoom to it where the map shows it hardly or not at all.

    Into an empty map QGIS zooms by itself.
    """
    if utils.iface is None or project is not QgsProject.instance():
        return
    utils.iface.setActiveLayer(layer)
    QTimer.singleShot(0, _make_room)  # once the tree has laid out its new entries
    canvas = utils.iface.mapCanvas()
    if canvas.layerCount() == 0:
        return
    crs = canvas.mapSettings().destinationCrs()
    try:
        extent = QgsCoordinateTransform(layer.crs(), crs, project).transformBoundingBox(
            layer.extent()
        )
    except QgsCsException:
        return  # This map cannot show the layer.
    view = canvas.extent()
    if not view.intersects(extent) or view.width() > _FAR * extent.width():
        extent.scale(_MARGIN)
        canvas.setExtent(extent)
        canvas.refresh()


def _make_room():
    """Widen the panel of layers to the names and captions in it, which QGIS cuts off."""
    window, view = utils.iface.mainWindow(), utils.iface.layerTreeView()
    panel = window.findChild(QDockWidget, "Layers")
    if panel is None or panel.isFloating() or not panel.isVisible():
        return
    missing = view.sizeHintForColumn(0) + _INDICATORS - view.viewport().width()
    width = min(panel.width() + missing, _WIDEST)
    if width > panel.width():
        window.resizeDocks([panel], [width], Qt.Orientation.Horizontal)
