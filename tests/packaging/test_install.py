"""The content of the zip in a QGIS profile of its own, asked through qgis_process."""

import os
import subprocess
import zipfile

import pytest

pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def qgis_process(plugin_zip, tmp_path_factory):
    config = tmp_path_factory.mktemp("qgis config")
    with zipfile.ZipFile(plugin_zip) as archive:
        archive.extractall(config / "profiles" / "default" / "python" / "plugins")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    environment |= {"QGIS_CUSTOM_CONFIG_PATH": str(config), "QT_QPA_PLATFORM": "offscreen"}

    def run(*arguments):
        return subprocess.run(
            ["qgis_process", *arguments],
            env=environment,
            cwd=config,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    enabled = run("plugins", "enable", "hyp3_stack")
    assert enabled.returncode == 0, enabled.stdout + enabled.stderr
    return run


def test_enabled_plugin_is_loaded(qgis_process):
    done = qgis_process("plugins", "list")
    assert done.returncode == 0
    assert "* hyp3_stack" in done.stdout


def test_algorithms_are_listed(qgis_process):
    done = qgis_process("list")
    for algorithm in ("setupenvironment", "harmonizeproducts", "buildstack"):
        assert f"hyp3:{algorithm}" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_help_of_the_main_algorithm(qgis_process):
    done = qgis_process("help", "hyp3:buildstack")
    assert done.returncode == 0
    for name in ("INPUT", "NETCDF", "ZARR", "CHUNKING", "ON_BAD_PRODUCT"):
        assert name in done.stdout
