"""The background task that watches jobs until all are done."""

from qgis.core import Qgis, QgsMessageLog, QgsTask
from qgis.PyQt.QtCore import pyqtSignal

from ...core.contract import Task
from ..process.core_process import CoreError, run_core

_TITLE = "HyP3 Stack"


class WatchTask(QgsTask):
    """Runs the core's watching; ``outputs`` and ``error`` hold its end.

    ``reported`` passes on how far the jobs are, ``warned`` why some failed and what expires soon.
    ``ended`` comes in the main thread, last.
    """

    reported = pyqtSignal(str)
    warned = pyqtSignal(str)
    ended = pyqtSignal()

    def __init__(self, python, job, secrets):
        # Silent, because QGIS's own message on its end would cover the one with the button.
        flags = QgsTask.Flag.CanCancel | QgsTask.Flag.Silent
        super().__init__(f"HyP3 jobs: {job['PROJECT']}", flags)
        self._python = python
        self._job = job
        self._secrets = secrets
        self.outputs = None
        self.error = ""

    def run(self):
        try:
            self.outputs = run_core(self._python, Task.WATCH_JOBS, self._job, self, self._secrets)
        except CoreError as error:
            self.error = str(error)
        return self.outputs is not None

    def finished(self, result):
        self.ended.emit()

    def pushInfo(self, info):
        """Pass on how far the jobs are."""
        self.reported.emit(info)

    def pushWarning(self, warning):
        """Pass on what deserves attention."""
        self.warned.emit(warning)

    def pushDebugInfo(self, info):
        """Write details to QGIS's log."""
        QgsMessageLog.logMessage(info, _TITLE, Qgis.MessageLevel.Info)
