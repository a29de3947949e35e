"""Features of a vector layer as GeoJSON, the form in which the core takes them."""

import json
import math

from qgis.core import QgsCoordinateReferenceSystem, QgsFeatureRequest
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

DEGREES = "EPSG:4326"


def as_geojson(source, transform_context):
    """Return a feature source as a FeatureCollection in EPSG:4326; times are UTC, ISO 8601."""
    request = QgsFeatureRequest()
    request.setDestinationCrs(QgsCoordinateReferenceSystem(DEGREES), transform_context)
    names = source.fields().names()
    features = [
        {
            "type": "Feature",
            "properties": dict(zip(names, map(_plain, feature.attributes()))),  # noqa: B905
            "geometry": _geometry(feature.geometry()),
        }
        for feature in source.getFeatures(request)
    ]
    return {"type": "FeatureCollection", "features": features}


def _geometry(geometry):
    return None if geometry.isNull() else json.loads(geometry.asJson())


def _plain(value):
    """Return an attribute as JSON knows it; QGIS's NULL and what JSON has no form for is None."""
    if isinstance(value, QDateTime):
        return value.toUTC().toString(Qt.DateFormat.ISODate) if value.isValid() else None
    if isinstance(value, (QDate, QTime)):
        return value.toString(Qt.DateFormat.ISODate) if value.isValid() else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, int, bool)) else None
