"""Hands layers over to QGIS's project once an algorithm has ended."""

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingUtils,
)

from .gdal_names import usual_source
from .gdal_s3 import connect
from .layer_tree import note_place, shown_first, tree_processor
from .raster_layers import layer_source, make_layer
from .stack_description import StackFileError, open_stack

LAYERS = "LAYERS"


class LoadingCanceled(QgsProcessingException):
    """The user canceled while layers were made."""


def show_stack(outputs, load, context, feedback, address=None):
    """Return ``outputs`` with layer sources that this QGIS opens; load them if asked.

    The stack is complete by now, so that whatever fails here is a warning. ``address`` is that of
    a stack in an object store.
    """
    path = outputs.get("NETCDF") or outputs.get("ZARR")
    if address is not None:
        connect(address)
        path = path or address
    # Who cancels when the stack is complete gets it, but need not wait for its layers.
    has_project = load is not False and context.project() is not None and not feedback.isCanceled()
    if not path or not (has_project or "NETCDF" not in outputs):
        return outputs
    try:
        stack = open_stack(path)
        names = [_variable(source) for source in outputs.get(LAYERS, [])]
        chosen = [stack.variables[name] for name in names if name in stack.variables]
        outputs = {**outputs, LAYERS: [layer_source(stack, variable) for variable in chosen]}
        if has_project:
            hand_over(stack, chosen, context, feedback)
    except LoadingCanceled:
        feedback.pushInfo("The stack is complete; its layers are not loaded.")
    except StackFileError as error:
        feedback.pushWarning(f"The stack is complete, but its layers cannot be shown: {error}")
    return outputs


def hand_over(stack, variables, context, feedback, progress=None):
    """Make layers of variables and let QGIS load them, if it has a project; return the sources.

    ``progress`` is called with the percentage that is done.
    """
    layers = []
    for number, variable in enumerate(variables, start=1):
        if feedback.isCanceled():
            raise LoadingCanceled("The run was canceled.")
        layers.append(make_layer(stack, variable))
        feedback.pushInfo(_describe(variable))
        if progress is not None:
            progress(100.0 * number / len(variables))
    if context.project() is not None:
        first = shown_first(variables)
        ordered = sorted(zip(layers, variables), key=lambda item: item[1] is not first)  # noqa: B905
        for place, (layer, variable) in enumerate(ordered):
            note_place(layer, place)
            _load(context, layer, stack.name, variable, place)
    return [usual_source(layer.source()) for layer in layers]


def _variable(source):
    return source.replace("\\", "/").rpartition(":" if source.startswith("NETCDF:") else "/")[2]


def _describe(variable):
    if variable.steps:
        return f"{variable.name}: {variable.steps} bands"
    return f"{variable.name}: one band"


def _load(context, layer, group, variable, place):
    """Let QGIS add a layer; the first one comes to lie on top."""
    details = QgsProcessingContext.LayerDetails(
        layer.name(), context.project(), LAYERS, QgsProcessingUtils.LayerHint.Raster
    )
    details.forceName = True
    details.groupName = group
    details.layerSortKey = -place
    details.setPostProcessor(tree_processor(variable, is_shown=place == 0))
    context.temporaryLayerStore().addMapLayer(layer)
    context.addLayerToLoadOnCompletion(layer.id(), details)
