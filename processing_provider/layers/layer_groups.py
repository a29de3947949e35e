"""Gives each stack a group of layers of its own, also where stacks have the same name."""

from itertools import count

from .layer_source import locate


def separate_groups(context):
    """Add a number to the group of layers that will be loaded where another stack has its name.

    To be called in the main thread, once an algorithm has ended.
    """
    project = context.project()
    if project is None:
        return
    root, store = project.layerTreeRoot(), context.temporaryLayerStore()
    owners = {}
    for identifier in sorted(context.layersToLoadOnCompletion()):
        layer = store.mapLayer(identifier)
        location = None if layer is None else locate(layer.source())
        if location is None:
            continue
        details = context.layerToLoadOnCompletionDetails(identifier)
        name, stack = details.groupName, location.path
        names = (name if number == 1 else f"{name} ({number})" for number in count(1))
        details.groupName = next(
            name
            for name in names
            if owners.get(name, stack) == stack and _takes(root.findGroup(name), stack)
        )
        owners[details.groupName] = stack


def _takes(group, stack):
    """Return whether a group holds layers of the stack already, or of none."""
    layers = [] if group is None else [node.layer() for node in group.findLayers()]
    locations = [locate(layer.source()) for layer in layers if layer is not None]
    stacks = {location.path for location in locations if location is not None}
    return not stacks or stack in stacks
