"""A task of the core in the background of QGIS's window."""

from qgis.core import Qgis, QgsMessageLog, QgsTask

from .core_process import CoreError, run_core


class CoreTask(QgsTask):
    """Runs a task of the core; then calls ``show(outputs, error)`` in the main thread.

    ``outputs`` is None where the task has failed, and ``error`` the sentence that says why.
    """

    def __init__(self, title, python, task, job, show, secrets=None):
        super().__init__(title, QgsTask.Flag.CanCancel)
        self._python = python
        self._core_task = task
        self._job = job
        self._secrets = secrets
        self._show = show
        self._outputs = None
        self._error = ""

    def run(self):
        try:
            self._outputs = run_core(self._python, self._core_task, self._job, self, self._secrets)
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
        QgsMessageLog.logMessage(info, "HyP3 Stack", Qgis.MessageLevel.Info)
