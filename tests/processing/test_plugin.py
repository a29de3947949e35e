"""The plugin loads, explains itself and goes away, whatever is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
from qgis.core import QgsApplication

import hyp3_stack
from hyp3_stack.core.contract import DIALOGS

from .window import Interface

ROOT = Path(__file__).resolve().parents[2]

SCIENCE = (
    "affine",
    "asf_search",
    "dask",
    "h5py",
    "hyp3_sdk",
    "isal",
    "netCDF4",
    "numcodecs",
    "numpy",
    "osgeo.gdal_array",
    "pandas",
    "pyproj",
    "rasterio",
    "requests",
    "rioxarray",
    "shapely",
    "xarray",
    "zarr",
)

# In a process of its own, because other tests may have imported what is hidden here.
HIDDEN = f"""
import importlib.util, sys
for name in {SCIENCE!r}:
    sys.modules[name] = None
from qgis.core import QgsApplication
application = QgsApplication([], False, {{profile!r}})
application.initQgis()
spec = importlib.util.spec_from_file_location(
    "hyp3_stack", {str(ROOT / "__init__.py")!r}, submodule_search_locations=[{str(ROOT)!r}]
)
module = importlib.util.module_from_spec(spec)
sys.modules["hyp3_stack"] = module
spec.loader.exec_module(module)
plugin = module.classFactory(None)
plugin.initProcessing()
registry = QgsApplication.processingRegistry()
algorithm = registry.createAlgorithmById("hyp3:buildstack")
print(len(registry.providerById("hyp3").algorithms()), algorithm.canExecute())
plugin.unload()
assert registry.providerById("hyp3") is None
application.exitQgis()
"""


def test_it_loads_with_every_science_package_hidden(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN.format(profile=str(tmp_path))],
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "/usr/bin:/bin", "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    count, _, answer = done.stdout.strip().partition(" ")
    assert int(count) >= 6
    assert answer.startswith("(False, 'HyP3 Stack needs its core environment")
    assert "hyp3:setupenvironment" in answer


def test_without_a_window():
    plugin = hyp3_stack.classFactory(None)
    plugin.initGui()
    assert QgsApplication.processingRegistry().providerById("hyp3") is plugin.provider
    plugin.unload()
    assert QgsApplication.processingRegistry().providerById("hyp3") is None
    plugin.unload()


def test_menu_entry_comes_and_goes():
    interface = Interface()
    plugin = hyp3_stack.classFactory(interface)
    plugin.initGui()
    assert {menu for menu, _ in interface.menus} == {"HyP3 Stack"}
    assert [action.text() for _, action in interface.menus] == [
        "Find jobs…",
        "Watch jobs…",
        "Prepare stack…",
        "Build stack…",
        "Invert stack…",
        "Load stack…",
        "Time series on a click",
        "Core environment",
        "Demo stack…",
        "Help",
    ]
    assert [action.text() for action in interface.icons] == ["Time series on a click"]
    assert not any(action.icon().isNull() for _, action in interface.menus)
    plugin.unload()
    assert interface.menus == []
    assert interface.icons == []


@pytest.mark.parametrize(
    "name", ["findjobs", "downloadproducts", "harmonizeproducts", "buildstack", "preparestack"]
)
def test_without_environment_each_algorithm_says_what_to_do(algorithm, context, feedback, name):
    tested = algorithm(name)
    ok, message = tested.canExecute()
    assert not ok
    assert "hyp3:setupenvironment" in message
    parameters = {"INPUT": str(ROOT), "FOLDER": str(ROOT), "OUTPUT": "TEMPORARY_OUTPUT"}
    known = {row.name for row in DIALOGS[name]}
    parameters = {key: value for key, value in parameters.items() if key in known}
    given = {**parameters, "NETCDF": "/tmp/x.nc"} if "stack" in name else parameters
    ok, message = tested.checkParameterValues(given, context)
    assert not ok
    assert "hyp3:setupenvironment" in message
    # A model does not check values before it runs its steps.
    results, ok = tested.run(parameters, context, feedback)
    assert not ok
    assert "hyp3:setupenvironment" in feedback.textLog()


def test_the_set_up_needs_no_environment(algorithm, context):
    assert algorithm("setupenvironment").canExecute()[0]
    assert algorithm("setupenvironment").checkParameterValues({}, context)[0]


def test_the_setting_names_the_interpreter(algorithm, settings):
    settings.setValue("hyp3_stack/python", "/no/such/python")
    ok, message = algorithm("buildstack").canExecute()
    assert not ok
    assert "/no/such/python, given by the setting hyp3_stack/python" in message
    settings.setValue("hyp3_stack/python", sys.executable)
    assert algorithm("buildstack").canExecute() == (True, "")


def test_types_of_prepare_stack_have_to_agree(algorithm, context, settings):
    settings.setValue("hyp3_stack/python", sys.executable)
    tested = algorithm("preparestack")
    parameters = {"FOLDER": "/tmp/x", "NETCDF": "/tmp/x.nc", "PRODUCT_TYPE": "RTC_GAMMA"}
    ok, message = tested.checkParameterValues(parameters, context)
    assert not ok
    assert message == "PRODUCT_TYPE is RTC_GAMMA, but JOB_TYPE is INSAR_GAMMA; give only JOB_TYPE."
    assert tested.checkParameterValues({**parameters, "JOB_TYPE": "RTC_GAMMA"}, context)[0]
