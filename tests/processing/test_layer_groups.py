"""Each stack has a group of layers of its own, of which one shows."""

import shutil

import pytest
from qgis.core import QgsProcessingContext, QgsProject

from hyp3_stack.processing_provider.layers.frames.map_frames import frames_of
from hyp3_stack.processing_provider.layers.layer_source import locate

from .conftest import replace


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
        return {group.name(): sources(group) for group in project.layerTreeRoot().findGroups()}

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
    assert set(groups) == {"stack"}
    assert len(groups["stack"]) == 1


def test_one_layer_shows_and_the_others_lie_folded_in_subgroups(load, places):
    load(places / "first" / "stack.nc", variables="")
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    first, *subgroups = group.children()
    assert first.layer().name() == "unw_phase: unwrapped phase"
    assert group.isExpanded() and first.isExpanded()
    found = {
        subgroup.name(): [node.layer().name().partition(":")[0] for node in subgroup.findLayers()]
        for subgroup in subgroups
    }
    assert list(found) == ["Other measurements", "Quality", "Masks", "Geometry"]
    assert found["Other measurements"] == ["amp"]
    assert found["Quality"] == ["corr"]
    assert found["Masks"] == ["water_mask", "data_mask", "mask_reason"]
    assert "dem" in found["Geometry"]
    assert not any(subgroup.isExpanded() for subgroup in subgroups)
    assert [node.layer() for node in group.findLayers() if node.isVisible()] == [first.layer()]
    assert all(len(node.layer().name()) <= 42 for node in group.findLayers())


def test_layers_that_come_later_find_their_subgroups(load, places):
    for variables in ("unw_phase, mask_reason", "corr, dem", "amp, water_mask", "data_mask, corr"):
        load(places / "first" / "stack.nc", variables=variables)
    (group,) = QgsProject.instance().layerTreeRoot().findGroups()
    names = [child.name().partition(":")[0] for child in group.children()]
    assert names == ["data_mask", "amp", "corr", "unw_phase", "Masks", "Geometry"]


@pytest.mark.parametrize("name", ["stack.nc", "stack.zarr"])
def test_a_stack_that_was_built_anew_is_loaded_into_its_layers(load, places, fewer_files, name):
    path = places / "first" / name
    load(path, variables="unw_phase, mask_reason")
    before = {
        locate(one.source()).variable: one for one in QgsProject.instance().mapLayers().values()
    }
    ids = {variable: layer.id() for variable, layer in before.items()}
    phase = before["unw_phase"]
    phase.setName("my phase")
    phase.renderer().setClassificationMin(-1.5)
    phase.renderer().setInputBand(6)
    corner = phase.extent().center()
    replace(path, fewer_files)

    groups = load(path, variables="unw_phase, mask_reason, corr")
    after = {
        locate(one.source()).variable: one for one in QgsProject.instance().mapLayers().values()
    }
    assert len(groups["stack"]) == 3 and set(after) == {"unw_phase", "mask_reason", "corr"}
    assert {variable: after[variable].id() for variable in ids} == ids
    assert phase.isValid() and phase.bandCount() == 3 == len(frames_of(phase))
    assert len(phase.temporalProperties().fixedRangePerBand()) == 3
    assert phase.name() == "my phase"
    value, ok = phase.dataProvider().sample(corner, 1)
    expected, also = after["corr"].dataProvider().sample(corner, 1)
    assert ok and also and value != expected
    assert phase.renderer().inputBand() <= 3


def test_the_style_of_a_layer_stays_when_it_is_loaded_anew(load, places):
    path = places / "first" / "stack.nc"
    load(path, variables="corr")
    (layer,) = QgsProject.instance().mapLayers().values()
    layer.renderer().setClassificationMin(0.25)
    layer.renderer().setInputBand(4)
    QgsProject.instance().layerTreeRoot().findLayer(layer.id()).setItemVisibilityChecked(False)
    load(path, variables="corr")
    (again,) = QgsProject.instance().mapLayers().values()
    assert again is layer
    assert (layer.renderer().classificationMin(), layer.renderer().inputBand()) == (0.25, 4)
    assert not QgsProject.instance().layerTreeRoot().findLayer(layer.id()).isVisible()
