"""First run: one message, one button, and a set-up in the background that can be canceled."""

import gc
import sys
import weakref
from pathlib import Path

import pytest
from qgis.core import QgsApplication, QgsProject
from qgis.PyQt.QtCore import QEvent
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QApplication, QProgressBar, QPushButton

from hyp3_stack.processing_provider.environment.in_use import places
from hyp3_stack.processing_provider.environment.interpreter import (
    MARKER,
    environment_python,
)
from hyp3_stack.processing_provider.environment_menu import EnvironmentMenu

from .conftest import events_until
from .window import Interface

# Nothing listens there, so every look-up of a package fails at once.
OFFLINE = {
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_CONFIG_FILE": "/dev/null",
    "PIP_RETRIES": "1",
    "PIP_NO_CACHE_DIR": "1",
}


@pytest.fixture
def interface(qgis_application):
    return Interface()


@pytest.fixture
def menu(interface, monkeypatch):
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    made = EnvironmentMenu(interface, "HyP3 Stack", QIcon())
    QgsApplication.processEvents()
    yield made
    made.unload()
    assert interface.menus == []
    # A set-up that is canceled by it still ends.
    events_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0)
    for folder in (places().environment, places().unfinished):
        if folder.exists():
            remove(folder)


def remove(folder):
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()


def text(interface):
    item = interface.messages.currentItem()
    return item.text() if item is not None else ""


def button(interface, name):
    found = interface.messages.currentItem().findChildren(QPushButton)
    (one,) = [item for item in found if item.text() == name]
    return one


def environment(digest):
    """Lay out what an environment made from another lock file looks like."""
    python = environment_python(places().environment, sys.platform)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (places().environment / MARKER).write_text(digest)


def test_a_missing_environment_is_offered_once(menu, interface):
    assert text(interface) == (
        "HyP3 Stack needs its core environment, which is not set up yet. That is 500 MB "
        "and takes 2 to 3 minutes."
    )
    assert button(interface, "Set up now").isEnabled()
    menu.offer()
    assert len(interface.messages.items()) == 1


def test_an_outdated_environment_is_offered(menu, interface):
    environment("of another version")
    menu.offer()
    assert text(interface).startswith(
        "The core environment was made for another version of HyP3 Stack."
    )
    assert button(interface, "Set up now").isEnabled()


def test_a_half_finished_environment_is_offered(menu, interface):
    places().unfinished.mkdir(parents=True)
    menu.offer()
    assert "interrupted or is still running" in text(interface)
    assert button(interface, "Set up now").isEnabled()


def test_a_wrong_setting_is_told_without_a_button(menu, interface, monkeypatch):
    monkeypatch.setenv("HYP3_STACK_PYTHON", "/no/python")
    menu.offer()
    assert "/no/python" in text(interface)
    assert not [
        item.text()
        for item in interface.messages.currentItem().findChildren(QPushButton)
        if item.text() == "Set up now"
    ]


def test_nothing_is_said_where_there_is_an_environment(interface, core_python):
    made = EnvironmentMenu(interface, "HyP3 Stack", QIcon())
    QgsApplication.processEvents()
    assert interface.messages.currentItem() is None
    made.unload()


def test_a_set_up_says_what_it_does_and_without_network_offers_another_try(menu, interface):
    button(interface, "Set up now").click()
    assert interface.messages.currentItem().findChildren(QProgressBar)
    menu.set_up()  # a second one is not begun
    assert QgsApplication.taskManager().count() == 1
    events_until(lambda: "Making a virtual environment with" in text(interface))
    # A closed message does not end it.
    interface.messages.clearWidgets()
    QgsApplication.processEvents()
    assert text(interface) == ""
    events_until(lambda: "cannot be reached" in text(interface))
    assert "check the network, or the proxy in QGIS" in text(interface)
    assert button(interface, "Try again").isEnabled()
    assert not places().environment.exists()
    assert not places().unfinished.exists()
    button(interface, "Try again").click()
    events_until(places().unfinished.exists)


def test_a_set_up_can_be_canceled(menu, interface):
    menu.set_up()
    events_until(places().unfinished.exists)
    button(interface, "Cancel").click()
    events_until(lambda: text(interface) == "The set-up was canceled.")
    assert not places().unfinished.exists()
    button(interface, "Go on").click()
    events_until(places().unfinished.exists)
    button(interface, "Cancel").click()
    events_until(lambda: text(interface) == "The set-up was canceled.")


def test_a_plugin_that_is_switched_off_ends_its_set_up(interface, menu):
    menu.set_up()
    events_until(places().unfinished.exists)
    menu.unload()
    events_until(lambda: not places().unfinished.exists())
    events_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0)


def test_a_set_up_lives_until_its_task_has_ended(interface, menu):
    """QGIS's task points to context and feedback; without these it would crash."""
    menu.set_up()
    context = weakref.ref(menu._run.context)
    events_until(places().unfinished.exists)
    menu.unload()
    menu._run = None
    while QgsApplication.taskManager().countActiveTasks():
        QgsApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
        assert context() is not None
        QgsApplication.processEvents()
    application = QgsApplication.instance()
    events_until(
        lambda: (
            not [
                name
                for name in map(bytes, application.dynamicPropertyNames())
                if name.startswith(b"hyp3_stack_run") and application.property(name.decode())
            ]
        )
    )


def test_a_set_up_that_is_canceled_before_it_begins_can_go_on(menu, interface):
    manager = QgsApplication.taskManager()
    menu.set_up()
    manager.cancelAll()
    events_until(lambda: text(interface) == "The set-up was canceled.")
    assert button(interface, "Go on").isEnabled()
    assert menu._run is None
    events_until(lambda: not manager.countActiveTasks())


def test_the_demo_is_loaded_without_a_dialog(menu, interface, core_python, processing_plugin):
    project = QgsProject.instance()
    menu.make_demo()
    assert interface.messages.currentItem().findChildren(QProgressBar)
    menu.make_demo()  # as a double click does
    assert QgsApplication.taskManager().countActiveTasks() == 1
    steps = set()
    events_until(lambda: steps.add(text(interface)) or "on the map" in text(interface))
    assert any(step.startswith("Making the demo stack. ") for step in steps)
    names = [node.name() for node in project.layerTreeRoot().findGroups()]
    assert names == ["demo_stack"]
    shown = [layer.name() for layer in project.layerTreeRoot().checkedLayers()]
    assert shown == ["unw_phase: unwrapped phase"]
    assert button(interface, "Find my jobs").isEnabled()
    project.clear()


def test_a_demo_can_be_canceled(menu, interface, core_python):
    menu.make_demo()
    events_until(lambda: text(interface) != "Making the demo stack.")
    button(interface, "Cancel").click()
    events_until(lambda: text(interface) == "The demo was canceled.")
    assert not QgsProject.instance().mapLayers()
    assert button(interface, "Try again").isEnabled()


@pytest.mark.parametrize(("action", "offer"), [("make_demo", "Try again"), ("check", "Repair")])
def test_an_interpreter_that_lacks_packages(menu, interface, monkeypatch, action, offer):
    # QGIS's own Python runs, but has no zarr and others.
    monkeypatch.setenv("HYP3_STACK_PYTHON", sys.executable)
    getattr(menu, action)()
    events_until(lambda: "run hyp3:setupenvironment" in text(interface))
    assert button(interface, offer).isEnabled()


def test_a_demo_without_an_environment_offers_the_set_up(menu, interface):
    interface.messages.clearWidgets()
    menu.make_demo()
    events_until(lambda: "not set up yet" in text(interface))
    assert button(interface, "Set up now").isEnabled()


def test_an_environment_that_is_being_set_up_is_not_removed(menu, interface):
    menu.set_up()
    events_until(places().unfinished.exists)
    menu.remove()
    events_until(lambda: "Removing" not in text(interface) and "Setting" not in text(interface))
    assert text(interface) == (
        "A set-up of the core environment is running; cancel it or wait for its end."
    )
    assert places().unfinished.exists()
    menu.unload()
    events_until(lambda: QgsApplication.taskManager().countActiveTasks() == 0)


def test_a_place_that_cannot_hold_the_environment(menu, interface):
    home = places().home
    aside = home.with_name("aside")
    if home.exists():
        home.rename(aside)
    try:
        home.write_text("mine")
        menu.set_up()
        events_until(lambda: "cannot be changed in" in text(interface))
        assert "make that a folder that you may write to" in text(interface)
        assert home.read_text() == "mine"
    finally:
        home.unlink()
        if aside.exists():
            aside.rename(home)


def test_the_check_shows_what_there_is(menu, interface, core_python):
    menu.check()
    events_until(lambda: "works" in text(interface))
    assert text(interface).startswith("The core environment works: Python 3.")
    assert button(interface, "Versions").isEnabled()


def test_the_environment_is_removed_whole(menu, interface):
    environment("a digest")
    places().unfinished.mkdir(parents=True)
    menu.remove()
    assert text(interface) == "Removing the core environment."
    events_until(lambda: text(interface) == "The core environment was removed.")
    left = {path.name for path in places().home.iterdir()}
    assert not any(name.startswith("environment") for name in left)
    menu.remove()
    events_until(lambda: text(interface) == "There is no core environment to remove.")


def test_a_bug_report_tells_versions_and_not_who_it_is(menu, interface, core_python, monkeypatch):
    home = Path(core_python).parents[2]
    monkeypatch.setenv("HOME", str(home))
    menu.copy_report()
    events_until(lambda: "in the clipboard" in text(interface))
    copied = QApplication.clipboard().text()
    assert copied.startswith("HyP3 Stack ")
    for name in ("QGIS 3.", "GDAL 3.", "zarr 3.", "Core environment: Python 3."):
        assert name in copied
    assert f"~/{Path(core_python).relative_to(home)}" in copied
    assert str(home) not in copied
