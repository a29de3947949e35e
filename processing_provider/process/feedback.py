"""A feedback that estimates the end and hears the interrupt key under ``qgis_process``."""

import time

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QThread

_FIRST_SECONDS = 10.0
"""An estimate from less than this is worth nothing."""


class RunFeedback:
    """Passes everything on to a QgsProcessingFeedback, and says how long it will take.

    ``said`` puts a message into the words of whoever reads it.

    ``qgis_process`` runs an algorithm in its main thread and learns of an interrupt by a Qt event,
    which nobody delivers there while the algorithm waits for a child process.
    """

    def __init__(self, feedback, clock=time.monotonic, said=str):
        self._feedback = feedback
        self._clock = clock
        self._begin = clock()
        self._said = ""
        self._deliver_events = (
            QgsApplication.platform() == "qgis_process"
            and QThread.currentThread() == QCoreApplication.instance().thread()
        )
        self.pushInfo = lambda text: feedback.pushInfo(said(text))
        self.pushWarning = lambda text: feedback.pushWarning(said(text))
        self.pushDebugInfo = feedback.pushDebugInfo

    def isCanceled(self):
        """Return whether the user canceled."""
        if self._deliver_events:
            QCoreApplication.processEvents()
        return self._feedback.isCanceled()

    def setProgress(self, progress):
        """Show progress, and the time that is left whenever it differs from the last."""
        self._feedback.setProgress(progress)
        elapsed = self._clock() - self._begin
        if elapsed < _FIRST_SECONDS or not 1.0 <= progress < 100.0:
            return
        text = _remaining(elapsed * (100.0 - progress) / progress)
        if text != self._said:
            self._said = text
            self._feedback.setProgressText(text)


def _remaining(seconds):
    """Return a duration in steps so coarse that it seldom changes."""
    minutes = seconds / 60.0
    if minutes < 1.0:
        return "Less than a minute left."
    if minutes < 90.0:
        step = 1 if minutes < 5 else 5
        rounded = max(1, round(minutes / step)) * step
        return "About one minute left." if rounded == 1 else f"About {rounded} minutes left."
    return f"About {max(2, round(minutes / 60.0))} hours left."
