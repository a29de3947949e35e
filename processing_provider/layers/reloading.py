"""Lets layers that a project has already show a stack that was built anew.

As long as a NetCDF file is open under a name, its library gives the old file to whoever opens that
name, also where another file has taken its place. Layers of the new file are therefore made under
another spelling of its name, and get the usual one here, where the old file is closed first.
"""

from pathlib import Path

from qgis import utils
from qgis.core import QgsDataProvider, QgsMapLayerStyle, QgsPalettedRasterRenderer, QgsRasterLayer

from .frames.playing import prepare_playing
from .gdal_names import usual_source
from .layer_source import locate
from .layer_tree import has_first_place, show_caption
from .stack_description import quiet_gdal
from .virtual_raster import replace_bands

_OURS = "hyp3_stack/"


def reload_in_place(context):
    """Give what would be loaded to the layers of the project that show the same already.

    They keep their name, style, place and id, by which layouts, themes and joins know them. To be
    called in the main thread, once an algorithm has ended.
    """
    project, store = context.project(), context.temporaryLayerStore()
    if project is None:
        return
    present = {_location(layer): layer for layer in project.mapLayers().values()}
    remaining, waiting = {}, []
    for identifier, details in context.layersToLoadOnCompletion().items():
        made = store.mapLayer(identifier)
        location = _location(made)
        layer = made if location is None else present.get(location, made)
        if layer is made:
            remaining[identifier] = details
        if location is not None and (layer is not made or made.source() != _usual(made)):
            waiting.append((layer, made, _usual(made), _style(layer, made)))
    if utils.iface is not None and waiting:
        utils.iface.mapCanvas().stopRendering()  # which has the files open as well
    bands = {path: path.read_text(encoding="utf-8") for path in _virtual_rasters(waiting)}
    for layer, made, *_ in waiting:
        for each in {layer, made}:
            _set_source(each, "")
    for path, text in bands.items():
        replace_bands(path, text)  # where GDAL may, it writes the old ones when they are closed
    for layer, made, source, style in waiting:
        _set_source(layer, source)
        style.writeToLayer(layer)
        if layer is not made:
            _take_over(layer, made, project)
            store.removeMapLayer(made)
    context.setLayersToLoadOnCompletion(remaining)


def _location(layer):
    return locate(layer.source()) if isinstance(layer, QgsRasterLayer) else None


def _usual(layer):
    return usual_source(layer.source())


def _virtual_rasters(waiting):
    paths = {Path(source) for _, _, source, _ in waiting}
    return [path for path in paths if path.suffix == ".vrt"]


def _style(layer, made):
    """Return the style of a layer or, where that does not fit any more, of what was made anew."""
    renderer = layer.renderer()
    fits = (
        renderer is not None
        and renderer.inputBand() <= made.bandCount()
        # Which classes there are depends on the values.
        and not isinstance(renderer, QgsPalettedRasterRenderer)
    )
    style = QgsMapLayerStyle()
    style.readFromLayer(layer if fits else made)
    return style


def _set_source(layer, source):
    with quiet_gdal():
        options = QgsDataProvider.ProviderOptions()
        layer.setDataSource(source, layer.name(), "gdal", options, False)


def _take_over(layer, made, project):
    """Give a layer what goes with the steps of another one."""
    ours, theirs = layer.temporalProperties(), made.temporalProperties()
    ours.setMode(theirs.mode())
    ours.setFixedRangePerBand(theirs.fixedRangePerBand())
    ours.setIsActive(theirs.isActive())
    for key in made.customPropertyKeys():
        if key.startswith(_OURS):
            layer.setCustomProperty(key, made.customProperty(key))
    layer.setMetadata(made.metadata())
    node = project.layerTreeRoot().findLayer(layer.id())
    if node is not None:
        show_caption(layer, node)
    if has_first_place(layer):
        prepare_playing(layer, project)
    layer.triggerRepaint()
