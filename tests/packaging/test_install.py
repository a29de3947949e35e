"""The content of the zip in a QGIS profile of its own, asked through qgis_process."""

import os
import subprocess
import zipfile

import pytest

from hyp3_stack.core.contract import PARAMETERS

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


def test_algorithms_are_listed(qgis_process):
    done = qgis_process("list")
    assert done.returncode == 0
    for algorithm in PARAMETERS:
        assert f"hyp3:{algorithm}\t" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_help_explains_every_parameter(qgis_process):
    done = qgis_process("help", "hyp3:preparestack")
    assert done.returncode == 0
    assert "qgis_process run hyp3:preparestack" in done.stdout
    arguments = done.stdout.partition("Arguments\n")[2].partition("Outputs\n")[0]
    lines = arguments.splitlines()
    heads = [n for n, line in enumerate(lines) if line and line[0].isupper() and ":" in line]
    names = {lines[head].partition(":")[0] for head in heads}
    assert names >= {"FOLDER", "NETCDF", "ZARR", "CHUNKING", "ON_BAD_PRODUCT"}
    for head in heads:
        texts = [line for line in lines[head + 1 : head + 3] if line.startswith("\t")]
        assert any(
            not line.strip().startswith(("Argument type", "Default value")) for line in texts
        ), lines[head]
