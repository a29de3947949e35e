"""Finds the layers of a project whose steps in time can be drawn."""

from qgis.core import QgsProject, QgsRasterLayer

from ..layers.displacement_layers import DISPLACEMENT
from ..layers.layer_source import locate
from ..layers.layer_tree import stack_group


def is_stack_layer(layer):
    """Return whether a layer shows a variable of a stack that has steps in time."""
    return (
        isinstance(layer, QgsRasterLayer)
        and layer.isValid()
        and (layer.bandCount() > 1 or layer.temporalProperties().isActive())
        and locate(layer.source()) is not None
    )


def series_layer(layer):
    """Return the layer whose series belong to a layer: itself, or the displacement of its stack.

    None where the project has no such layer.
    """
    if is_stack_layer(layer):
        return layer
    location = locate(layer.source()) if isinstance(layer, QgsRasterLayer) else None
    if location is None:
        return None
    for other, _ in stack_layers():
        there = locate(other.source())
        if (there.path, there.variable) == (location.path, DISPLACEMENT):
            return other
    return None


def stack_layers():
    """Return (layer, name with its group) in the order of the layer tree."""
    found = []
    for node in QgsProject.instance().layerTreeRoot().findLayers():
        if is_stack_layer(node.layer()):
            group, name = stack_group(node), node.layer().name()
            found.append((node.layer(), f"{group.name()}: {name}" if group else name))
    return found
