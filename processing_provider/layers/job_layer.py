"""Copies jobs, scenes and pairs from the core's GeoJSON file into a typed vector layer."""

import json
from pathlib import Path

from qgis.core import (
    QgsCategorizedSymbolRenderer,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsFillSymbol,
    QgsJsonUtils,
    QgsProcessingException,
    QgsProcessingLayerPostProcessorInterface,
    QgsRendererCategory,
    QgsSingleSymbolRenderer,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt

from .layer_tree import keep

_COLORS = ("#d95f02", "#1b6ca8", "#3a9a3a", "#b5179e", "#8c564b", "#007f7f", "#c9a400", "#555555")
_LINE = "0.5"
"""Width of an outline in millimeters."""
_APART = ("project", "path")
"""What outlines are told apart by: the first of these of which there are several."""

_TYPES = {
    "string": QMetaType.Type.QString,
    "integer": QMetaType.Type.Int,
    "double": QMetaType.Type.Double,
    "datetime": QMetaType.Type.QDateTime,
}


def job_sink(algorithm, parameters, name, context, columns, geometry=QgsWkbTypes.Type.MultiPolygon):
    """Return the sink behind parameter ``name`` and its id; ``columns``: pairs of name and type."""
    fields = QgsFields()
    for column, kind in columns:
        fields.append(QgsField(column, _TYPES[kind]))
    sink, identifier = algorithm.parameterAsSink(
        parameters,
        name,
        context,
        fields,
        geometry,
        QgsCoordinateReferenceSystem("EPSG:4326"),
    )
    if sink is None:
        raise QgsProcessingException(algorithm.invalidSinkError(parameters, name))
    return sink, identifier


def copy_features(path, columns, sink, feedback):
    """Add the features of a GeoJSON file to a sink; the order of ``columns`` is kept."""
    features = json.loads(Path(path).read_text(encoding="utf-8"))["features"]
    for number, item in enumerate(features, start=1):
        if feedback.isCanceled():
            raise QgsProcessingException("The run was canceled.")
        if not sink.addFeature(_feature(item, columns), QgsFeatureSink.Flag.FastInsert):
            reason = sink.lastError() or "no reason given"
            raise QgsProcessingException(
                f"Feature {number} cannot be written to the layer: {reason}."
            )
    sink.flushBuffer()


def draw_outlines(identifier, context):
    """Let QGIS draw the layer of jobs as outlines, which hide nothing, if it loads it."""
    if identifier in context.layersToLoadOnCompletion():
        details = context.layerToLoadOnCompletionDetails(identifier)
        details.setPostProcessor(keep(_Outlines()))


class _Outlines(QgsProcessingLayerPostProcessorInterface):
    """Draws each project, or each path of one project, in a color of its own."""

    def postProcessLayer(self, layer, context, feedback):
        for name in _APART:
            index = layer.fields().lookupField(name)
            values = sorted(v for v in layer.uniqueValues(index) if v) if index >= 0 else []
            if len(values) > 1:
                categories = [
                    QgsRendererCategory(value, _outline(place), f"{name} {value}")
                    for place, value in enumerate(values)
                ]
                # Jobs without a project, or whose path is not known.
                categories.append(QgsRendererCategory(None, _outline(len(values)), f"no {name}"))
                layer.setRenderer(QgsCategorizedSymbolRenderer(name, categories))
                break
        else:
            layer.setRenderer(QgsSingleSymbolRenderer(_outline(0)))
        layer.triggerRepaint()
        layer.emitStyleChanged()


def _outline(place):
    color = _COLORS[place % len(_COLORS)]
    return QgsFillSymbol.createSimple(
        {"style": "no", "outline_color": color, "outline_width": _LINE}
    )


def _feature(item, columns):
    feature = QgsFeature()
    properties = item["properties"]
    feature.setAttributes([_value(properties.get(name), kind) for name, kind in columns])
    if item.get("geometry"):
        geometry = QgsJsonUtils.geometryFromGeoJson(json.dumps(item["geometry"]))
        if geometry.type() == QgsWkbTypes.GeometryType.PolygonGeometry:
            geometry.convertToMultiType()
        feature.setGeometry(geometry)
    return feature


def _value(value, kind):
    if kind != "datetime" or value is None:
        return value
    return QDateTime.fromString(value, Qt.DateFormat.ISODate)
