"""What QGIS's window offers for the core environment: set up, check, repair, remove."""

from contextlib import contextmanager
from functools import partial

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsMessageLog,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingException,
    QgsProcessingFeedback,
    QgsTask,
)
from qgis.PyQt import sip
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtWidgets import QAction, QApplication, QMessageBox, QProgressBar, QPushButton

from ..core.contract import Task
from .algorithms.algorithm import core_python, places
from .algorithms.setup_environment import SetupEnvironment, set_up_lock
from .environment.environment import remove_environment
from .environment.interpreter import EnvironmentNeededError, InterpreterError
from .process.core_process import CoreError, run_core

TITLE = "HyP3 Stack"


class EnvironmentMenu:
    """Menu entries, and a message with one button where there is no working environment."""

    def __init__(self, interface, menu, icon):
        self._iface = interface
        self._menu = menu
        self._run = None
        self._check = None
        self._item = None
        self.actions = [
            self._action(icon, "Set up core environment…", "SetUp", self.open_dialog),
            self._action(icon, "Check core environment", "Check", self.check),
            self._action(icon, "Remove core environment…", "Remove", self.ask_to_remove),
        ]
        # Once the window stands, so that the message is seen.
        QTimer.singleShot(0, self.offer)

    def _action(self, icon, text, name, slot):
        action = QAction(icon, text, self._iface.mainWindow())
        action.setObjectName(f"hyp3Stack{name}Environment")
        action.triggered.connect(lambda checked=False: slot())
        self._iface.addPluginToMenu(self._menu, action)
        return action

    def offer(self):
        """Say that the environment is missing, half-finished or of another version; offer it."""
        if not self.actions or self._run is not None:
            return
        try:
            core_python()
        except EnvironmentNeededError as error:
            button = QPushButton("Set up now")
            button.clicked.connect(lambda checked=False: self.set_up())
            # The rest of the sentence says what the button does.
            self._show(str(error).partition(";")[0] + ".", Qgis.MessageLevel.Info, button)
        except InterpreterError as error:
            self._show(str(error), Qgis.MessageLevel.Warning)

    def open_dialog(self):
        """Open the dialog of the algorithm, where a Python can be chosen and the log is seen."""
        # The Processing plugin exists only in QGIS's window, and may be switched off there.
        from qgis import processing

        dialog = processing.createAlgorithmDialog(f"hyp3:{SetupEnvironment.NAME}", {})
        if dialog is not None:
            self._clear()
            dialog.show()

    def set_up(self):
        """Make the environment in the background, with progress and cancel in the message bar."""
        if self._run is not None:
            return
        run = self._run = _Run()
        bar = _Bar()
        cancel = QPushButton("Cancel")
        cancel.clicked.connect(lambda checked=False: run.task.cancel())
        run.task.progressChanged.connect(bar.show_percent)
        run.task.executed.connect(self._end_set_up)
        text = "Setting up the core environment; this takes a few minutes."
        self._show(text, Qgis.MessageLevel.Info, bar, cancel)
        QgsApplication.taskManager().addTask(run.task)

    def _end_set_up(self, succeeded, results):
        run, self._run = self._run, None
        if not self.actions:  # the plugin was switched off meanwhile
            return
        if succeeded:
            self._show("The core environment is ready.", Qgis.MessageLevel.Success)
        elif run.feedback.isCanceled():
            self._show("The set-up was canceled.", Qgis.MessageLevel.Info)
        else:
            again = QPushButton("Try again")
            again.clicked.connect(lambda checked=False: self.set_up())
            self._show(run.feedback.error, Qgis.MessageLevel.Critical, again)

    def check(self):
        """Import every package in the core environment and show what it has."""
        try:
            python = core_python()
        except InterpreterError:
            self.offer()
            return
        self._check = _CheckTask(python, self._show_check)
        QgsApplication.taskManager().addTask(self._check)

    def _show_check(self, outputs, error):
        self._check = None
        if not self.actions:
            return
        if outputs is None:
            repair = QPushButton("Repair")
            repair.clicked.connect(lambda checked=False: self.set_up())
            self._show(error, Qgis.MessageLevel.Critical, repair)
            return
        packages = [f"{name} {number}" for name, number in outputs["PACKAGES"].items()]
        details = "\n".join((outputs["PYTHON"], f"Python {outputs['VERSION']}", *packages))
        more = QPushButton("Versions")
        more.clicked.connect(partial(self._show_details, details))
        self._show(
            f"The core environment works: Python {outputs['VERSION']} with "
            f"{len(packages)} packages.",
            Qgis.MessageLevel.Success,
            more,
        )

    def _show_details(self, text, checked=False):
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
        """Remove the environment, unless it is being set up."""
        try:
            with set_up_lock(places()), _wait_cursor():
                remove_environment(places())
        except (CoreError, QgsProcessingException) as error:
            self._show(str(error), Qgis.MessageLevel.Critical)
        else:
            self._show("The core environment was removed.", Qgis.MessageLevel.Success)

    def unload(self):
        """Take everything away; a running set-up is canceled."""
        self._clear()
        for action in self.actions:
            self._iface.removePluginMenu(self._menu, action)
            action.deleteLater()
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


@contextmanager
def _wait_cursor():
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QApplication.restoreOverrideCursor()


class _Bar(QProgressBar):
    """A progress bar that takes the fractions of a task; Qt unplugs it when it is closed."""

    def show_percent(self, percent):
        self.setValue(int(percent))


class _Feedback(QgsProcessingFeedback):
    """Keeps the error and writes the rest to QGIS's log."""

    def __init__(self):
        super().__init__(False)
        self.error = ""

    def reportError(self, error, fatalError=False):  # noqa: N803
        self.error = error
        QgsMessageLog.logMessage(error, TITLE, Qgis.MessageLevel.Critical)

    def pushInfo(self, info):
        QgsMessageLog.logMessage(info, TITLE, Qgis.MessageLevel.Info)


class _Run:
    """A set-up in the background; keeps alive what QGIS only points to until it has ended."""

    def __init__(self):
        self.algorithm = SetupEnvironment().create()
        self.context = QgsProcessingContext()
        self.feedback = _Feedback()
        self.task = QgsProcessingAlgRunnerTask(self.algorithm, {}, self.context, self.feedback)
        # QGIS keeps this object: the plugin may be switched off, and its modules with it.
        self._name = f"hyp3_stack_set_up_{id(self)}"
        QgsApplication.instance().setProperty(self._name, self)
        self.task.executed.connect(self._release)

    def _release(self, succeeded, results):
        # Not in this call, which comes from the task itself.
        QTimer.singleShot(0, partial(QgsApplication.instance().setProperty, self._name, None))


class _CheckTask(QgsTask):
    """Asks the core environment what it has."""

    def __init__(self, python, show):
        super().__init__("Check the core environment", QgsTask.Flag.CanCancel)
        self._python = python
        self._show = show
        self._outputs = None
        self._error = ""

    def run(self):
        try:
            self._outputs = run_core(self._python, Task.CHECK, {}, self)
        except CoreError as error:
            self._error = str(error)
        return self._outputs is not None

    def finished(self, result):
        self._show(self._outputs, self._error)

    def pushInfo(self, info):
        """Show nothing."""

    def pushWarning(self, warning):
        """Show nothing."""

    def pushDebugInfo(self, info):
        QgsMessageLog.logMessage(info, TITLE, Qgis.MessageLevel.Info)
