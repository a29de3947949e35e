"""From the zip to the first map in a fresh profile; each click is noted.

Imported inside QGIS only.
"""

import sys
import traceback

from qgis.core import QgsProject
from qgis.gui import QgsFileWidget
from qgis.PyQt.QtCore import QSize
from qgis.PyQt.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QListWidget,
    QMessageBox,
    QProgressBar,
    QPushButton,
)
from qgis.utils import iface, plugins

from . import acting
from .acting import click, layers_of, press, settle, wait, when_open
from .dialogs import DEMO_GROUP, click_entry, look_at_demo

SIZE = QSize(1366, 768)
SET_UP_SECONDS = 400


def run(folder, facts):
    """Install the plugin, set it up, and make the demo."""
    wait(iface.mainWindow().isVisible, "start")
    iface.mainWindow().resize(SIZE)
    settle()
    when_open(_is_manager, lambda manager: _guarded(facts, _install, manager, folder))
    menu = iface.mainWindow().menuBar()
    for name in ("Plugins", "Manage and Install Plugins…"):
        menu = click_entry(menu, name)  # the second comes back when the window is closed
    if "failure" in facts:
        return
    wait(lambda: "hyp3_stack" in plugins, "the start of the plugin")
    facts["file"] = sys.modules["hyp3_stack"].__file__
    _click_message("Set up now")
    facts["percents"] = percents = []
    wait(_bar, "the bar of the set-up")
    _bar().valueChanged.connect(percents.append)
    iface.mainWindow().grab().save(str(folder / "setting_up.png"))
    acting.LIMIT_SECONDS = SET_UP_SECONDS
    wait(lambda: _message_button("Demo stack") or _message_button("Try again"), "the set-up")
    settle()
    iface.mainWindow().grab().save(str(folder / "set_up.png"))
    facts["message"] = iface.messageBar().currentItem().text()
    _click_message("Demo stack")
    wait(lambda: layers_of(DEMO_GROUP) or _message_button("Try again"), "the demo")
    facts["clicks"] = acting.clicked
    facts["end"] = iface.messageBar().currentItem().text()
    iface.mainWindow().grab().save(str(folder / "first_hour.png"))
    facts["demo"] = look_at_demo(folder, "first_map_of_the_demo")


def leave():
    """End QGIS as its menu does."""
    QgsProject.instance().setDirty(False)
    iface.actionExit().trigger()


def _guarded(facts, step, *given):
    """Note what fails in a window that keeps QGIS from going on, and close it."""
    try:
        step(*given)
    except BaseException:
        facts["failure"] = traceback.format_exc()
        while QApplication.activeModalWidget() is not None:
            QApplication.activeModalWidget().close()


def _install(manager, folder):
    """Install from the zip in the plugin manager, and close that."""
    pages = manager.findChild(QListWidget, "mOptionsListWidget")
    page = next(item for item in _items(pages) if item.text() == "Install from ZIP")
    place = pages.visualItemRect(page).center()
    press(pages.viewport(), page.text(), place)
    (archive,) = folder.glob("*.zip")
    manager.findChild(QgsFileWidget, "mZipFileWidget").lineEdit().setText(str(archive))
    settle()
    button = manager.findChild(QPushButton, "buttonInstallFromZip")
    # QGIS warns of every zip.
    when_open(lambda window: isinstance(window, QMessageBox), _agree)
    click(button)
    wait(lambda: "hyp3_stack" in plugins, "the installation")
    settle()
    manager.grab().save(str(folder / "installed.png"))
    closing = manager.findChild(QDialogButtonBox).button(QDialogButtonBox.StandardButton.Close)
    click(closing)


def _agree(box):
    click(box.button(QMessageBox.StandardButton.Yes))


def _bar():
    """Return the bar of the message that shows, not that in which QGIS counts down others."""
    message = iface.messageBar().currentItem()
    return message and message.findChild(QProgressBar)


def _is_manager(window):
    return window.objectName() == "QgsPluginManagerBase"


def _items(pages):
    return [pages.item(row) for row in range(pages.count())]


def _message_button(text):
    for item in iface.messageBar().items():
        for button in item.findChildren(QPushButton):
            if button.text() == text and button.isVisible():
                return button
    return None


def _click_message(text):
    click(wait(lambda: _message_button(text), f"a message with {text}"))
