"""What the plugin adds to QGIS's window for watching jobs."""

from qgis.core import Qgis, QgsApplication, QgsProcessingException
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QAction, QPushButton

from ..dialogs.open_dialogs import open_dialog
from ..environment.in_use import core_python
from ..environment.interpreter import InterpreterError
from ..process.qgis_network import PROXIES, credentials, proxies, proxy_login
from .watch_panel import WatchPanel
from .watch_task import WatchTask

TITLE = "HyP3 Stack"


class JobWatch:
    """The menu entry, its panel, and one task at a time."""

    def __init__(self, interface, menu, icon):
        self._interface = interface
        self._menu = menu
        self.panel = self.task = None
        self._outputs = {}
        self.action = QAction(icon, "Watch jobs…", interface.mainWindow())
        self.action.setObjectName("hyp3StackWatchJobs")
        self.action.setToolTip("Shows when the jobs of a HyP3 project are done")
        self.action.triggered.connect(self.open)
        interface.addPluginToMenu(menu, self.action)

    def open(self, *ignored):
        """Show the panel."""
        if self.panel is None:
            panel = self.panel = WatchPanel(self._interface.mainWindow())
            panel.started.connect(self.start)
            panel.stopped.connect(self.stop)
            panel.prepare_asked.connect(self.prepare)
            panel.resubmit_asked.connect(self.resubmit)
            self._interface.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, panel)
        self.panel.setUserVisible(True)

    def start(self):
        """Watch the project of the panel in the background."""
        panel = self.panel
        try:
            # Here and not in the task, because QGIS may have to ask for its master password.
            secrets = {**(credentials(panel.login.configId()) or {}), **proxy_login()}
            python = core_python()
        except (InterpreterError, QgsProcessingException) as error:
            panel.show_end(str(error), 0, 0)
            return
        self._outputs = {}
        task = self.task = WatchTask(python, {**panel.job, PROXIES: proxies()}, secrets)
        task.reported.connect(panel.state.setText)
        task.warned.connect(panel.show_warning)
        task.progressChanged.connect(panel.show_percent)
        task.ended.connect(self._end)
        # A task that is canceled before it begins does not end.
        task.taskTerminated.connect(self._end)
        panel.show_start()
        QgsApplication.taskManager().addTask(task)

    def stop(self):
        """Stop watching; the jobs go on."""
        if self.task is not None:
            self.task.cancel()

    def prepare(self):
        """Open the dialog that makes a stack of the watched jobs."""
        job_type = self._outputs.get("JOB_TYPE")
        self._open_dialog("preparestack", {"JOB_TYPE": job_type} if job_type else {})

    def resubmit(self):
        """Open the dialog that orders failed jobs again."""
        self._open_dialog("resubmitjobs", {})

    def unload(self):
        """Remove everything; what is watched is no more."""
        self.stop()
        self.task = None
        self._interface.removePluginMenu(self._menu, self.action)
        self.action.deleteLater()
        if self.panel is not None:
            self._interface.removeDockWidget(self.panel)
            self.panel.deleteLater()
            self.panel = None

    def _end(self):
        task, self.task = self.task, None
        if task is None or self.panel is None:
            return
        if task.outputs is None:
            text = "No jobs are being watched." if task.isCanceled() else task.error
            self.panel.show_end(text, 0, 0)
            if not task.isCanceled():
                self._show(text, Qgis.MessageLevel.Warning)
            return
        outputs = self._outputs = task.outputs
        project = self.panel.job["PROJECT"]
        failed = f", {outputs['FAILED']} failed" if outputs["FAILED"] else ""
        text = (
            f"All {outputs['COUNT']} jobs{f' of {project}' if project else ''} are done: "
            f"{outputs['SUCCEEDED']} can be downloaded{failed}."
        )
        self.panel.show_end(text, outputs["SUCCEEDED"], outputs["FAILED"])
        level = Qgis.MessageLevel.Warning if failed else Qgis.MessageLevel.Success
        buttons = []
        if outputs["SUCCEEDED"]:
            button = QPushButton("Prepare stack…")
            button.clicked.connect(lambda checked=False: self.prepare())
            buttons = [button]
        self._show(text, level, *buttons)

    def _open_dialog(self, name, more):
        panel = self.panel
        values = {"API_URL": panel.job["API_URL"], "PROJECT": panel.job["PROJECT"], **more}
        if panel.login.configId():
            values["AUTHCFG"] = panel.login.configId()
        open_dialog(name, values)

    def _show(self, text, level, *widgets):
        messages = self._interface.messageBar()
        message = messages.createMessage(TITLE, text)
        for widget in widgets:
            message.layout().addWidget(widget)
        messages.pushWidget(message, level)
