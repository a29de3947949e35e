"""Buttons beside the fields of a dialog that offer what may be meant, so that nobody types it."""

from functools import partial
from pathlib import Path

from qgis.core import QgsApplication, QgsProcessingException
from qgis.gui import QgsMapToolEmitPoint, QgsProcessingMultipleSelectionDialog
from qgis.PyQt import sip
from qgis.PyQt.QtWidgets import QDialog, QFileDialog, QInputDialog, QToolButton

from ...core.contract import Task
from ...core.parameters.parameter import Chooser
from ..environment.in_use import core_python
from ..environment.interpreter import InterpreterError
from ..layers.stack_description import StackFileError, open_stack
from ..process.core_task import CoreTask
from ..process.qgis_network import PROXIES, credentials, proxies, proxy_login


def chooser(kind, panel, wrapper):
    """Return the button for a field, or None."""
    return None if kind is None else _BUTTONS[kind](panel, wrapper)


class _Button(QToolButton):
    """A button that sets the value of the field beside it."""

    TEXT = ""
    TIP = ""

    def __init__(self, panel, wrapper):
        super().__init__()
        self.panel = panel
        self.wrapper = wrapper
        self.setObjectName(f"hyp3StackChoose{wrapper.parameterDefinition().name()}")
        self.setText(self.TEXT)
        self.setToolTip(self.TIP)
        self.clicked.connect(lambda checked=False: self.choose())

    def choose(self):
        """Ask the user."""

    def set(self, value):
        """Put a value into the field."""
        self.wrapper.setParameterValue(value, self.panel.processing_context)

    def run_core(self, task, job, show, secrets=None):
        """Run a task of the core in the background and show its outputs."""
        try:
            python = core_python()
        except InterpreterError as error:
            self.panel.show_error(str(error))
            return
        self.setEnabled(False)
        self._show = show
        self._task = CoreTask(self.TIP, python, task, job, self._end, secrets)
        QgsApplication.taskManager().addTask(self._task)

    def _end(self, outputs, error):
        if sip.isdeleted(self):  # the dialog was closed meanwhile
            return
        self.setEnabled(True)
        if outputs is None:
            self.panel.show_error(error)
        else:
            self._show(outputs)

    def check_among(self, names, titles=None):
        """Let the user check some of the names."""
        text = self.panel.value(self.wrapper.parameterDefinition().name()) or ""
        chosen = [name.strip() for name in text.split(",") if name.strip()]
        dialog = QgsProcessingMultipleSelectionDialog(
            list(names), [name for name in names if name in chosen or not chosen], self
        )
        titles = titles or {}
        dialog.setValueFormatter(lambda name: _titled(name, titles.get(name, "")))
        dialog.setWindowTitle(self.TIP)
        dialog.resize(560, 400)
        if dialog.exec() == QDialog.DialogCode.Accepted:
            kept = dialog.selectedOptions()
            # All of them is what an empty field stands for, also for products to come.
            self.set("" if len(kept) == len(names) else ",".join(kept))


class StoreButton(_Button):
    """Chooses the folder of a Zarr store, where QGIS's own button finds only files."""

    TEXT = "Zarr…"
    TIP = "Choose the folder of a Zarr store"

    def choose(self):
        folder = QFileDialog.getExistingDirectory(self, self.TIP, self._start())
        if folder:
            self.set(folder)

    def _start(self):
        there = self.panel.value("INPUT")
        return str(Path(there).parent) if there else ""


class ProjectsButton(_Button):
    """Asks the service for the user's projects."""

    TEXT = "My projects…"
    TIP = "Choose one of your HyP3 projects"

    def choose(self):
        try:
            secrets = {**(credentials(self.panel.value("AUTHCFG")) or {}), **proxy_login()}
        except QgsProcessingException as error:
            self.panel.show_error(str(error))
            return
        job = {"API_URL": self.panel.value("API_URL"), PROXIES: proxies()}
        self.run_core(Task.LIST_PROJECTS, job, self._offer, secrets)

    def _offer(self, outputs):
        names = {_titled(name, counts): name for name, counts in _counted(outputs["PROJECTS"])}
        if not names:
            self.panel.show_error("You have no jobs at this service.")
            return
        text, ok = QInputDialog.getItem(self, self.TIP, "Project", list(names), 0, False)
        if ok:
            self.set(names[text])


class LayersButton(_Button):
    """Lists the layers of the products that are there, or those that products may have."""

    TEXT = "Choose…"
    TIP = "Choose layers"

    def choose(self):
        job = {"PRODUCT_TYPE": self.panel.value("PRODUCT_TYPE") or "auto"}
        job_type = self.panel.value("JOB_TYPE")
        if job["PRODUCT_TYPE"] == "auto" and job_type not in (None, "any"):
            job["PRODUCT_TYPE"] = job_type
        if self.panel.value("INPUT"):
            job["INPUT"] = self.panel.value("INPUT")
        self.run_core(Task.LIST_LAYERS, job, lambda outputs: self.check_among(*_both(outputs)))


class VariablesButton(_Button):
    """Lists the variables of a stack."""

    TEXT = "Choose…"
    TIP = "Choose variables"

    def choose(self):
        path = self.panel.value("INPUT")
        if not path:
            self.panel.show_error("Choose a stack first.")
            return
        try:
            stack = open_stack(path)
        except StackFileError as error:
            self.panel.show_error(str(error))
            return
        self.check_among(list(stack.variables))


class PointButton(_Button):
    """Takes a point from the map."""

    TEXT = "From the map…"
    TIP = "Click a point on the map"

    def choose(self):
        from qgis.utils import iface

        canvas = iface.mapCanvas()
        before, window = canvas.mapTool(), self.window()
        tool = self._tool = QgsMapToolEmitPoint(canvas)

        def take(point, _button):
            code = canvas.mapSettings().destinationCrs().authid()
            digits = 6 if canvas.mapSettings().destinationCrs().isGeographic() else 1
            self.set(f"{point.x():.{digits}f},{point.y():.{digits}f} [{code}]")
            canvas.setMapTool(before) if before is not None else canvas.unsetMapTool(tool)

        tool.canvasClicked.connect(take)
        # Also where the user takes another tool instead.
        tool.deactivated.connect(partial(_show_again, window))
        window.hide()
        canvas.setMapTool(tool)


_BUTTONS = {
    Chooser.STORE: StoreButton,
    Chooser.PROJECTS: ProjectsButton,
    Chooser.LAYERS: LayersButton,
    Chooser.VARIABLES: VariablesButton,
    Chooser.POINT: PointButton,
}


def _show_again(window):
    if not sip.isdeleted(window):
        window.show()
        window.raise_()


def _both(outputs):
    return list(outputs["LAYERS"]), outputs["LAYERS"]


def _titled(name, title):
    return f"{name} ({title})" if title else name


def _counted(projects):
    for name, counts in projects.items():
        yield name, ", ".join(f"{count} {kind}" for kind, count in counts.items())
