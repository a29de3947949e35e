"""From products to layers through an S3-compatible object store, as a user does it."""

import hashlib
import json
import os
import subprocess
import uuid

import pytest
import xarray as xr

from tests.object_store.service import BUCKET, CLEAN, CREDENTIALS, KEY, SECRET, logged_in
from tests.running import build

from .conftest import LIMIT_SECONDS

pytestmark = pytest.mark.qgis

OPTIONS = {"LAYERS": "unw_phase,corr", "CHUNKING": "spatial"}

# QGIS's own Python reads the layers, with what GDAL takes from the environment.
READ = """
import hashlib, json, sys
from osgeo import gdal
gdal.UseExceptions()
print(json.dumps({
    source: hashlib.sha256(gdal.Open(source).ReadRaster()).hexdigest()
    for source in json.load(sys.stdin)
}))
"""


def pixels(sources, environ=None):
    """Return a fingerprint of each layer's pixels."""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", READ],
        input=json.dumps(sources),
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return [found[source] for source in sources]


@pytest.fixture(scope="module")
def there(qgis_run, object_service, product_folder):
    """A run that builds a stack in the store, with credentials in the environment."""
    url = f"s3://{BUCKET}/{uuid.uuid4().hex}/my stack.zarr"
    with logged_in(object_service):
        # Credentials reach the core in the environment, the address as parameter.
        built = qgis_run(
            "hyp3:buildstack",
            {**CLEAN, **CREDENTIALS},
            INPUT=product_folder,
            ZARR_URL=url,
            S3_ENDPOINT=object_service.endpoint,
            **OPTIONS,
        )
    assert built.returncode == 0, built.text
    assert built.outputs["ZARR_URL"] == url and "ZARR" not in built.outputs
    return built


def test_a_stack_goes_there(object_store, product_folder, there, tmp_path):
    host = object_store.endpoint.partition("//")[2]
    gdal = {"AWS_S3_ENDPOINT": host, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
    local = build(product_folder, ZARR=tmp_path / "my stack.zarr", **OPTIONS)
    names = ("unw_phase", "corr", "data_mask", "mask_reason")
    with xr.open_zarr(local.zarr, group="spatially_optimized", mask_and_scale=False) as stack:
        expected = [hashlib.sha256(stack[name].values.tobytes()).hexdigest() for name in names]
    assert pixels(there.outputs["LAYERS"], {**CLEAN, **CREDENTIALS, **gdal}) == expected

    for secret in (SECRET, KEY):
        assert secret not in there.text
    stored = object_store.contents(there.outputs["ZARR_URL"][12:])
    assert stored and not any(SECRET.encode() in item for item in stored.values())


def test_it_comes_back_with_a_profile_in_place_of_variables(
    qgis_run, object_store, there, tmp_path
):
    config, secrets = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile mine]\nendpoint_url = {object_store.endpoint}\n")
    secrets.write_text(f"[mine]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    environ = {
        **dict.fromkeys(CREDENTIALS),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(secrets),
    }
    given = {"INPUT": there.outputs["ZARR_URL"], "S3_PROFILE": "mine"}
    loaded = qgis_run("hyp3:loadstack", environ, VARIABLES="unw_phase,corr", **given)
    assert loaded.returncode == 0, loaded.text
    assert "Warning" not in loaded.text.replace("DeprecationWarning", "")  # QGIS's own
    assert loaded.outputs["LAYERS"] == there.outputs["LAYERS"][:2]
    assessed = qgis_run("hyp3:assessstack", environ, OUTPUT=tmp_path / "a.html", **given)
    assert assessed.returncode == 0, assessed.text
    assert assessed.outputs["MET"] > 0 and given["INPUT"] in (tmp_path / "a.html").read_text()
    for run in (loaded, assessed):
        for secret in (SECRET, KEY):
            assert secret not in run.text
