"""A feedback that hears the interrupt key under ``qgis_process``."""

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication, QThread


class RunFeedback:
    """Passes everything on to a QgsProcessingFeedback.

    ``qgis_process`` runs an algorithm in its main thread and learns of an interrupt by a Qt event,
    which nobody delivers there while the algorithm waits for a child process.
    """

    def __init__(self, feedback):
        self._feedback = feedback
        self._deliver_events = (
            QgsApplication.platform() == "qgis_process"
            and QThread.currentThread() == QCoreApplication.instance().thread()
        )
        self.setProgress = feedback.setProgress
        self.pushInfo = feedback.pushInfo
        self.pushWarning = feedback.pushWarning
        self.pushDebugInfo = feedback.pushDebugInfo

    def isCanceled(self):
        """Tell whether the user canceled."""
        if self._deliver_events:
            QCoreApplication.processEvents()
        return self._feedback.isCanceled()
