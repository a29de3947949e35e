"""The steps of the session, in their order. Imported inside QGIS only."""

import os
import time

from processing.gui.BatchAlgorithmDialog import BatchAlgorithmDialog
from qgis import processing
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsPointXY,
    QgsProject,
    QgsTemporalNavigationObject,
)
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtWidgets import (
    QApplication,
    QComboBox,
    QDockWidget,
    QPushButton,
    QTextEdit,
    QToolButton,
)
from qgis.utils import iface, loadPlugin, plugins, startPlugin, unloadPlugin

from .acting import (
    after_drawing,
    click,
    click_map,
    layers_of,
    place_in,
    place_without_data,
    settle,
    shoot,
    variable_of,
    wait,
    zoom,
)
from .area_steps import areas
from .dialogs import demo, fill_in
from .noting import (
    count_markers,
    describe_dock,
    describe_layer,
    images_of_bands,
    map_image,
    values_with_data,
)

SIZE = QSize(1600, 1000)
NETCDF_GROUP, ZARR_GROUP, INVERTED_GROUP = "my stack", "my store", "my displacement"
BACKSCATTER_GROUP = "my backscatter"
REFERENCE = (0.33, 0.35)
"""Shares of width and height at which the stack is told not to move."""


STEP_DAY = "2023-01-25"
"""Told to be a jump of the ground: it is fitted beside the velocity."""


def run(folder, facts):
    """Do all steps."""
    begin = time.monotonic()
    wait(lambda: "hyp3_stack" in plugins and iface.mainWindow().isVisible(), "start")
    iface.mainWindow().resize(SIZE)
    iface.mainWindow().findChild(QDockWidget, "Browser").close()
    settle()
    facts["seconds"] = seconds = {}
    for step in (
        first_start,
        demo,
        fill_in,
        backscatter,
        build,
        batch,
        load,
        play,
        invert,
        series,
        displacement,
        other_crs,
        draw_areas,
        reopen,
        unload,
    ):
        step(folder, facts)
        seconds[step.__name__] = round(time.monotonic() - begin, 1)


def first_start(folder, facts):
    """Start the plugin where there is no core environment yet, and look at its message."""
    python = os.environ.pop("HYP3_STACK_PYTHON")
    _start_again()
    wait(lambda: iface.messageBar().currentItem() is not None, "a message")
    settle()
    item = iface.messageBar().currentItem()
    facts["first_message"] = item.text()
    facts["first_buttons"] = [
        button.text() for button in item.findChildren(QPushButton) if button.isVisible()
    ]
    iface.mainWindow().grab().save(str(folder / "first_start.png"))
    iface.messageBar().clearWidgets()
    os.environ["HYP3_STACK_PYTHON"] = python
    _start_again()
    settle()
    item = iface.messageBar().currentItem()
    facts["message_with_environment"] = item.text() if item is not None else ""


def _start_again():
    unloadPlugin("hyp3_stack")
    loadPlugin("hyp3_stack")
    startPlugin("hyp3_stack")


def backscatter(folder, facts):
    """Build a stack of backscatter and step through it; then begin a new project."""
    path = folder / f"{BACKSCATTER_GROUP}.nc"
    parameters = {"INPUT": str(folder / BACKSCATTER_GROUP), "NETCDF": str(path)}
    _run_dialog(folder, facts, "buildstack", parameters)
    layer = layers_of(BACKSCATTER_GROUP)["VV_backscatter"]
    facts["visible_of_backscatter"] = _visible_of(BACKSCATTER_GROUP)
    dock = iface.mainWindow().findChild(QDockWidget, "Temporal Controller")
    dock.setUserVisible(True)
    settle()
    click(dock.findChild(QToolButton, "mNavigationAnimated"))
    settle()
    following = _visible(dock.findChildren(QPushButton, "mNextButton"))
    facts["backscatter"] = _step_through(folder, layer, following)
    dock.close()
    iface.newProject(False)
    settle()


def batch(folder, facts):
    """Build from the dialog of a batch, first of a folder without products."""
    (folder / "empty").mkdir()
    before = len(QgsProject.instance().mapLayers())
    rows = [
        {
            "PARAMETERS": {"INPUT": str(folder / source), "LAYERS": "corr"},
            "OUTPUTS": {"NETCDF": str(folder / "stack" / f"{name}.nc")},
        }
        for source, name in (("empty", "none"), ("products", "one"))
    ]
    dialog = BatchAlgorithmDialog(
        QgsApplication.processingRegistry().createAlgorithmById("hyp3:buildstack"),
        iface.mainWindow(),
    )
    panel = dialog.mainWidget()
    panel.load_batch_file_3_40_version({"format": "batch_3.40", "rows": rows})
    panel.checkLoadLayersOnCompletion.setChecked(False)
    dialog.show()
    dialog.resize(1100, 600)
    settle()
    shoot(folder, "dialog_batch", dialog)
    facts["batch_rows"] = panel.batchRowCount()
    click(dialog.runButton())
    wait(lambda: dialog.runButton().isEnabled() and (folder / "stack" / "one.nc").exists(), "batch")
    settle()
    shoot(folder, "log_batch", dialog)
    facts["layers_after_batch"] = len(QgsProject.instance().mapLayers()) - before
    facts["batch_log"] = dialog.findChild(QTextEdit, "txtLog").toPlainText()
    dialog.close()
    dialog.deleteLater()
    # The summary of a batch opens it.
    for dock in iface.mainWindow().findChildren(QDockWidget):
        if dock.windowTitle() == "Results Viewer":
            dock.close()
    settle()


def build(folder, facts):
    """Build a stack from the algorithm's dialog, which loads the NetCDF file.

    The dock is open before, and has to notice; time is on, with what the demo has left there.
    """
    modes = QgsTemporalNavigationObject.NavigationMode
    controller = iface.mapCanvas().temporalController()
    controller.setNavigationMode(modes.Animated)
    part = plugins["hyp3_stack"].time_series
    part.action.trigger()
    settle()
    facts["hint_before"] = part.dock.plot.hint()
    part.dock.close()
    parameters = {
        "INPUT": str(folder / "products"),
        "NETCDF": str(folder / "stack" / f"{NETCDF_GROUP}.nc"),
        "ZARR": str(folder / "stack" / f"{ZARR_GROUP}.zarr"),
        "CHUNKING": "both",
    }
    _run_dialog(folder, facts, "buildstack", parameters)
    facts["frames_of_built"] = [
        controller.dateTimeRangeForFrameNumber(frame).begin().toMSecsSinceEpoch()
        for frame in range(min(controller.totalFrameCount(), 100))
    ]
    controller.setNavigationMode(modes.NavigationOff)
    facts["built_layers"] = sorted(layers_of(NETCDF_GROUP))
    settle(1)
    shoot(folder, "first_map")
    facts["visible_of_built"] = _visible_of(NETCDF_GROUP)
    facts["label_of_built"] = plugins["hyp3_stack"].frame_label.texts()
    offered = part.dock.bar.layers
    facts["offered"] = [offered.itemText(i) for i in range(offered.count())]


def load(folder, facts):
    """Load the same stack from its Zarr store."""
    path = folder / "stack" / f"{ZARR_GROUP}.zarr"
    _run_dialog(folder, facts, "loadstack", {"INPUT": str(path)})
    phase = layers_of(ZARR_GROUP)["unw_phase"]
    shown = QgsProject.instance().layerTreeRoot().findLayer(phase.id())
    wait(lambda: ":" in _first_line(shown), "the caption of the map that is drawn")
    facts["tree"] = {
        group.name(): [node.layer().name() for node in group.findLayers()]
        for group in QgsProject.instance().layerTreeRoot().findGroups()
    }
    facts["legend"] = {
        group.name(): {
            variable_of(node.layer().source()): _first_line(node) for node in group.findLayers()
        }
        for group in QgsProject.instance().layerTreeRoot().findGroups()
    }
    facts["layers"] = {
        group: {name: describe_layer(layer) for name, layer in layers_of(group).items()}
        for group in (NETCDF_GROUP, ZARR_GROUP)
    }


def _visible_of(name):
    group = QgsProject.instance().layerTreeRoot().findGroup(name)
    nodes = [node for node in group.findLayers() if node.isVisible()]
    return [variable_of(node.layer().source()) for node in nodes]


def _first_line(node):
    """Return what the legend says below a layer's name."""
    nodes = iface.layerTreeView().layerTreeModel().layerLegendNodes(node)
    return nodes[0].data(Qt.ItemDataRole.DisplayRole)


def invert(folder, facts):
    """Invert the stack from the dialog, which loads the displacement, and play that."""
    place = place_in(layers_of(NETCDF_GROUP)["unw_phase"], *REFERENCE)
    parameters = {
        "INPUT": str(folder / "stack" / f"{NETCDF_GROUP}.nc"),
        "REFERENCE_AREA": f"{place.x()},{place.y()}",
        "STEPS": STEP_DAY,
        "NETCDF": str(folder / "stack" / f"{INVERTED_GROUP}.nc"),
    }
    _run_dialog(folder, facts, "invertstack", parameters)
    facts["visible_of_inverted"] = _visible_of(INVERTED_GROUP)
    velocity = layers_of(INVERTED_GROUP)["velocity"]
    facts["legend_of_velocity"] = _first_line(
        QgsProject.instance().layerTreeRoot().findLayer(velocity.id())
    )
    shoot(folder, "first_displacement")
    _show_only(velocity)
    shoot(folder, "velocity")
    dock = iface.mainWindow().findChild(QDockWidget, "Temporal Controller")
    dock.setUserVisible(True)
    settle()
    click(dock.findChild(QToolButton, "mNavigationAnimated"))
    settle()
    layer = layers_of(INVERTED_GROUP)["displacement"]
    _show_only(layer)
    navigation = iface.mapCanvas().temporalController()
    if navigation.currentFrameNumber():
        first = _visible(dock.findChildren(QPushButton, "mRewindButton"))
        after_drawing(lambda: click(first))
    following = _visible(dock.findChildren(QPushButton, "mNextButton"))
    facts["frames"][INVERTED_GROUP] = _step_through(folder, layer, following)
    navigation.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.NavigationOff)
    dock.close()


def play(folder, facts):
    """Step through time with the buttons of the Temporal Controller."""
    root = QgsProject.instance().layerTreeRoot()
    root.findGroup(ZARR_GROUP).setItemVisibilityCheckedRecursive(False)
    dock = iface.mainWindow().findChild(QDockWidget, "Temporal Controller")
    dock.setUserVisible(True)
    settle()
    click(dock.findChild(QToolButton, "mNavigationAnimated"))
    settle()
    facts["time_step"] = dock.findChild(QComboBox, "mTimeStepsComboBox").currentText()
    following = _visible(dock.findChildren(QPushButton, "mNextButton"))
    first = _visible(dock.findChildren(QPushButton, "mRewindButton"))
    navigation = iface.mapCanvas().temporalController()
    frames = facts["frames"] = {}
    for group in (NETCDF_GROUP, ZARR_GROUP):
        _show_only(layers_of(group)["unw_phase"])
        if navigation.currentFrameNumber():
            after_drawing(lambda: click(first))
        frames[group] = _step_through(folder, layers_of(group)["unw_phase"], following)
    navigation.setNavigationMode(QgsTemporalNavigationObject.NavigationMode.NavigationOff)
    dock.close()


def _step_through(folder, layer, following):
    """Click from frame to frame and note which band of the layer each one shows."""
    navigation = iface.mapCanvas().temporalController()
    bands, shown = images_of_bands(folder, layer), []
    for number in range(navigation.totalFrameCount()):
        if number:
            after_drawing(lambda: click(following))
        image = map_image(folder)
        shown.append(
            {
                "number": navigation.currentFrameNumber(),
                "band": bands.index(image) + 1 if image in bands else 0,
                "label": plugins["hyp3_stack"].frame_label.texts(),
                "legend": _first_line(QgsProject.instance().layerTreeRoot().findLayer(layer.id())),
            }
        )
        if number == 2:
            group = QgsProject.instance().layerTreeRoot().findLayer(layer.id()).parent().name()
            shoot(folder, f"playing_{group.rpartition(' ')[2]}")
    return {"shown": shown, "distinct_bands": len(set(bands))}


def series(folder, facts):
    """Click the map and note what the dock draws."""
    layers = layers_of(NETCDF_GROUP)
    _show_only(layers["unw_phase"])
    iface.setActiveLayer(layers["unw_phase"])
    part = plugins["hyp3_stack"].time_series
    part.action.trigger()
    wait(lambda: part.dock is not None and part.dock.isVisible(), "opening the dock")
    settle(1)
    shoot(folder, "series_empty", part.dock)
    dock, layer = part.dock, layers["unw_phase"]
    _tidy(layer)
    facts["tool"] = iface.mapCanvas().mapTool() is part.tool and part.action.isChecked()
    clicks = facts["clicks"] = []

    def note(name):
        wait(lambda: len(dock.plot.dots()) == values_with_data(dock), "drawing the plot")
        clicks.append({"name": name, **describe_dock(dock)})

    for name, across, down, key in (
        ("first", 0.5, 0.5, Qt.KeyboardModifier.NoModifier),
        ("other instead", 0.33, 0.35, Qt.KeyboardModifier.NoModifier),
        ("second", 0.62, 0.58, Qt.KeyboardModifier.ControlModifier),
        ("third", 0.35, 0.66, Qt.KeyboardModifier.ShiftModifier),
    ):
        click_map(place_in(layer, across, down), key)
        settle()
        note(name)
    shoot(folder, "series")
    dock.bar.window.setCurrentIndex(dock.bar.window.findData(5))
    settle()
    note("window of 5")
    dock.choose(layers_of(ZARR_GROUP)["corr"])
    settle()
    note("corr of the store")
    shoot(folder, "series_corr", dock)
    iface.setActiveLayer(layers["wrapped_phase"])
    settle()
    note("wrapped phase")
    dock.bar.copy_action.trigger()
    facts["clipboard"] = QApplication.clipboard().text()
    iface.setActiveLayer(layers["unw_phase"])
    dock.bar.window.setCurrentIndex(0)
    outside = layer.extent()
    click_map(QgsPointXY(outside.xMaximum() + 0.03 * outside.width(), outside.center().y()))
    settle()
    note("outside")
    shoot(folder, "series_outside", dock)
    click_map(place_in(layer, *place_without_data(layer)))
    settle()
    note("no data")
    dock.bar.clear_action.trigger()
    facts["after_clearing"] = [len(dock.places), len(dock.plot.dots()), count_markers()]


def displacement(folder, facts):
    """Click a map of velocity, compare points, and change the reference; then invert at a click."""
    layers = layers_of(INVERTED_GROUP)
    part = plugins["hyp3_stack"].time_series
    dock, velocity = part.dock, layers["velocity"]
    _tidy(velocity)
    iface.setActiveLayer(velocity)
    clicks = facts["displacement_clicks"] = []

    def note(name):
        settle()
        wait(lambda: len(dock.plot.dots()) == values_with_data(dock), "drawing the plot")
        clicks.append({"name": name, **describe_dock(dock)})

    click_map(place_in(velocity, 0.5, 0.5))
    note("first")
    click_map(place_in(velocity, 0.62, 0.58), Qt.KeyboardModifier.ShiftModifier)
    note("second")
    shoot(folder, "displacement")
    dock.bar.reference_action.trigger()
    click_map(place_in(velocity, 0.35, 0.66))
    note("other reference")
    shoot(folder, "displacement_referred")
    facts["tool_after_reference"] = iface.mapCanvas().mapTool() is part.tool
    dock.bar.own_reference_action.trigger()
    click_map(place_in(velocity, *place_without_data(velocity)))
    note("masked")
    shoot(folder, "displacement_masked")
    iface.setActiveLayer(layers_of(NETCDF_GROUP)["unw_phase"])
    click_map(place_in(velocity, 0.5, 0.5))
    dock.bar.reference_action.trigger()
    click_map(place_in(velocity, *REFERENCE))
    dock.bar.invert_action.trigger()
    note("pairs inverted")
    shoot(folder, "pairs_inverted")
    dock.bar.invert_action.trigger()
    dock.bar.own_reference_action.trigger()
    dock.bar.clear_action.trigger()


def draw_areas(folder, facts):
    """Draw an area beside a point."""
    layer = layers_of(NETCDF_GROUP)["unw_phase"]
    _tidy(layer)
    areas(folder, facts, plugins["hyp3_stack"].time_series, layer)


def other_crs(folder, facts):
    """Click the same place in a map of another CRS."""
    dock = plugins["hyp3_stack"].time_series.dock
    layer = layers_of(NETCDF_GROUP)["unw_phase"]
    crs = QgsCoordinateReferenceSystem("EPSG:4326")
    place = place_in(layer, 0.5, 0.5)
    transform = QgsCoordinateTransform(layer.crs(), crs, QgsProject.instance())
    after_drawing(lambda: QgsProject.instance().setCrs(crs))
    zoom(transform.transformBoundingBox(layer.extent()))
    click_map(transform.transform(place))
    settle()
    facts["in_degrees"] = {"name": "in degrees", **describe_dock(dock), "markers": count_markers()}
    # What is not drawn yet would set the extent in degrees again.
    after_drawing(lambda: QgsProject.instance().setCrs(layer.crs()))


def reopen(folder, facts):
    """Save the project with its stack, move both, and open it again."""
    project = QgsProject.instance()
    here, there = folder / "stack", folder / "moved"
    project.write(str(here / "project.qgz"))
    iface.newProject()
    settle()
    facts["points_in_new_project"] = len(plugins["hyp3_stack"].time_series.dock.places)
    here.rename(there)
    iface.addProject(str(there / "project.qgz"))
    settle(1)
    facts["reopened"] = {
        group: {
            name: {**describe_layer(layer), "source": layer.source()}
            for name, layer in layers_of(group).items()
        }
        for group in (NETCDF_GROUP, ZARR_GROUP)
    }
    dock = plugins["hyp3_stack"].time_series.dock
    wait(lambda: dock.result is not None, "reading the places of the project")
    settle()
    facts["restored"] = {**describe_dock(dock), "source": dock.layer().source()}
    shoot(folder, "reopened")
    layer = layers_of(ZARR_GROUP)["unw_phase"]
    value, ok = layer.dataProvider().sample(place_in(layer, 0.5, 0.5), 1)
    facts["sample_of_reopened_store"] = value if ok else None


def unload(folder, facts):
    """Take the plugin away."""
    facts["unloaded"] = unloadPlugin("hyp3_stack")
    settle()
    window = iface.mainWindow()
    facts["left_behind"] = [
        item.objectName()
        for item in window.findChildren((QDockWidget, QToolButton))
        if "hyp3" in item.objectName()
    ]


def leave():
    """End QGIS as its menu does, with the plugin and a series in use again."""
    loadPlugin("hyp3_stack")
    startPlugin("hyp3_stack")
    part = plugins["hyp3_stack"].time_series
    part.action.trigger()
    settle()
    click_map(place_in(layers_of(NETCDF_GROUP)["unw_phase"], 0.5, 0.5))
    settle()
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def _run_dialog(folder, facts, name, parameters):
    """Open the dialog that the toolbox opens, press Run, and wait for the end."""
    dialog = processing.createAlgorithmDialog(f"hyp3:{name}", parameters)
    dialog.show()
    dialog.resize(1000, 720)
    settle()
    if not (folder / f"dialog_{name}.png").exists():
        shoot(folder, f"dialog_{name}", dialog)
    ended = []
    dialog.algorithmFinished.connect(lambda ok, results: ended.append(ok))
    click(dialog.runButton())
    wait(lambda: ended, f"the end of {name}")
    settle()
    if not (folder / f"log_{name}.png").exists():
        shoot(folder, f"log_{name}", dialog)
    facts.setdefault("runs", []).append([name, bool(ended[0])])
    dialog.close()
    dialog.deleteLater()


def _tidy(layer):
    """Make the window fit for a picture: only the group and legend of ``layer`` are unfolded."""
    window, root = iface.mainWindow(), QgsProject.instance().layerTreeRoot()
    for group in (NETCDF_GROUP, ZARR_GROUP, INVERTED_GROUP):
        nodes = root.findGroup(group).findLayers()
        root.findGroup(group).setExpanded(any(node.layer() is layer for node in nodes))
        for node in nodes:
            node.setExpanded(node.layer() is layer)
            if node.layer() is layer:
                node.parent().setExpanded(True)
    for name, size, direction in (
        ("Layers", 330, Qt.Orientation.Horizontal),
        ("hyp3StackTimeSeries", 300, Qt.Orientation.Vertical),
    ):
        window.resizeDocks([window.findChild(QDockWidget, name)], [size], direction)
    settle()
    _show_only(layer)


def _show_only(layer):
    root = QgsProject.instance().layerTreeRoot()
    for node in root.findLayers():
        node.setItemVisibilityChecked(node.layer() is layer)
    root.findLayer(layer.id()).setItemVisibilityCheckedParentRecursive(True)
    zoom(_wide(layer))


def _wide(layer):
    extent = layer.extent()
    extent.scale(1.1)
    return extent


def _visible(widgets):
    return next(widget for widget in widgets if widget.isVisible())
