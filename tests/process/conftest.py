"""Runs algorithms through ``qgis_process``, as a user on the command line does.

These tests start programs and read files; they run under the core environment and import no QGIS.
"""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .products import product_folder

__all__ = ["product_folder"]

ROOT = Path(__file__).resolve().parents[2]
QGIS_PROCESS = shutil.which("qgis_process")

# A run that hangs must not hang the whole suite.
LIMIT_SECONDS = 120


@dataclass
class Run:
    """What a run of ``qgis_process`` gave."""

    returncode: int
    text: str
    outputs: dict = field(default_factory=dict)


@pytest.fixture(scope="session")
def qgis_environment(tmp_path_factory):
    """Environment variables with a QGIS profile of its own, in which the plugin is enabled."""
    if QGIS_PROCESS is None:
        pytest.skip("QGIS is not installed: there is no qgis_process")
    # A path with a space, as user names bring it about.
    home = tmp_path_factory.mktemp("qgis") / "a profile"
    plugins = home / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "hyp3_stack").symlink_to(ROOT, target_is_directory=True)
    runtime = home / "runtime"
    runtime.mkdir(mode=0o700)
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "EARTHDATA_", "HYP3_STACK_", "QGIS_"))
    }
    environ |= {
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(runtime),
        "QGIS_CUSTOM_CONFIG_PATH": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "HYP3_STACK_PYTHON": sys.executable,
    }
    enabled = subprocess.run(
        [QGIS_PROCESS, "plugins", "enable", "hyp3_stack"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert enabled.returncode == 0, enabled.stdout + enabled.stderr
    return environ


@pytest.fixture(scope="session")
def profile(qgis_environment):
    """Folder of the QGIS profile in use."""
    return Path(qgis_environment["QGIS_CUSTOM_CONFIG_PATH"]) / "profiles" / "default"


@pytest.fixture(scope="session")
def qgis_run(qgis_environment):
    """Return a function that runs one algorithm and waits for its end.

    ``qgis_run("hyp3:buildstack", INPUT=folder, NETCDF=file)``; ``environ`` adds variables, or takes
    them away where the value is None.
    """

    def run(algorithm, environ=None, **parameters):
        job = {"inputs": {name: _plain(value) for name, value in parameters.items()}}
        done = subprocess.run(
            [QGIS_PROCESS, "run", algorithm, "-"],
            input=json.dumps(job),
            env=changed(qgis_environment, environ),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        return Run(
            done.returncode,
            done.stdout + done.stderr,
            answer.get("results", {}),
        )

    return run


def changed(environ, changes):
    """Return ``environ`` with ``changes``; None removes a variable."""
    merged = {**environ, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def _plain(value):
    return str(value) if isinstance(value, Path) else value
