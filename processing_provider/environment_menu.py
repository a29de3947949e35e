"""What QGIS's window offers for the core environment: set up, check, repair, remove."""

from functools import partial

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsProcessing,
    QgsProcessingException,
    QgsTask,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QAction, QApplication, QMenu, QMessageBox, QPushButton

from ..core.contract import Task
from .algorithms.demo_stack import DemoStack
from .algorithms.help_page import page_url
from .algorithms.setup_environment import SetupEnvironment, set_up_lock
from .dialogs.background_run import BackgroundRun, TaskBar
from .dialogs.open_dialogs import open_dialog
from .environment.bug_report import bug_report
from .environment.environment import remove_environment
from .environment.in_use import core_python, places
from .environment.interpreter import EnvironmentNeededError, InterpreterError
from .process.core_process import CoreError
from .process.core_task import CoreTask

TITLE = "HyP3 Stack"
COSTS = "That is 500 MB and takes 2 to 3 minutes."
"""Measured on Debian 12 with a network of 100 Mbit/s."""


class EnvironmentMenu:
    """A submenu, and a message with one button where there is no working environment."""

    def __init__(self, interface, menu, icon):
        self._iface = interface
        self._menu = menu
        self._run = self._check = self._removal = None
        self._item = None
        self._submenu = QMenu(interface.mainWindow())
        self.actions = [
            self._action("Set up…", "SetUp", self.open_dialog),
            self._action("Check", "Check", self.check),
            self._action("Copy for a bug report", "Report", self.copy_report),
            self._action("Remove…", "Remove", self.ask_to_remove),
        ]
        self._entry = QAction(icon, "Core environment", interface.mainWindow())
        self._entry.setObjectName("hyp3StackEnvironment")
        self._entry.setMenu(self._submenu)
        interface.addPluginToMenu(menu, self._entry)
        # Once the window stands, so that the message is seen.
        QTimer.singleShot(0, self.offer)

    def _action(self, text, name, slot):
        action = self._submenu.addAction(text)
        action.setObjectName(f"hyp3Stack{name}Environment")
        action.triggered.connect(lambda checked=False: slot())
        return action

    def offer(self):
        """Say that the environment is missing, half-finished or of another version; offer it."""
        if not self.actions or self._run is not None:
            return
        try:
            core_python()
        except EnvironmentNeededError as error:
            # The rest of the sentence says what the button does.
            text = f"{str(error).partition(';')[0]}. {COSTS}"
            self._show(text, Qgis.MessageLevel.Info, _button("Set up now", self.set_up))
        except InterpreterError as error:
            self._show(str(error), Qgis.MessageLevel.Warning)

    def open_dialog(self):
        """Open the dialog of the algorithm, where a Python can be chosen and the log is seen."""
        if open_dialog(SetupEnvironment.NAME):
            self._clear()

    def set_up(self):
        """Make the environment in the background, with progress and cancel in the message bar."""
        text = "Setting up the core environment."
        self._start(SetupEnvironment(), {}, text, self._end_set_up)

    def make_demo(self):
        """Make and load the demo stack in the background, in a temporary folder."""
        values = {"OUTPUT": QgsProcessing.TEMPORARY_OUTPUT}
        demo = DemoStack()
        if demo.canExecute()[0]:
            self._start(demo, values, "Making the demo stack.", self._end_demo)
        else:
            self.offer()

    def _start(self, algorithm, values, text, end):
        if self._run is not None:
            return
        run = self._run = BackgroundRun(algorithm, values, end)
        bar = TaskBar()
        run.task.progressChanged.connect(bar.show_percent)
        cancel = _button("Cancel", run.task.cancel)
        self._show(text, Qgis.MessageLevel.Info, bar, cancel)
        # The algorithm runs in another thread.
        kind = Qt.ConnectionType.QueuedConnection
        run.feedback.said.connect(partial(self._show_step, self._item, text), kind)
        run.start()

    def _show_step(self, item, text, step):
        if item is self._item and not sip.isdeleted(item):
            item.setText(f"{text} {step}")

    def _end_set_up(self, succeeded):
        run, self._run = self._run, None
        if not self.actions:  # the plugin was switched off meanwhile
            return
        if succeeded:
            demo = _button("Demo stack", self.make_demo)
            text = "The core environment is ready."
            self._show(text, Qgis.MessageLevel.Success, demo, *_next_steps())
        elif run.feedback.isCanceled():
            go_on = _button("Go on", self.set_up)
            self._show("The set-up was canceled.", Qgis.MessageLevel.Info, go_on)
        else:
            again = _button("Try again", self.set_up)
            self._show(run.feedback.error, Qgis.MessageLevel.Critical, again)

    def _end_demo(self, succeeded):
        run, self._run = self._run, None
        if not self.actions:
            return
        again = _button("Try again", self.make_demo)
        if succeeded:
            run.load_layers()
        if run.feedback.isCanceled():
            self._show("The demo was canceled.", Qgis.MessageLevel.Info, again)
        elif run.feedback.error:
            self._show(run.feedback.error, Qgis.MessageLevel.Critical, again)
        else:
            text = "The demo stack is on the map. Play it in the Temporal Controller."
            self._show(text, Qgis.MessageLevel.Success, *_next_steps())

    def check(self):
        """Import every package in the core environment and show what it has."""
        self._look(self._show_check, self.offer)

    def copy_report(self):
        """Copy what a bug report needs to the clipboard."""
        self._look(self._copy, lambda: self._copy(None, "There is no core environment."))

    def _look(self, show, otherwise):
        """Ask the core environment what it has; do something else where there is none."""
        try:
            python = core_python()
        except InterpreterError:
            otherwise()
            return
        self._check = CoreTask("Check the core environment", python, Task.CHECK, {}, show)
        QgsApplication.taskManager().addTask(self._check)

    def _copy(self, outputs, error):
        self._check = None
        if self.actions:
            QApplication.clipboard().setText(bug_report(outputs, error))
            text = "What a bug report needs is in the clipboard; look it over before you send it."
            self._show(text, Qgis.MessageLevel.Success)

    def _show_check(self, outputs, error):
        self._check = None
        if not self.actions:
            return
        copy = _button("Copy for a bug report", partial(self._copy, outputs, error))
        if outputs is None:
            repair = _button("Repair", self.set_up)
            self._show(error, Qgis.MessageLevel.Critical, repair, copy)
            return
        packages = [f"{name} {number}" for name, number in outputs["PACKAGES"].items()]
        details = "\n".join((outputs["PYTHON"], f"Python {outputs['VERSION']}", *packages))
        self._show(
            f"The core environment works: Python {outputs['VERSION']} with "
            f"{len(packages)} packages.",
            Qgis.MessageLevel.Success,
            _button("Versions", partial(self._show_details, details)),
            copy,
        )

    def _show_details(self, text):
        QMessageBox.information(self._iface.mainWindow(), TITLE, text)

    def ask_to_remove(self):
        """Remove the environment after a question."""
        folder = places().environment
        answer = QMessageBox.question(
            self._iface.mainWindow(),
            TITLE,
            f"Remove the core environment {folder}? Stacks and products stay.",
        )
        if answer == QMessageBox.StandardButton.Yes:
            self.remove()

    def remove(self):
        """Remove the environment in the background, unless it is being set up."""
        if self._removal is None:
            self._show("Removing the core environment.", Qgis.MessageLevel.Info)
            self._removal = _RemoveTask(places(), self._end_removal)
            QgsApplication.taskManager().addTask(self._removal)

    def _end_removal(self, text, level):
        self._removal = None
        if self.actions:
            self._show(text, level)

    def unload(self):
        """Take everything away; a running set-up is canceled."""
        self._clear()
        if self.actions:
            self._iface.removePluginMenu(self._menu, self._entry)
            self._entry.deleteLater()
            self._submenu.deleteLater()
        self.actions = []
        for task in (self._run and self._run.task, self._check):
            if task:
                task.cancel()

    def _show(self, text, level, *widgets):
        """Show a message with widgets in place of the last one."""
        self._clear()
        messages = self._iface.messageBar()
        message = messages.createMessage(TITLE, text)
        for widget in widgets:
            message.layout().addWidget(widget)
        self._item = messages.pushWidget(message, level)

    def _clear(self):
        item, self._item = self._item, None
        # The user may have closed it.
        if item is not None and not sip.isdeleted(item):
            self._iface.messageBar().popWidget(item)


def _next_steps():
    tutorial = QUrl(page_url("tutorials/demo.html"))
    return (
        _button("Find my jobs", partial(open_dialog, "findjobs")),
        _button("Tutorial", partial(QDesktopServices.openUrl, tutorial)),
    )


def _button(text, slot):
    button = QPushButton(text)
    button.clicked.connect(lambda checked=False: slot())
    return button


class _RemoveTask(QgsTask):
    """Removes the environment, which has tens of thousands of files; then says how it went."""

    def __init__(self, target, say):
        super().__init__("Remove the core environment", QgsTask.Flag(0))
        self._target = target
        self._say = say
        self._said = ("There is no core environment to remove.", Qgis.MessageLevel.Info)

    def run(self):
        try:
            with set_up_lock(self._target):
                if remove_environment(self._target):
                    text = "The core environment was removed."
                    self._said = (text, Qgis.MessageLevel.Success)
        except (CoreError, QgsProcessingException) as error:
            self._said = (str(error), Qgis.MessageLevel.Critical)
        return True

    def finished(self, result):
        self._say(*self._said)
