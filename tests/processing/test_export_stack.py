"""``hyp3:exportstack`` in QGIS, and what QGIS and its GDAL make of the files."""

import csv
from pathlib import Path

import pytest
from osgeo import gdal
from qgis.core import (
    QgsFeature,
    QgsGeometry,
    QgsPointXY,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
    edit,
)
from qgis.PyQt.QtCore import QDate, QTime

from hyp3_stack.processing_provider.layers.stack_description import quiet_gdal


@pytest.fixture
def export(algorithm, context, feedback, core_python, tmp_path):
    """Return a function that exports a stack into a new folder."""

    def run(stack, **parameters):
        given = {"INPUT": str(stack), "OUTPUT": str(tmp_path / "out"), **parameters}
        results, ok = algorithm("exportstack").run(given, context, feedback)
        assert ok, feedback.textLog()
        assert results["OUTPUT"] == str(tmp_path / "out")
        assert all(Path(path).is_file() for path in results["FILES"])
        return [Path(path) for path in results["FILES"]]

    return run


@pytest.mark.parametrize("steps_as", ["files", "bands"])
def test_geotiffs_are_cloud_optimized(export, stack_files, steps_as):
    """By GDAL's own validator."""
    validator = pytest.importorskip("osgeo_utils.samples.validate_cloud_optimized_geotiff")
    files = export(stack_files[1], FORMAT="geotiff", STEPS_AS=steps_as, LAYERS="unw_phase,dem")
    assert len(files) == (7 if steps_as == "files" else 2)
    for path in files:
        warnings, errors, _ = validator.validate(str(path), full_check=True)
        assert not warnings and not errors, path.name
        layer = QgsRasterLayer(str(path), path.stem)
        assert layer.isValid() and layer.crs().authid().startswith("EPSG:326")


def test_insar_explorer_s_points_keep_their_spatial_index(export, displacement_files):
    (points,) = [
        path
        for path in export(displacement_files[1], FORMAT="insar_explorer")
        if path.suffix == ".gpkg"
    ]
    layer = QgsVectorLayer(str(points), "points")
    assert layer.isValid() and layer.hasSpatialIndex() == layer.SpatialIndexPresent
    assert layer.crs().authid().startswith("EPSG:326")
    count = layer.featureCount()
    assert count == len(list(layer.getFeatures())) > 0
    first = next(layer.getFeatures())
    far = QgsPointXY(100.0, 100.0)
    around = QgsRectangle(99, 99, 101, 101)
    assert not list(layer.getFeatures(around))
    with edit(layer):
        assert layer.changeGeometry(first.id(), QgsGeometry.fromPointXY(far))
    assert [feature.id() for feature in layer.getFeatures(around)] == [first.id()]
    with edit(layer):
        assert layer.deleteFeature(first.id())
    assert not list(layer.getFeatures(around)) and layer.featureCount() == count - 1


def test_series_have_the_attributes_of_a_layer(export, displacement_files, context):
    with quiet_gdal():
        grid = QgsRasterLayer(f'NETCDF:"{displacement_files[0]}":velocity', "velocity")
    center = grid.extent().center()
    layer = QgsVectorLayer(
        f"Point?crs={grid.crs().authid()}&field=site:string&field=depth:double&field=dug:date"
        "&field=at:time&field=owners:string[]",
        "wells",
        "memory",
    )
    for number, name in enumerate(("north, 1", "south")):
        feature = QgsFeature(layer.fields())
        feature.setGeometry(
            QgsGeometry.fromPointXY(QgsPointXY(center.x() + 10, center.y() - 800 * number))
        )
        attributes = [QDate(2021, 3, 9), QTime(7, 5, 0), ["Ørsted", "b"]] if number else []
        feature.setAttributes([name, 1.5 * number, *attributes])
        assert layer.dataProvider().addFeature(feature)
    context.project().addMapLayer(layer)
    about, series = export(displacement_files[0], FORMAT="series", POINTS=layer.id())
    with open(about, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["site"], float(row["depth"])) for row in rows] == [("north, 1", 0), ("south", 1.5)]
    others = [(row["dug"], row["at"], row["owners"]) for row in rows]
    assert others == [("", "", ""), ("2021-03-09", "07:05:00", '["Ørsted", "b"]')]
    for row, y in zip(rows, (center.y(), center.y() - 800), strict=True):
        half = grid.rasterUnitsPerPixelX() / 2
        assert abs(float(row["x"]) - center.x() - 10) <= half
        assert abs(float(row["y"]) - y) <= half
    with open(series, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    bands = gdal.Open(f'NETCDF:"{displacement_files[0]}":displacement').RasterCount
    assert len(rows) == 2 * bands
    assert {row["site"] for row in rows} == {"north, 1", "south"}
