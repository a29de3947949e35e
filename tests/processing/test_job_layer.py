"""Found jobs become a layer with types."""

import json

import pytest
from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtCore import QDate, QDateTime, QMetaType, Qt, QTime

from hyp3_stack.processing_provider.layers.job_layer import (
    copy_features,
    draw_outlines,
    job_sink,
)

COLUMNS = [
    ["project", "string"],
    ["reference", "datetime"],
    ["path", "integer"],
    ["size_mb", "double"],
]
RING = [[-118.0, 35.0], [-117.0, 35.0], [-117.0, 36.0], [-118.0, 35.0]]
ONE = {"type": "Polygon", "coordinates": [RING]}


def feature(geometry, *values):
    properties = {name: value for (name, _), value in zip(COLUMNS, values, strict=True)}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


@pytest.fixture
def source(tmp_path):
    features = [
        feature(
            {"type": "Polygon", "coordinates": [RING]}, "Ä", "2021-02-03T04:05:06+00:00", 87, 1.5
        ),
        feature({"type": "MultiPolygon", "coordinates": [[RING], [RING]]}, None, None, None, None),
        feature(None, "without footprint", "2021-02-03T04:05:06Z", 1, 0.0),
    ]
    path = tmp_path / "jobs.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    return path


@pytest.mark.parametrize("target", ["TEMPORARY_OUTPUT", "jobs.gpkg", "jobs.geojson"])
def test_attributes_and_geometries(algorithm, context, feedback, source, tmp_path, target):
    output = target if target == "TEMPORARY_OUTPUT" else str(tmp_path / "out" / target)
    (tmp_path / "out").mkdir()
    tested = algorithm("findjobs")
    sink, identifier = job_sink(tested, {"OUTPUT": output}, "OUTPUT", context, COLUMNS)
    copy_features(source, COLUMNS, sink, feedback)
    del sink
    layer = QgsProcessingUtils.mapLayerFromString(identifier, context)
    assert layer.crs().authid() in ("EPSG:4326", "OGC:CRS84")
    assert layer.wkbType() == QgsWkbTypes.Type.MultiPolygon
    fields = {field.name(): field.type() for field in layer.fields()}
    assert fields["project"] == QMetaType.Type.QString
    assert fields["reference"] == QMetaType.Type.QDateTime
    assert fields["path"] == QMetaType.Type.Int
    assert fields["size_mb"] == QMetaType.Type.Double
    first, second, third = layer.getFeatures()
    assert (first["project"], first["path"], first["size_mb"]) == ("Ä", 87, 1.5)
    expected = QDateTime(QDate(2021, 2, 3), QTime(4, 5, 6), Qt.TimeSpec.UTC)
    assert first["reference"].toUTC() == expected
    assert first.geometry().boundingBox().xMinimum() == -118.0
    assert all(not second[name] for name, _ in COLUMNS)
    assert second.geometry().constGet().numGeometries() == 2
    assert third.geometry().isEmpty()


def test_cancel_stops_the_copy(algorithm, context, feedback, source):
    sink, _ = job_sink(
        algorithm("findjobs"), {"OUTPUT": "TEMPORARY_OUTPUT"}, "OUTPUT", context, COLUMNS
    )
    feedback.cancel()
    with pytest.raises(QgsProcessingException, match="canceled"):
        copy_features(source, COLUMNS, sink, feedback)


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ([("a", 87), ("b", 87), (None, 87)], ["project a", "project b", "no project"]),
        ([("a", 87), ("a", 14)], ["path 14", "path 87", "no path"]),
        ([("a", 87), ("a", 87)], [""]),
    ],
)
def test_jobs_are_outlines_by_project_or_path(
    processing_plugin, algorithm, context, feedback, tmp_path, jobs, expected
):
    from processing.gui.Postprocessing import handleAlgorithmResults

    rows = [feature(ONE, project, "2021-02-03T04:05:06Z", path, 1.0) for project, path in jobs]
    path = tmp_path / "jobs.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), "utf-8")
    tested = algorithm("findjobs")
    output = QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", context.project())
    sink, identifier = job_sink(tested, {"OUTPUT": output}, "OUTPUT", context, COLUMNS)
    copy_features(path, COLUMNS, sink, feedback)
    del sink
    draw_outlines(identifier, context)
    assert handleAlgorithmResults(tested, context, feedback)
    (layer,) = context.project().mapLayers().values()
    items = layer.renderer().legendSymbolItems()
    assert [item.label() for item in items] == expected
    colors = []
    for item in items:
        part = item.symbol().symbolLayer(0)
        assert part.brushStyle() == Qt.BrushStyle.NoBrush
        colors.append(part.strokeColor().name())
    assert len(set(colors)) == len(colors)
