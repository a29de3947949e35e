"""Stacks in an S3-compatible object store as layers: the same pixels as on disk."""

import json
import os
import subprocess
import urllib.request
from urllib.parse import urlsplit

import pytest
from osgeo import gdal
from qgis.core import QgsPointXY, QgsProject, QgsRasterLayer

from hyp3_stack.core.object_store.address import parse_address
from hyp3_stack.processing_provider.layers import gdal_s3 as object_store
from hyp3_stack.processing_provider.layers.gdal_s3 import connect, connect_remembered
from hyp3_stack.processing_provider.layers.layer_source import locate
from hyp3_stack.processing_provider.layers.raster_layers import make_layer
from hyp3_stack.processing_provider.layers.stack_description import (
    StackFileError,
    open_stack,
)
from hyp3_stack.processing_provider.time_series.series.reader import Reader

from .conftest import CORE_PYTHON, ROOT

PAIRS = 3
KEY = "some folder/my stack.zarr"


@pytest.fixture(scope="module")
def service(fewer_files):
    """A service in the core's interpreter that holds the stack."""
    command = [CORE_PYTHON, "-m", "tests.object_store", str(fewer_files[1]), KEY]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    line = process.stdout.readline()
    if not line:
        pytest.skip("the core environment has no development packages")
    yield json.loads(line)
    process.stdin.close()
    process.wait(30)
    process.stdout.close()


@pytest.fixture
def environment(service, monkeypatch, tmp_path, settings):
    """Credentials for the service, and no traces of other tests in GDAL."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in service["credentials"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    gdal.SetConfigOption("CPL_AWS_AUTODETECT_EC2", "NO")
    yield service
    gdal.SetConfigOption("CPL_AWS_AUTODETECT_EC2", None)
    gdal.ClearPathSpecificOptions()
    gdal.VSICurlClearCache()


def url(service):
    return f"s3://{service['bucket']}/{KEY}"


def requests_of(service):
    with urllib.request.urlopen(f"{service['endpoint']}/-/requests") as answer:
        return json.load(answer)


@pytest.fixture
def stack(environment):
    address = parse_address(url(environment), environment["endpoint"])
    connect(address)
    return open_stack(address)


def pixels(source):
    return gdal.Open(source).ReadRaster()


def test_description_is_that_of_the_store_on_disk(stack, fewer_files):
    here = open_stack(fewer_files[1])
    assert stack.is_remote and not here.is_remote
    assert stack.variables == here.variables
    assert (stack.begins, stack.ends, stack.title) == (here.begins, here.ends, here.title)
    assert stack.name == here.name == "my stack"
    assert str(stack.path) == f"/vsis3/stacks/{KEY}"


def test_layers_have_the_pixels_of_the_store_on_disk(stack, fewer_files):
    here = open_stack(fewer_files[1])
    # Numbers and a mask in steps, and a layer without.
    for name in ("unw_phase", "data_mask", "dem"):
        variable = stack.variables[name]
        layer = make_layer(stack, variable)
        assert layer.isValid() and layer.bandCount() == max(1, variable.steps)
        expected = make_layer(here, variable)
        assert layer.extent() == expected.extent() and layer.crs() == expected.crs()
        assert pixels(layer.source()) == pixels(expected.source()), name
        assert locate(layer.source()) is not None


def test_nothing_is_listed_that_grows_with_the_number_of_chunks(stack, environment):
    requests_of(environment)
    make_layer(stack, stack.variables["unw_phase"])
    lists = [path for _, path in requests_of(environment) if "prefix=" in path]
    assert not [path for path in lists if "max-keys" not in path]


@pytest.mark.parametrize("form", ["s3://{}", "/vsis3/{}/temporally_optimized"])
def test_the_algorithm_takes_addresses(algorithm, context, feedback, environment, form):
    parameters = {
        "INPUT": form.format(f"{environment['bucket']}/{KEY}"),
        "VARIABLES": "corr,dem",
        "S3_ENDPOINT": environment["endpoint"],
    }
    results, ok = algorithm("loadstack").run(parameters, context, feedback)
    assert ok, feedback.textLog()
    assert [gdal.Open(source).RasterCount for source in results["LAYERS"]] == [PAIRS, 1]
    details = context.layersToLoadOnCompletion().values()
    assert {detail.groupName for detail in details} == {"my stack"}
    for secret in environment["credentials"].values():
        assert secret not in feedback.textLog() and secret not in json.dumps(results)


def test_a_project_is_opened_in_another_session(stack, environment, tmp_path):
    project = QgsProject()
    project.addMapLayer(make_layer(stack, stack.variables["unw_phase"]))
    project.addMapLayer(make_layer(stack, stack.variables["dem"]))
    assert project.write(str(tmp_path / "project.qgz"))
    project.clear()
    for secret in environment["credentials"].values():
        assert secret.encode() not in (tmp_path / "project.qgz").read_bytes()
    # What QGIS forgets when it ends.
    gdal.ClearPathSpecificOptions()
    gdal.VSICurlClearCache()
    connect_remembered()
    again = QgsProject()
    assert again.read(str(tmp_path / "project.qgz"))
    layers = again.mapLayers().values()
    assert len(layers) == 2 and all(layer.isValid() for layer in layers)
    for layer in layers:
        place = layer.extent().center()
        value, found = layer.dataProvider().sample(QgsPointXY(place), 1)
        assert found and value == value
    again.clear()


def test_settings_keep_the_way_but_no_secret(stack, environment, settings):
    settings.sync()
    text = open(settings.fileName(), encoding="utf-8").read()
    assert urlsplit(environment["endpoint"]).netloc in text
    for secret in environment["credentials"].values():
        assert secret not in text


def test_series_are_those_of_the_store_on_disk(stack, fewer_files):
    there = locate(make_layer(stack, stack.variables["unw_phase"]).source())
    here = open_stack(fewer_files[1])
    reader = Reader(there)
    assert (str(reader.path), reader.group) == (f"/vsis3/stacks/{KEY}", "temporally_optimized")
    expected = Reader(locate(make_layer(here, here.variables["unw_phase"]).source()))
    assert reader.shape == expected.shape
    row, column = (size // 2 for size in reader.shape)
    for window in (1, 3):
        found = reader.read(row, column, window)
        assert found == expected.read(row, column, window) and found.with_data == PAIRS
    assert reader.is_current()


def test_a_series_takes_few_requests(stack, environment):
    reader = Reader(locate(make_layer(stack, stack.variables["corr"]).source()))
    row, column = (size // 2 for size in reader.shape)
    reader.read(row, column)
    requests_of(environment)
    reader.read(row + 1, column + 1)
    assert len(requests_of(environment)) <= 2


def test_endpoint_of_the_environment(environment, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", environment["endpoint"])
    connect(parse_address(url(environment)))
    assert open_stack(url(environment)).variables


def test_profile_with_endpoint_and_keys(environment, monkeypatch, tmp_path):
    (tmp_path / "config").write_text(f"[profile mine]\nendpoint_url = {environment['endpoint']}\n")
    (tmp_path / "credentials").write_text(
        "[mine]\naws_access_key_id = OFPROFILE\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "OFENVIRONMENT")
    connect(parse_address(url(environment), profile="mine"))
    assert open_stack(url(environment)).variables
    prefix = f"/vsis3/{environment['bucket']}"
    assert gdal.GetPathSpecificOption(prefix, "AWS_ACCESS_KEY_ID") == "OFPROFILE"
    # Without it, the environment is used again.
    connect(parse_address(url(environment), environment["endpoint"]))
    assert gdal.GetPathSpecificOption(prefix, "AWS_ACCESS_KEY_ID") == "OFENVIRONMENT"
    assert open_stack(url(environment)).variables


def test_public_buckets_are_read_without_credentials(environment, monkeypatch):
    for name in environment["credentials"]:
        monkeypatch.delenv(name)
    connect(parse_address(url(environment), environment["endpoint"]))
    assert open_stack(url(environment)).variables


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("s3://stacks/nothing", "s3://stacks/nothing cannot be read as a stack ("),
        ("s3://nobody/nothing", "bucket does not exist"),
        ("s3:/x", "INPUT is 's3:/x', but it has to read like s3://bucket/folder/stack.zarr."),
        ("s3://stacks", "which is a whole bucket"),
        ("s3://me:hush@stacks/k", "INPUT must hold neither credentials nor a query"),
    ],
)
def test_bad_addresses(algorithm, context, feedback, environment, given, words):
    parameters = {"INPUT": given, "S3_ENDPOINT": environment["endpoint"]}
    _, ok = algorithm("loadstack").run(parameters, context, feedback)
    assert not ok
    assert words in feedback.textLog() and "Traceback" not in feedback.textLog()


def test_bad_endpoints(algorithm, context, feedback, environment):
    for endpoint, words in (
        ("http://127.0.0.1:9", "cannot be read as a stack (CURL error"),
        ("minio:9000", "S3_ENDPOINT is 'minio:9000', but it has to read like"),
    ):
        parameters = {"INPUT": url(environment), "S3_ENDPOINT": endpoint}
        _, ok = algorithm("loadstack").run(parameters, context, feedback)
        assert not ok and words in feedback.textLog()


def test_without_credentials_where_they_are_needed(environment, monkeypatch):
    for name in environment["credentials"]:
        monkeypatch.delenv(name)
    connect(parse_address("s3://nobody/k", environment["endpoint"]))
    with pytest.raises(StackFileError, match="there are no credentials; set S3_PROFILE"):
        open_stack("s3://nobody/k")


@pytest.mark.parametrize("given", ["s3:/x", "s3://bucket", "https://a.org/b", "s3://a:b@c/d"])
def test_addresses_are_checked_before_the_start(algorithm, context, given, core_python):
    parameters = {"INPUT": str(ROOT / "tests"), "ZARR_URL": given}
    ok, message = algorithm("buildstack").checkParameterValues(parameters, context)
    assert not ok and message.startswith("ZARR_URL ")
    parameters["ZARR_URL"] = "s3://bucket/key"
    assert algorithm("buildstack").checkParameterValues(parameters, context) == (True, "")


def test_a_raster_layer_needs_nothing_but_its_source(stack):
    source = make_layer(stack, stack.variables["dem"]).source()
    assert source.startswith("/vsis3/stacks/")
    assert QgsRasterLayer(source, "dem").isValid()
    assert object_store.why_unreadable(stack.path / ".zmetadata") == ""
