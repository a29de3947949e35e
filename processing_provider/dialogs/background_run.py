"""Runs an algorithm without its dialog, in the background of QGIS's window."""

from functools import partial

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsMessageLog,
    QgsProcessingAlgRunnerTask,
    QgsProcessingContext,
    QgsProcessingFeedback,
    QgsProject,
    QgsTask,
)
from qgis.PyQt.QtCore import QTimer, pyqtSignal
from qgis.PyQt.QtWidgets import QProgressBar


class BackgroundRun:
    """A run of an algorithm; keeps alive what QGIS only points to until it has ended.

    ``end`` is called with whether it succeeded.
    """

    def __init__(self, algorithm, values, end):
        self.algorithm = algorithm.create()
        self.context = QgsProcessingContext()
        self.context.setProject(QgsProject.instance())
        self.feedback = _Feedback()
        # Our message says how it ended; that of QGIS would hide it.
        flags = QgsTask.Flag.CanCancel | QgsTask.Flag.Silent
        self.task = QgsProcessingAlgRunnerTask(
            self.algorithm, values, self.context, self.feedback, flags
        )
        self._end = end
        # QGIS keeps this object: the plugin may be switched off, and its modules with it.
        self._name = f"hyp3_stack_run_{id(self)}"
        QgsApplication.instance().setProperty(self._name, self)
        self.task.executed.connect(self._finish)

    def start(self):
        """Begin, or wait until QGIS has a thread for it."""
        QgsApplication.taskManager().addTask(self.task)

    def load_layers(self):
        """Add the layers of a run that has succeeded to the project."""
        # The Processing plugin exists only in QGIS's window.
        from processing.gui.Postprocessing import handleAlgorithmResults

        handleAlgorithmResults(self.algorithm, self.context, self.feedback)

    def _finish(self, succeeded, results):
        self._end(succeeded)
        # Not in this call, which comes from the task itself.
        QTimer.singleShot(0, partial(QgsApplication.instance().setProperty, self._name, None))


class TaskBar(QProgressBar):
    """A progress bar that takes the fractions of a task; Qt unplugs it when it is closed."""

    def show_percent(self, percent):
        self.setValue(int(percent))


class _Feedback(QgsProcessingFeedback):
    """Keeps the error, says what happens, and writes all of it to QGIS's log."""

    said = pyqtSignal(str)

    def __init__(self):
        super().__init__(False)
        self.error = ""

    def reportError(self, error, fatalError=False):  # noqa: N803
        self.error = error
        self._log(error, Qgis.MessageLevel.Critical)

    def pushWarning(self, warning):
        self._log(warning, Qgis.MessageLevel.Warning)

    def pushInfo(self, info):
        self.said.emit(info)
        self._log(info, Qgis.MessageLevel.Info)

    def _log(self, text, level):
        QgsMessageLog.logMessage(text, "HyP3 Stack", level)
