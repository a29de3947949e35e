"""QGIS's window on a display of its own, with the plugin in a fresh profile."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sample_products import SampleSpec, write_products

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "gui"
LIMIT_SECONDS = 900
SPEC = SampleSpec(
    products=6,
    rows=260,
    columns=260,
    layers=("unw_phase", "corr", "wrapped_phase", "dem", "water_mask"),
)
BACKSCATTER = SampleSpec("RTC_GAMMA", products=4, rows=240, columns=260, layers=("VV", "dem"))
SETTINGS = """\
[PythonPlugins]
hyp3_stack=true
processing=true

[qgis]
checkVersion=false

[app]
askToSaveMemoryLayers=false

[locale]
overrideFlag=true
userLocale=en_US
"""


@pytest.fixture(scope="session")
def display() -> Iterator[str]:
    """An X server that nobody sees."""
    program = shutil.which("Xvfb")
    assert program is not None, "Xvfb is missing; run make setup"
    reading, writing = os.pipe()
    command = [program, "-displayfd", str(writing), "-screen", "0", "1600x1000x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=[writing], stderr=subprocess.DEVNULL
    )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        number = pipe.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    server.terminate()
    server.wait(timeout=30)


@pytest.fixture(scope="session")
def session(display: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Facts of one session in QGIS; its pictures are in build/gui."""
    folder = tmp_path_factory.mktemp("gui session")
    write_products(folder / "products", SPEC)
    write_products(folder / "my backscatter", BACKSCATTER)
    (folder / "stack").mkdir()
    plugins = folder / "profiles" / "default" / "python" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "hyp3_stack").symlink_to(ROOT)
    python = os.environ.get("HYP3_STACK_PYTHON") or sys.executable
    return run_qgis(display, folder, "steps", SETTINGS, {"HYP3_STACK_PYTHON": python})


@pytest.fixture(scope="session")
def first_hour(display: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Facts of a session that begins with the zip in a fresh profile."""
    folder = tmp_path_factory.mktemp("Jane O'Doe's first hour")  # as user names bring about
    command = [sys.executable, str(ROOT / "scripts" / "package.py")]
    command += ["--build", str(folder / "build"), "--dist", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    # How pip reaches its index is the machine's affair.
    pip = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    settings = Path.home() / ".config" / "pip" / "pip.conf"
    if "PIP_CONFIG_FILE" not in pip and settings.is_file():
        pip["PIP_CONFIG_FILE"] = str(settings)
    fresh = SETTINGS.replace("hyp3_stack=true\n", "")
    return run_qgis(display, folder, "first_hour", fresh, pip)


def run_qgis(
    display: str, folder: Path, steps: str, settings: str, environ: dict[str, str]
) -> dict[str, Any]:
    """Run a module of steps in QGIS's window and return the facts that it noted."""
    profile = folder / "profiles" / "default"
    (profile / "QGIS").mkdir(parents=True)
    (profile / "QGIS" / "QGIS3.ini").write_text(settings)
    (folder / "runtime").mkdir(mode=0o700)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "DISPLAY": display,
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "QT_QPA_PLATFORM": "xcb",
        "HYP3_STACK_GUI_FOLDER": str(folder),
        "HYP3_STACK_GUI_ROOT": str(ROOT),
        "HYP3_STACK_GUI_STEPS": steps,
        **environ,
    }
    command = ["qgis", "--nologo", "--noversioncheck"]
    command += ["--profiles-path", str(folder), "--profile", "default"]
    command += ["--code", str(ROOT / "tests" / "gui" / "session.py")]
    log_file = folder / f"{steps}.log"
    with log_file.open("w") as log:
        done = subprocess.run(
            command, env=environ, stdout=log, stderr=log, timeout=LIMIT_SECONDS, check=False
        )
    PICTURES.mkdir(parents=True, exist_ok=True)
    for picture in [*folder.glob("*.png"), log_file]:
        shutil.copy(picture, PICTURES)
    facts = folder / "facts.json"
    said = log_file.read_text(errors="replace")
    assert facts.is_file(), f"QGIS ended with {done.returncode}: {said}"
    shutil.copy(facts, PICTURES / f"{steps}.json")
    found: dict[str, Any] = json.loads(facts.read_text())
    assert "failure" not in found, found["failure"]
    return {**found, "folder": str(folder), "exit": done.returncode, "said": said}
