"""Jobs are watched in the background, and their end is told with a button."""

import pytest
from qgis.PyQt.QtGui import QIcon
from qgis.PyQt.QtWidgets import QPushButton

from hyp3_stack.processing_provider.watching.watch_part import JobWatch

from .conftest import CORE_PYTHON, events_until, running_service
from .window import Interface


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service with two jobs that take two looks each; gives its variables."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(folder, 2, "--project", "ridge", "--pending") as variables:
        yield variables


@pytest.fixture
def watch(service, settings, monkeypatch):
    for name, value in {**service, "HYP3_STACK_PYTHON": CORE_PYTHON}.items():
        monkeypatch.setenv(name, value)
    settings.setValue("hyp3_stack/watch/interval", 1)
    made = JobWatch(Interface(), "HyP3 Stack", QIcon())
    made.open()
    made.panel.service.setText(service["API_URL"])
    yield made
    interface = made._interface
    made.unload()
    assert interface.menus == interface.docks == []


def test_the_end_is_told_with_a_button(watch):
    panel, messages = watch.panel, watch._interface.messages
    panel.project.setText("ridge")
    panel.watch.click()
    assert panel.watch.text() == "Stop watching"
    assert not panel.prepare.isEnabled()
    events_until(lambda: "running" in panel.state.text())
    events_until(lambda: watch.task is None)
    text = "All 2 jobs of ridge are done: 2 can be downloaded."
    assert panel.state.text() == messages.currentItem().text() == text
    (button,) = messages.currentItem().findChildren(QPushButton)
    assert button.text() == "Prepare stack…"
    assert panel.prepare.isEnabled() and not panel.resubmit.isEnabled()
    assert panel.watch.text() == "Watch"


def test_what_goes_wrong_is_told(watch):
    panel = watch.panel
    panel.project.setText("no such project")
    panel.watch.click()
    events_until(lambda: watch.task is None)
    assert "There are no such jobs in the project 'no such project'" in panel.state.text()
    assert watch._interface.messages.currentItem().text() == panel.state.text()
    assert not panel.prepare.isEnabled()


def test_it_can_be_stopped(watch):
    panel = watch.panel
    panel.watch.click()
    panel.watch.click()
    events_until(lambda: watch.task is None)
    assert panel.state.text() == "No jobs are being watched."
    assert watch._interface.messages.currentItem() is None
