"""A feedback for tests of the QGIS side that run without QGIS."""

import threading


class Recorder:
    """Keeps what it is told; ``cancel_after`` cancels when a message with this text comes."""

    def __init__(self, cancel_after=None):
        self.percents = []
        self.infos = []
        self.warnings = []
        self.debug = []
        self.threads = set()
        self.canceled = False
        self._cancel_after = cancel_after

    def isCanceled(self):
        return self.canceled

    def setProgress(self, progress):
        self.percents.append(progress)
        self.threads.add(threading.get_ident())

    def pushInfo(self, info):
        self.infos.append(info)
        self.threads.add(threading.get_ident())
        if self._cancel_after is not None and self._cancel_after in info:
            self.canceled = True

    def pushWarning(self, warning):
        self.warnings.append(warning)

    def pushDebugInfo(self, info):
        self.debug.append(info)
