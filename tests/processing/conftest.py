"""QGIS inside the test process; run these tests with the Python of QGIS.

Nothing of the core environment is needed here, and nothing of it may be imported.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest

pytest.importorskip("qgis.core", reason="these tests run in the Python of QGIS")

from qgis.core import (  # noqa: E402
    QgsApplication,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsSettings,
)

from hyp3_stack.processing_provider.layers.raster_layers import make_layer  # noqa: E402
from hyp3_stack.processing_provider.layers.stack_description import open_stack  # noqa: E402
from hyp3_stack.processing_provider.provider import Provider  # noqa: E402
from tests.once import once  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CORE_PYTHON = os.environ.get("HYP3_STACK_PYTHON") or str(ROOT / ".venv" / "bin" / "python")
LIMIT_SECONDS = 300
LAYERS = ("unw_phase", "corr", "amp", "dem", "water_mask")


@pytest.fixture(scope="session", autouse=True)
def qgis_application(tmp_path_factory):
    """A QGIS with a profile and an authentication database of its own."""
    folder = tmp_path_factory.mktemp("qgis")
    environ = pytest.MonkeyPatch()
    environ.setenv("QGIS_CUSTOM_CONFIG_PATH", str(folder))
    environ.setenv("QGIS_AUTH_DB_DIR_PATH", str(folder))
    environ.delenv("HYP3_STACK_PYTHON", raising=False)
    application = QgsApplication([], True, str(folder))
    application.initQgis()
    yield application
    application.exitQgis()
    environ.undo()


@pytest.fixture(scope="session")
def processing_plugin(qgis_application):
    """QGIS's own plugin with ``processing.run`` and what the toolbox does after a run."""
    sys.path.append(str(Path(QgsApplication.pkgDataPath()) / "python" / "plugins"))
    from processing.core.Processing import Processing

    Processing.initialize()


@pytest.fixture
def provider(qgis_application):
    """The provider, registered."""
    made = Provider()
    registry = QgsApplication.processingRegistry()
    assert registry.addProvider(made)
    yield made
    registry.removeProvider(made)


@pytest.fixture
def algorithm(provider):
    """Return a function that gives a fresh algorithm by its name."""

    kept = []  # what an algorithm has given goes away with it

    def get(name):
        kept.append(provider.algorithm(name).create())
        return kept[-1]

    yield get


@pytest.fixture
def context():
    """A context with an empty project."""
    project = QgsProject()
    made = QgsProcessingContext()
    made.setProject(project)
    yield made
    # pytest lets go of the context only after QGIS has ended, which is too late for layers.
    made.temporaryLayerStore().removeAllMapLayers()


@pytest.fixture
def feedback():
    return QgsProcessingFeedback(False)


@pytest.fixture
def settings():
    """QGIS's settings, cleared again."""
    made = QgsSettings()
    yield made
    made.clear()


def events_until(condition):
    """Let QGIS work until a condition holds; an end that never comes fails."""
    limit = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < limit
        QgsApplication.processEvents()
        time.sleep(0.005)


@contextmanager
def running_service(folder, pairs, *options):
    """Give the variables of a HyP3 service with so many products, as zips."""
    products = make_products(folder / "zips", "--products", pairs, "--zip")
    ready = folder / "environment"
    command = ["-m", "tests.hyp3_server", "--products", products, "--environment", ready, *options]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [CORE_PYTHON, *map(str, command)], cwd=ROOT, stdout=log, stderr=log
        )
        try:
            while not ready.exists():
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.1)
            yield dict(line.split("=", 1) for line in ready.read_text().splitlines())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(LIMIT_SECONDS)


def layer_of(path, name):
    """Return a layer of a stack."""
    stack = open_stack(path)
    return make_layer(stack, stack.variables[name])


def layers_of(path):
    """Return all layers of a stack by name."""
    stack = open_stack(path)
    return {name: make_layer(stack, variable) for name, variable in stack.variables.items()}


def run_core_python(*arguments):
    """Run the interpreter of the core environment to its end, and return what it has printed."""
    if not Path(CORE_PYTHON).is_file():
        pytest.skip("no core environment: set HYP3_STACK_PYTHON")
    done = subprocess.run(
        [CORE_PYTHON, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make_products(folder, *arguments):
    """Write small sample products."""
    options = ("--size", 80, "--layers", ",".join(LAYERS))
    run_core_python("-m", "tests.sample_products", folder, *options, *arguments)
    return folder


@pytest.fixture
def core_python(monkeypatch):
    """The interpreter of the core environment, in use."""
    if not Path(CORE_PYTHON).is_file():
        pytest.skip("no core environment: set HYP3_STACK_PYTHON")
    monkeypatch.setenv("HYP3_STACK_PYTHON", CORE_PYTHON)
    return CORE_PYTHON


@pytest.fixture(scope="session")
def product_folder(tmp_path_factory):
    """A folder with six small products."""

    def make(folder):
        (folder / "a stack").mkdir()
        return make_products(folder / "a stack" / "products", "--products", 6)

    return once(tmp_path_factory, "products", make)


def run_task(folder, task, **parameters):
    """Run a task of the core in its own interpreter."""
    job = folder / "job.json"
    given = {name: str(value) for name, value in parameters.items()}
    job.write_text(json.dumps({"protocol": 1, "task": task, "parameters": given}))
    run_core_python(ROOT / "core", job)


def build_stack(folder, **parameters):
    """Build a stack by the core in its own interpreter."""
    run_task(folder, "buildstack", **parameters)


def own_copy(tmp_path_factory, name, make):
    """Make a folder once a session and return a copy, in which GDAL of this process may write."""
    target = tmp_path_factory.mktemp(name)
    return shutil.copytree(once(tmp_path_factory, name, make), target, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def stack_files(product_folder, tmp_path_factory):
    """A stack of six pairs as NetCDF and as Zarr."""

    def make(folder):
        given = {"NETCDF": folder / "my stack.nc", "ZARR": folder / "my stack.zarr"}
        build_stack(folder, INPUT=product_folder, **given)
        return folder

    folder = own_copy(tmp_path_factory, "a stack", make)
    return folder / "my stack.nc", folder / "my stack.zarr"


@pytest.fixture(scope="session")
def fewer_files(product_folder, tmp_path_factory):
    """A stack of three of the products, as NetCDF and as Zarr."""

    def make(folder):
        names = sorted(path.name for path in product_folder.iterdir() if path.is_dir())[2:5]
        given = {"PRODUCTS": ",".join(names), "LAYERS": "unw_phase,corr,dem"}
        given |= {"NETCDF": folder / "my stack.nc", "ZARR": folder / "my stack.zarr"}
        build_stack(folder, INPUT=product_folder, **given)
        return folder

    folder = own_copy(tmp_path_factory, "fewer", make)
    return folder / "my stack.nc", folder / "my stack.zarr"


def replace(path, stacks):
    """Put one of some stacks in the place of another, as a build does."""
    new = next(stack for stack in stacks if stack.suffix == path.suffix)
    if path.is_dir():
        shutil.rmtree(path)
        shutil.copytree(new, path)
    else:
        shutil.copyfile(new, path.with_name("new.nc"))
        path.with_name("new.nc").replace(path)


@pytest.fixture(scope="session")
def displacement_files(stack_files, tmp_path_factory):
    """Displacement of the stack of six pairs as NetCDF and as Zarr, not of one run."""

    def make(folder):
        # So high that some pixels with pairs are masked.
        given = {"INPUT": stack_files[0], "MIN_TEMPORAL_COHERENCE": 0.99}
        run_task(folder, "invertstack", NETCDF=folder / "my displacement.nc", **given)
        store = folder / "my inversion.zarr"
        run_task(folder, "invertstack", ZARR=store, CHUNKING="both", **given)
        return folder

    folder = own_copy(tmp_path_factory, "displacement", make)
    return folder / "my displacement.nc", folder / "my inversion.zarr"
