"""Retrieval through ``qgis_process`` from a service on this machine."""

import json
import sqlite3
import subprocess

import pytest

from tests.hyp3_server import Hyp3Service, jobs_from_archives
from tests.sample_products import SampleSpec, write_products

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with three interferograms of one project."""
    folder = tmp_path_factory.mktemp("service")
    layers = ("unw_phase", "corr")
    write_products(folder, SampleSpec(products=3, rows=60, columns=70, layers=layers, zipped=True))
    with Hyp3Service() as running:
        running.add(*jobs_from_archives(folder.glob("*.zip"), "sample, 1"))
        yield running


def test_products_are_downloaded(qgis_run, service, tmp_path):
    account = {
        **service.environment,
        "HYP3_STACK_CACHE": str(tmp_path / "cache"),
        "EARTHDATA_TOKEN": service.accounts.token(service.user.name),
    }
    parameters = {"API_URL": service.url, "PROJECT": "sample, 1", "OUTPUT": tmp_path / "products"}
    done = qgis_run("hyp3:downloadproducts", account, **parameters)
    assert done.returncode == 0, done.text
    assert (done.outputs["DOWNLOADED"], done.outputs["SKIPPED"]) == (3, 0)
    assert json.loads((tmp_path / "products").joinpath(done.outputs["MANIFEST"]).read_text())


@pytest.fixture(scope="module")
def stored_login(qgis_environment, service, tmp_path_factory):
    """Variables for a run that logs in with QGIS's authentication database, and the id in it."""
    folder = tmp_path_factory.mktemp("auth")
    phrase = folder / "master"
    phrase.write_text("a master phrase")
    environ = {
        "QGIS_AUTH_DB_DIR_PATH": str(folder),
        "QGIS_AUTH_PASSWORD_FILE": str(phrase),
        "HYP3_STACK_CACHE": str(tmp_path_factory.mktemp("cache")),
        **service.environment,
    }
    script = f"""
from qgis.core import QgsApplication, QgsAuthMethodConfig
application = QgsApplication([], False)
application.initQgis()
QgsApplication.authManager().setMasterPassword("a master phrase", True)
config = QgsAuthMethodConfig()
config.setName("Earthdata")
config.setMethod("Basic")
config.setConfigMap({{"username": {service.user.name!r}, "password": {service.user.password!r}}})
stored, config = QgsApplication.authManager().storeAuthenticationConfig(config)
print("id", config.id() if stored else "none")
application.exitQgis()
"""
    done = subprocess.run(
        ["/usr/bin/python3", "-c", script],
        env={**qgis_environment, **environ},
        capture_output=True,
        text=True,
        timeout=120,
    )
    identifier = done.stdout.split()[-1] if done.returncode == 0 else "none"
    assert len(identifier) == 7, done.stdout + done.stderr
    return environ, identifier


@pytest.fixture(scope="module")
def proxy_of_qgis(profile, service):
    """Lets QGIS's options name the proxy that takes Earthdata Login's hosts to the service."""
    options = profile / "QGIS" / "QGIS3.ini"
    before = options.read_text()
    host, _, port = service.proxy_url.removeprefix("http://").partition(":")
    options.write_text(
        f"{before}\n[proxy]\nproxyEnabled=true\nproxyType=HttpProxy\nproxyHost={host}\n"
        f"proxyPort={port}\nnoProxyUrls=http://127.0.0.1\n"
    )
    yield
    options.write_text(before)


@pytest.fixture(scope="module")
def found(qgis_run, stored_login, proxy_of_qgis, service, tmp_path_factory):
    """A run that finds jobs with login and proxy of QGIS, and the file that it writes."""
    environ, identifier = stored_login
    output = tmp_path_factory.mktemp("found") / "jobs.gpkg"
    done = qgis_run(
        "hyp3:findjobs", environ, API_URL=service.url, AUTHCFG=identifier, OUTPUT=output
    )
    assert done.returncode == 0, done.text
    return done, output


def test_found_jobs_are_a_layer(found):
    done, output = found
    assert done.outputs["COUNT"] == 3
    assert done.outputs["PROJECTS"] == ["sample, 1"]
    assert done.outputs["OUTPUT"] == str(output)
    with sqlite3.connect(output) as database:
        rows = database.execute("SELECT project, job_type, geom IS NULL FROM jobs").fetchall()
    assert rows == [("sample, 1", "INSAR_GAMMA", 0)] * 3


def test_login_and_proxy_from_qgis_leave_no_trace(found, service):
    done, output = found
    assert service.log.of("proxy")
    assert service.user.password not in done.text
    for path in output.parent.rglob("*"):
        if path.is_file():
            assert service.user.password.encode() not in path.read_bytes(), path
