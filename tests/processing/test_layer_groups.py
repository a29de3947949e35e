"""Each stack has a group of layers of its own."""

import shutil

import pytest
from qgis.core import QgsProcessingContext, QgsProject


@pytest.fixture
def places(stack_files, tmp_path):
    """Return two stacks of one name, each as NetCDF and as Zarr."""
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        netcdf, zarr = stack_files
        shutil.copy(netcdf, folder / "stack.nc")
        shutil.copytree(zarr, folder / "stack.zarr")
    return tmp_path


@pytest.fixture
def load(processing_plugin, algorithm, feedback):
    """Return a function that loads variables of stacks as the toolbox does."""
    from processing.gui.Postprocessing import handleAlgorithmResults

    project = QgsProject.instance()
    project.clear()

    def run(*stacks, variables="unw_phase"):
        context = QgsProcessingContext()
        context.setProject(project)
        for stack in stacks:
            used = algorithm("loadstack")
            given = {"INPUT": str(stack), "VARIABLES": variables}
            _, ok = used.run(given, context, feedback)
            assert ok, feedback.textLog()
        assert handleAlgorithmResults(used, context, feedback)
        return {group.name(): sources(group) for group in project.layerTreeRoot().findGroups(True)}

    yield run
    project.clear()


def sources(group):
    return [node.layer().source() for node in group.findLayers()]


@pytest.mark.parametrize("name", ["stack.nc", "stack.zarr"])
def test_stacks_of_one_name(load, places, name):
    load(places / "first" / name)
    load(places / "second" / name)
    groups = load(places / "first" / name, variables="corr, dem")
    assert [len(groups[group]) for group in ("stack", "stack (2)")] == [3, 1]
    assert all("first" in source for source in groups["stack"])
    assert all("second" in source for source in groups["stack (2)"])


def test_a_stack_in_both_formats(load, places):
    """As ``make demo`` leaves it."""
    load(places / "first" / "stack.nc")
    groups = load(places / "first" / "stack.zarr", variables="unw_phase, dem")
    assert {name: len(found) for name, found in groups.items()} == {"stack": 1, "stack (2)": 2}


def test_two_in_one_run(load, places):
    """A model may load several stacks before QGIS shows any."""
    stacks = [places / name / "stack.nc" for name in ("first", "second")]
    groups = load(*stacks, variables="unw_phase, corr")
    assert {name: len(found) for name, found in groups.items()} == {"stack": 2, "stack (2)": 2}
    for found in groups.values():
        assert len({source.rpartition(":")[0] for source in found}) == 1


def test_a_group_of_other_layers(load, places):
    QgsProject.instance().layerTreeRoot().addGroup("stack").addGroup("notes")
    groups = load(places / "first" / "stack.nc")
    assert set(groups) == {"stack", "notes"}
    assert len(groups["stack"]) == 1
