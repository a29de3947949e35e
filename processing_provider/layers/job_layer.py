"""Copies jobs, scenes and pairs from the core's GeoJSON file into a typed vector layer."""

import json
from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsFeatureSink,
    QgsField,
    QgsFields,
    QgsJsonUtils,
    QgsProcessingException,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDateTime, QMetaType, Qt

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
