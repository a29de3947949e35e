"""What the user enters arrives in the core in one form only."""

import json

import pytest
from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingFeatureSourceDefinition,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QDate, QDateTime, Qt, QTime

from hyp3_stack.processing_provider.parameters.job_values import Values

RING = "Polygon((400000 4000000, 500000 4000000, 500000 4100000, 400000 4000000))"
LATE = QTime(23, 30)


@pytest.fixture
def read(algorithm, context):
    """Return a function that gives the reader of some parameters of ``preparestack``."""

    def make(**parameters):
        made = Values(algorithm("preparestack"), parameters, context)
        return made

    return make


@pytest.mark.parametrize("nothing", [{}, {"PROJECT": None}, {"PROJECT": ""}, {"PROJECT": "  "}])
def test_what_was_not_given_is_none(read, nothing):
    values = read(**nothing)
    assert not values.given("PROJECT")
    assert values.text("PROJECT") is None
    for reader in (values.choice, values.number, values.flag, values.day, values.crs):
        assert reader("PROJECT") is None
    assert values.extent("PROJECT") is None
    assert values.destination("PROJECT") is None


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2021-02-03", "2021-02-03"),
        ("2021-02-03T23:59:59", "2021-02-03"),
        ("2021-02-03T23:30:00Z", "2021-02-03"),
        (QDateTime(QDate(2021, 2, 3), QTime(0, 0)), "2021-02-03"),
        (QDateTime(QDate(2021, 2, 3), QTime(23, 30), Qt.TimeSpec.UTC), "2021-02-03"),
        (
            QDateTime(QDate(2021, 2, 3), QTime(23, 30), Qt.TimeSpec.OffsetFromUTC, -7200),
            "2021-02-04",
        ),
        (QDate(2021, 2, 3), "2021-02-03"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_days_are_utc_days_wherever_the_computer_is(read, given, day, zone, monkeypatch):
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert read(START=given).day("START") == day
    finally:
        monkeypatch.undo()
        time.tzset()


def test_words_of_enums(read):
    assert read(CHUNKING="temporal").choice("CHUNKING") == "temporal"
    assert read(ZARR_FORMAT=3).choice("ZARR_FORMAT") == "3"


def test_lists_as_text(read):
    assert read(LAYERS="unw_phase, corr").text("LAYERS") == "unw_phase, corr"
    assert read(LAYERS=["unw_phase", "corr"]).text("LAYERS") == "unw_phase,corr"


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("EPSG:32606", "EPSG:32606"),
        (QgsCoordinateReferenceSystem("EPSG:3413"), "EPSG:3413"),
        ("ESRI:102001", "ESRI:102001"),
        ("OGC:CRS84", "OGC:CRS84"),
    ],
)
def test_codes_of_reference_systems(read, given, sent):
    assert read(TARGET_CRS=given).crs("TARGET_CRS") == sent


def test_reference_systems_without_a_code_are_sent_as_wkt(read):
    custom = QgsCoordinateReferenceSystem.fromProj("+proj=laea +lat_0=61.2 +lon_0=-150.3 +units=m")
    text = read(TARGET_CRS=custom).crs("TARGET_CRS")
    assert QgsCoordinateReferenceSystem.fromWkt(text) == custom


def test_extent_keeps_its_own_reference_system(read):
    expected = {"bounds": [-118.0, 35.0, -117.5, 35.5], "crs": "EPSG:4326"}
    assert read(EXTENT="-118,-117.5,35,35.5 [EPSG:4326]").extent("EXTENT") == expected
    rectangle = QgsReferencedRectangle(
        QgsRectangle(-118, 35, -117.5, 35.5), QgsCoordinateReferenceSystem("EPSG:4326")
    )
    assert read(EXTENT=rectangle).extent("EXTENT") == expected


@pytest.mark.parametrize("text", ["179.5,-179,51,52 [EPSG:4326]", " 179.5 ,-179 ,51,52[EPSG:4326]"])
def test_an_extent_across_the_antimeridian_is_not_swapped(read, text):
    expected = {"bounds": [179.5, 51, -179, 52], "crs": "EPSG:4326"}
    assert read(EXTENT=text).extent("EXTENT") == expected


def test_extent_without_reference_system_is_that_of_the_project(read, context):
    values = read(EXTENT="400000,500000,3800000,3900000")
    assert values.extent("EXTENT")["crs"] is None
    project = QgsProject()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32611"))
    context.setProject(project)
    expected = {"bounds": [400000.0, 3800000.0, 500000.0, 3900000.0], "crs": "EPSG:32611"}
    assert values.extent("EXTENT") == expected
    assert read(EXTENT=QgsRectangle(4e5, 38e5, 5e5, 39e5)).extent("EXTENT") == expected


def test_the_extent_of_a_layer(read, stack_files):
    source = f'NETCDF:"{stack_files[0]}":corr'
    layer = QgsRasterLayer(source, "corr", "gdal")
    box = layer.extent()
    expected = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
    for given in (layer, source):
        extent = read(EXTENT=given).extent("EXTENT")
        assert extent == {"bounds": pytest.approx(expected), "crs": "EPSG:32610"}


def test_temporary_outputs_have_the_ending_of_their_kind(read):
    values = read(
        NETCDF=QgsProcessing.TEMPORARY_OUTPUT,
        ZARR=QgsProcessing.TEMPORARY_OUTPUT,
    )
    assert values.destination("NETCDF", ".nc").endswith(".nc")
    assert values.destination("ZARR", ".zarr").endswith(".zarr")
    assert read(ZARR="/data/my store").destination("ZARR", ".zarr") == "/data/my store"


def test_everything_can_be_sent_as_json(read):
    values = read(
        EXTENT="1,2,3,4 [EPSG:4326]", START="2021-01-01", CHUNK_SIZE="2.5", TARGET_CRS="EPSG:32606"
    )
    sent = {
        "EXTENT": values.extent("EXTENT"),
        "START": values.day("START"),
        "CHUNK_SIZE": values.number("CHUNK_SIZE"),
        "TARGET_CRS": values.crs("TARGET_CRS"),
    }
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


@pytest.fixture
def job_layer(context):
    """A layer of three jobs in UTM, of which one is selected."""
    fields = "field=job_id:string&field=reference:datetime&field=path:integer"
    layer = QgsVectorLayer(f"Polygon?crs=EPSG:32611&{fields}", "jobs", "memory")
    moment = QDateTime(QDate(2021, 2, 3), QTime(4, 5, 6), Qt.TimeSpec.OffsetFromUTC, 3600)
    for number, path in ((1, 87), (2, NULL), (3, 5)):
        feature = QgsFeature(layer.fields())
        feature.setAttributes([f"job {number}", moment, path])
        if number < 3:
            feature.setGeometry(QgsGeometry.fromWkt(RING))
        layer.dataProvider().addFeature(feature)
    layer.selectByExpression("job_id = 'job 2'")
    context.project().addMapLayer(layer)
    return layer


def test_a_layer_arrives_as_geojson_in_degrees(read, job_layer):
    features = read(FOUND_JOBS=job_layer).job()["FOUND_JOBS"]["features"]
    assert [feature["properties"]["path"] for feature in features] == [87, None, 5]
    assert features[0]["properties"]["reference"] == "2021-02-03T03:05:06Z"
    ((first, *_),) = features[0]["geometry"]["coordinates"]
    assert first == pytest.approx([-118.1, 36.1], abs=0.1)
    assert features[2]["geometry"] is None
    json.dumps(features)


def test_only_what_is_selected_arrives(read, job_layer):
    chosen = QgsProcessingFeatureSourceDefinition(job_layer.id(), selectedFeaturesOnly=True)
    (feature,) = read(FOUND_JOBS=chosen).job()["FOUND_JOBS"]["features"]
    assert feature["properties"]["job_id"] == "job 2"


def test_a_layer_that_does_not_exist(read):
    with pytest.raises(QgsProcessingException, match="FOUND_JOBS"):
        read(FOUND_JOBS="/nowhere.gpkg").job()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("stack", "stack.nc"),
        ("there", "there"),
        ("stack.nc", "stack.nc"),
        ("stack.cdf", "stack.cdf"),
        ("2021.06", "2021.06"),
    ],
)
def test_a_new_file_without_an_ending_gets_one(read, tmp_path, given, path):
    (tmp_path / "there").touch()
    job = read(NETCDF=str(tmp_path / given), ZARR=str(tmp_path / "folder")).job()
    assert job["NETCDF"] == str(tmp_path / path)
    assert job["ZARR"] == str(tmp_path / "folder")
