"""Steps with dialogs: the demo from the menu, and what helps to fill fields in.

Imported inside QGIS only.
"""

from qgis import processing
from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QPoint, Qt, QTimer
from qgis.PyQt.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
)
from qgis.utils import iface

from .acting import (
    after_drawing,
    click,
    click_map,
    layers_of,
    place_in,
    press,
    settle,
    wait,
    when_open,
    zoom,
)

DEMO_GROUP = "demo_stack"
LAPTOP = (1000, 700)
"""Size of a dialog on a screen of 1366 x 768 pixels, with a panel and the title of the window."""

SHOWN = (
    "preparestack",
    "buildstack",
    "downloadproducts",
    "findjobs",
    "loadstack",
    "invertstack",
    "orderpairs",
    "watchjobs",
    "exportstack",
)


def demo(folder, facts):
    """Go from the menu to the map of the demo; the core environment is there."""
    menu = iface.mainWindow().menuBar()
    for name in ("Plugins", "HyP3 Stack", "Demo stack…"):
        menu = click_entry(menu, name)
    dialog = wait(lambda: open_dialog("demostack"), "the dialog of the demo")
    dialog.resize(*LAPTOP)
    settle()
    dialog.grab().save(str(folder / "dialog_demo.png"))
    click(dialog.runButton())
    wait(lambda: layers_of(DEMO_GROUP) and dialog.runButton().isEnabled(), "the demo")
    _close(dialog)
    facts["demo"] = look_at_demo(folder, "demo")


def look_at_demo(folder, picture):
    """Return what there is on the map of the demo."""
    iface.messageBar().clearWidgets()
    after_drawing(iface.mapCanvas().refresh)
    iface.mainWindow().grab().save(str(folder / f"{picture}.png"))
    image = iface.mapCanvas().grab().toImage()
    places = [(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5)]
    view = iface.layerTreeView()
    return {
        "layers": sorted(layers_of(DEMO_GROUP)),
        "room": view.viewport().width() - view.sizeHintForColumn(0),
        "colors": len({image.pixel(x, y) for x, y in places}),
    }


def fill_in(folder, facts):
    """Open the dialogs as on a laptop, and take layers from a list and a point from the map."""
    facts["in_sight"], facts["helps"], facts["heights"] = {}, {}, []
    for name in SHOWN:
        dialog = _show(name)
        dialog.grab().save(str(folder / f"laptop_{name}.png"))
        facts["in_sight"][name] = _outputs_in_sight(dialog.mainWidget())
        if "AUTHCFG" in dialog.mainWidget().wrappers:
            field = dialog.mainWidget().wrappers["AUTHCFG"].wrappedWidget()
            facts["heights"].append(field.height())
        facts["helps"][name] = dialog.algorithm().shortHelpString() + " ".join(
            parameter.help() for parameter in dialog.algorithm().parameterDefinitions()
        )
        if name == "findjobs":
            facts["login_labels"] = login(folder, dialog.mainWidget())
        _close(dialog)
    stack = layers_of(DEMO_GROUP)["unw_phase"]
    products = stack.source().partition('"')[2].partition("/demo_stack.nc")[0] + "/products"
    dialog = _show("buildstack", {"INPUT": products})
    panel = dialog.mainWidget()
    facts["offered_layers"] = offered = []
    QTimer.singleShot(0, lambda: _check_only(folder, offered, ("unw_phase", "corr")))
    click(panel.findChild(QToolButton, "hyp3StackChooseLAYERS"))
    wait(lambda: panel.value("LAYERS"), "the choice of layers")
    facts["chosen_layers"] = panel.value("LAYERS")
    zoom(stack.extent())
    click(panel.findChild(QToolButton, "hyp3StackChooseREFERENCE_POINT"))
    facts["hidden_for_the_map"] = not dialog.isVisible()
    place = place_in(stack, 0.5, 0.5)
    click_map(place)
    wait(dialog.isVisible, "the dialog after the click on the map")
    facts["clicked_point"] = [place.x(), place.y(), stack.crs().authid()]
    facts["chosen_point"] = panel.value("REFERENCE_POINT")
    dialog.grab().save(str(folder / "filled_in.png"))
    _close(dialog)
    iface.newProject(False)
    settle()


def login(folder, panel):
    """Press the button that makes a new login, and look at what opens; it is not kept."""
    QgsApplication.authManager().setMasterPassword("of this session", True)
    seen = []

    def look(window):
        settle()
        window.findChild(QLineEdit, "leName").setText("Earthdata")
        methods = window.findChild(QComboBox, "cmbAuthMethods")
        methods.setCurrentIndex(methods.findData("Basic"))
        settle()
        window.grab().save(str(folder / "login.png"))
        seen.extend(label.text() for label in window.findChildren(QLabel) if label.isVisible())
        window.reject()

    when_open(lambda window: window.findChild(QComboBox, "cmbAuthMethods") is not None, look)
    click(panel.wrappers["AUTHCFG"].wrappedWidget().findChild(QAbstractButton, "btnConfigAdd"))
    return seen


def _show(name, parameters=None):
    dialog = processing.createAlgorithmDialog(f"hyp3:{name}", parameters or {})
    dialog.show()
    dialog.resize(*LAPTOP)
    settle()
    return dialog


def _close(dialog):
    dialog.close()
    dialog.deleteLater()
    settle()


def click_entry(menu, name):
    """Click an entry of a menu that shows, and return what it opens."""
    action = next(item for item in menu.actions() if item.text().replace("&", "") == name)
    press(menu, name, menu.actionGeometry(action).center())
    if action.menu() is not None:
        wait(action.menu().isVisible, f"opening {name}")
    settle()
    return action.menu()


def open_dialog(name):
    for window in QApplication.topLevelWidgets():
        algorithm = getattr(window, "algorithm", lambda: None)()
        if window.isVisible() and algorithm is not None and algorithm.name() == name:
            return window
    return None


def _outputs_in_sight(panel):
    """Return by output whether all of its field is seen without scrolling."""
    viewport = panel.findChild(QScrollArea).viewport()
    seen = {}
    for parameter in panel.algorithm().destinationParameterDefinitions():
        field = panel.wrappers[parameter.name()].wrappedWidget()
        top = field.mapTo(viewport, QPoint(0, 0)).y()
        seen[parameter.name()] = top >= 0 and top + field.height() <= viewport.height()
    return seen


def _check_only(folder, offered, names):
    """Check some of the entries of the list that opens, and press OK."""
    if not QApplication.activeModalWidget():
        QTimer.singleShot(100, lambda: _check_only(folder, offered, names))
        return
    dialog = QApplication.activeModalWidget()
    model = dialog.findChild(QAbstractItemView).model()
    rows = [model.index(row, 0) for row in range(model.rowCount())]
    offered += [row.data() for row in rows]
    for row in rows:
        is_wanted = row.data().split(" ")[0] in names
        state = Qt.CheckState.Checked if is_wanted else Qt.CheckState.Unchecked
        model.setData(row, state, Qt.ItemDataRole.CheckStateRole)
    dialog.grab().save(str(folder / "choose_layers.png"))
    box = dialog.findChild(QDialogButtonBox)
    click(box.button(QDialogButtonBox.StandardButton.Ok))
