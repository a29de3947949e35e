"""From products to layers through an S3-compatible object store, as a user does it."""

import hashlib
import json
import os
import subprocess
import uuid
from pathlib import Path

import pytest
import xarray as xr

from tests.object_store.service import BUCKET, CLEAN, CREDENTIALS, KEY, SECRET
from tests.running import build

from .conftest import LIMIT_SECONDS

pytestmark = pytest.mark.qgis

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


def test_a_stack_goes_there_and_comes_back(qgis_run, object_store, product_folder, tmp_path):
    url = f"s3://{BUCKET}/{uuid.uuid4().hex}/my stack.zarr"
    # Credentials reach the core in the environment, the address as parameter.
    environ = {**CLEAN, **CREDENTIALS}
    options = {"INPUT": product_folder, "LAYERS": "unw_phase,corr", "CHUNKING": "spatial"}
    there = {"S3_ENDPOINT": object_store.endpoint}
    built = qgis_run("hyp3:buildstack", environ, ZARR_URL=url, **there, **options)
    assert built.returncode == 0, built.text
    assert built.outputs["ZARR_URL"] == url and "ZARR" not in built.outputs

    loaded = qgis_run("hyp3:loadstack", environ, INPUT=url, **there)
    assert loaded.returncode == 0, loaded.text
    assert "Warning" not in loaded.text.replace("DeprecationWarning", "")  # QGIS's own
    host = object_store.endpoint.partition("//")[2]
    gdal = {"AWS_S3_ENDPOINT": host, "AWS_HTTPS": "NO", "AWS_VIRTUAL_HOSTING": "FALSE"}
    local = build(product_folder, ZARR=tmp_path / "my stack.zarr", **options)
    names = ("unw_phase", "corr", "data_mask", "mask_reason")
    with xr.open_zarr(local.zarr, group="spatially_optimized", mask_and_scale=False) as stack:
        expected = [hashlib.sha256(stack[name].values.tobytes()).hexdigest() for name in names]
    found = pixels(built.outputs["LAYERS"] + loaded.outputs["LAYERS"], {**environ, **gdal})
    assert found == 2 * expected

    for run in (built, loaded):
        for secret in (SECRET, KEY):
            assert secret not in run.text
    assert not any(SECRET.encode() in item for item in object_store.contents(url[12:]).values())

    assessed = qgis_run("hyp3:assessstack", environ, INPUT=url, OUTPUT=tmp_path / "a.html", **there)
    assert assessed.returncode == 0, assessed.text
    assert assessed.outputs["MET"] > 0 and url in Path(tmp_path / "a.html").read_text()


def test_a_profile_in_place_of_variables(qgis_run, object_store, product_folder, tmp_path):
    config, secrets = tmp_path / "config", tmp_path / "credentials"
    config.write_text(f"[profile mine]\nendpoint_url = {object_store.endpoint}\n")
    secrets.write_text(f"[mine]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    environ = {
        **dict.fromkeys(CREDENTIALS),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(secrets),
    }
    url = f"s3://{BUCKET}/{uuid.uuid4().hex}/s.zarr"
    options = {"INPUT": product_folder, "LAYERS": "corr", "CHUNKING": "spatial", "MASKS": False}
    built = qgis_run("hyp3:buildstack", environ, ZARR_URL=url, S3_PROFILE="mine", **options)
    assert built.returncode == 0, built.text
    assert all(source.endswith((".vrt", "/corr")) for source in built.outputs["LAYERS"])
    loaded = qgis_run("hyp3:loadstack", environ, INPUT=url, S3_PROFILE="mine", VARIABLES="corr")
    assert loaded.returncode == 0, loaded.text
