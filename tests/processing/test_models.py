"""Models, batches and the Python console: the ways to run algorithms one after the other."""

import os
from pathlib import Path

import pytest
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsProcessingAlgRunnerTask,
    QgsProcessingModelAlgorithm,
    QgsProcessingModelChildParameterSource,
    QgsProcessingUtils,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsReferencedRectangle,
)

from .conftest import ROOT, events_until, running_service

MODEL = ROOT / "processing_provider" / "models" / "jobs_to_layers.model3"
PAIRS = 3

Source = QgsProcessingModelChildParameterSource


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with three products of one project; gives its variables."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, PAIRS, "--project", "sample, 1") as variables:
        yield {**variables, "HYP3_STACK_CACHE": str(folder)}


@pytest.fixture
def login(service, core_python, monkeypatch):
    for name, value in service.items():
        monkeypatch.setenv(name, value)
    return service


@pytest.fixture
def model(provider):
    made = QgsProcessingModelAlgorithm()
    assert made.fromFile(str(MODEL))
    assert made.validate() == (True, [])
    return made


@pytest.fixture
def destinations():
    return {name: "TEMPORARY_OUTPUT" for name in ("products", "netcdf_stack", "zarr_stack")}


def loaded_layers(context):
    details = context.layersToLoadOnCompletion()
    details = sorted(details, key=lambda name: -details[name].layerSortKey)
    return {
        name: QgsProcessingUtils.mapLayerFromString(
            name, context, True, QgsProcessingUtils.LayerHint.Raster
        )
        for name in details
    }


def test_a_saved_model_goes_from_jobs_to_layers(model, login, context, feedback, destinations):
    parameters = {"service": login["API_URL"], "project": "sample, 1", **destinations}
    results, ok = model.run(parameters, context, feedback)
    assert ok, feedback.textLog()
    assert results["netcdf_stack"].endswith(".nc")
    assert results["zarr_stack"].endswith(".zarr")
    assert len(os.listdir(results["products"])) >= PAIRS
    children = results["CHILD_RESULTS"]
    assert children["download"]["DOWNLOADED"] == PAIRS
    assert children["harmonize"]["COPIED"] + children["harmonize"]["WARPED"] == PAIRS
    assert children["build"]["STEPS"] == PAIRS
    # Build does not load what the step after it loads.
    layers = loaded_layers(context)
    assert [layer.source() for layer in layers.values()] == children["load"]["LAYERS"]
    assert [layer.bandCount() for layer in layers.values()] == [PAIRS, PAIRS]
    assert all(layer.temporalProperties().isActive() for layer in layers.values())


def test_a_failing_step_ends_a_model_with_its_sentence(
    model, login, context, feedback, destinations
):
    parameters = {"service": login["API_URL"], "project": "no such project", **destinations}
    _, ok = model.run(parameters, context, feedback)
    assert not ok
    assert "no such project" in feedback.textLog()
    assert not context.layersToLoadOnCompletion()


def test_a_model_takes_values_of_earlier_steps(provider, core_python, product_folder, context):
    """Harmonized CRS and a build's Zarr store feed later steps."""
    from qgis.core import QgsProcessingFeedback, QgsProcessingModelChildAlgorithm

    feedback = QgsProcessingFeedback(False)
    made = QgsProcessingModelAlgorithm("Chain", "HyP3", "hyp3")

    def add(name, algorithm, **sources):
        child = QgsProcessingModelChildAlgorithm(algorithm)
        child.setChildId(name)
        for key, source in sources.items():
            child.addParameterSources(key, [source])
        made.addChildAlgorithm(child)

    fixed = Source.fromStaticValue
    add("harmonize", "hyp3:harmonizeproducts", INPUT=fixed(str(product_folder)))
    add(
        "build",
        "hyp3:buildstack",
        INPUT=fixed(str(product_folder)),
        TARGET_CRS=Source.fromChildOutput("harmonize", "CRS"),
        LAYERS=fixed("corr,dem"),
        ZARR=fixed("TEMPORARY_OUTPUT"),
        CHUNKING=fixed("temporal"),
    )
    add("load", "hyp3:loadstack", INPUT=Source.fromChildOutput("build", "ZARR"))
    results, ok = made.run({}, context, feedback)
    assert ok, feedback.textLog()
    children = results["CHILD_RESULTS"]
    assert children["build"]["CRS"] == children["harmonize"]["CRS"]
    assert "corr" in {Path(source).stem for source in children["load"]["LAYERS"]}
    # Also those of a store that holds series only open.
    built = [QgsRasterLayer(source, "a layer", "gdal") for source in children["build"]["LAYERS"]]
    assert [layer.isValid() and layer.bandCount() for layer in built] == [6, 1]


def run(name, parameters, context=None, child=False):
    return processing.run(f"hyp3:{name}", parameters, context=context, is_child_algorithm=child)


def test_the_python_console(processing_plugin, provider, core_python, product_folder):
    """As a user types it: nothing but the id and the values."""
    built = processing.run(
        "hyp3:buildstack",
        {
            "INPUT": str(product_folder),
            "LAYERS": ["corr", "dem"],
            "TARGET_CRS": QgsCoordinateReferenceSystem("EPSG:32611"),
            "NETCDF": "TEMPORARY_OUTPUT",
        },
    )
    assert built["CRS"] == "EPSG:32611"
    loaded = processing.run("hyp3:loadstack", {"INPUT": built["NETCDF"]})
    assert built["LAYERS"] == loaded["LAYERS"]
    # Only processing.runAndLoadResults adds layers to a project.
    assert not QgsProject.instance().mapLayers()


def test_a_wrong_value_in_the_console_is_the_sentence(processing_plugin, provider, core_python):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException, match="INPUT is /no/such, but there is no such"):
        processing.run("hyp3:buildstack", {"INPUT": "/no/such", "NETCDF": "TEMPORARY_OUTPUT"})


def test_a_step_of_another_script_loads_into_its_context(
    processing_plugin, provider, stack_files, context
):
    given = {"INPUT": str(stack_files[0]), "VARIABLES": "corr"}
    loaded = run("loadstack", given, context, child=True)
    assert [layer.source() for layer in loaded_layers(context).values()] == loaded["LAYERS"]


@pytest.fixture
def whole(stack_files):
    """A layer of all pixels of the products."""
    return QgsRasterLayer(f'NETCDF:"{stack_files[0]}":corr', "corr", "gdal")


def test_a_batch_of_extents(
    processing_plugin, provider, core_python, product_folder, whole, tmp_path
):
    """Rows as the batch dialog makes them: each its own values and file, one after the other."""
    extent = whole.extent()
    half = QgsRectangle(
        extent.xMinimum(), extent.yMinimum(), extent.center().x(), extent.yMaximum()
    )
    rows = [
        {"EXTENT": QgsReferencedRectangle(half, whole.crs()), "EXTENT_MODE": "union"},
        {"EXTENT": whole},
    ]
    widths = []
    for number, row in enumerate(rows, start=1):
        target = tmp_path / f"{number}.nc"
        made = run(
            "buildstack",
            {"INPUT": str(product_folder), "LAYERS": "corr", **row, "NETCDF": str(target)},
        )
        assert made["NETCDF"] == str(target)
        assert target.is_file()
        widths.append(made["WIDTH"])
    assert abs(widths[0] - whole.width() / 2) <= 1
    assert widths[1] == whole.width()


def test_an_extent_and_a_grid_in_the_projects_crs(
    processing_plugin, algorithm, core_python, product_folder, whole, context, feedback
):
    """What the map canvas gives is in the CRS of the project, and text without a CRS means it."""
    from qgis.core import QgsCoordinateTransform

    project = context.project()
    project.setCrs(QgsCoordinateReferenceSystem("EPSG:32611"))
    inner = whole.extent().buffered(-whole.extent().width() / 4)
    shown = QgsCoordinateTransform(whole.crs(), project.crs(), project).transformBoundingBox(inner)
    text = f"{shown.xMinimum()},{shown.xMaximum()},{shown.yMinimum()},{shown.yMaximum()}"
    given = {"INPUT": str(product_folder), "LAYERS": "corr", "NETCDF": "TEMPORARY_OUTPUT"}
    given |= {"EXTENT": text, "TARGET_CRS": "ProjectCrs"}
    results, ok = algorithm("buildstack").run(given, context, feedback)
    assert ok, feedback.textLog()
    assert results["CRS"] == "EPSG:32611"
    assert whole.width() / 2 <= results["WIDTH"] < whole.width()


def test_a_run_in_the_background_hands_layers_to_the_main_thread(
    algorithm, stack_files, context, feedback
):
    """As the toolbox runs it: in a thread, while the window goes on."""
    tested = algorithm("loadstack")
    given = {"INPUT": str(stack_files[0]), "VARIABLES": "corr"}
    task = QgsProcessingAlgRunnerTask(tested, given, context, feedback)
    ended = []
    task.executed.connect(lambda ok, results: ended.append((ok, results)))
    QgsApplication.taskManager().addTask(task)
    events_until(lambda: ended)
    ((ok, results),) = ended
    assert ok, feedback.textLog()
    layers = loaded_layers(context)
    assert [layer.source() for layer in layers.values()] == results["LAYERS"]
    main = QgsApplication.instance().thread()
    assert all(layer.thread() == main for layer in layers.values())
