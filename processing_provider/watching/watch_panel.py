"""The panel that shows how far jobs are."""

from qgis.core import QgsSettings
from qgis.gui import QgsAuthConfigSelect, QgsDockWidget
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...core.parameters.job_parameters import PRODUCTION_API

_SETTINGS = "hyp3_stack/watch"


class WatchPanel(QgsDockWidget):
    """Takes the project and the login, and shows what the task reports.

    ``started`` and ``stopped`` ask for a task; ``prepare_asked`` and ``resubmit_asked`` for the
    dialog of an algorithm.
    """

    started = pyqtSignal()
    stopped = pyqtSignal()
    prepare_asked = pyqtSignal()
    resubmit_asked = pyqtSignal()

    def __init__(self, parent=None):
        super().__init__("HyP3 Stack: jobs", parent)
        self.setObjectName("hyp3StackJobs")
        settings = QgsSettings()
        self.project = QLineEdit(settings.value(f"{_SETTINGS}/project", "", type=str))
        self.project.setPlaceholderText("all projects")
        self.service = QLineEdit(settings.value(f"{_SETTINGS}/service", PRODUCTION_API, type=str))
        self.login = QgsAuthConfigSelect()
        self.login.setConfigId(settings.value(f"{_SETTINGS}/login", "", type=str))
        self.login.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.watch = QPushButton("Watch")
        self.watch.clicked.connect(self._press)
        self.bar = QProgressBar()
        self.state = QLabel("No jobs are being watched.")
        self.state.setWordWrap(True)
        self.warnings = QListWidget()
        self.warnings.setWordWrap(True)
        self.prepare = QPushButton("Prepare stack…")
        self.prepare.clicked.connect(lambda checked=False: self.prepare_asked.emit())
        self.resubmit = QPushButton("Order failed jobs again…")
        self.resubmit.clicked.connect(lambda checked=False: self.resubmit_asked.emit())
        self._build()
        self._is_watching = False
        self.show_end("No jobs are being watched.", 0, 0)

    def _build(self):
        form = QFormLayout()
        form.addRow("Project", self.project)
        form.addRow("Earthdata Login", self.login)
        form.addRow("HyP3 service", self.service)
        buttons = QHBoxLayout()
        for button in (self.prepare, self.resubmit):
            buttons.addWidget(button)
        buttons.addStretch()
        inside = QWidget()
        layout = QVBoxLayout(inside)
        layout.addLayout(form)
        layout.addWidget(self.watch)
        layout.addWidget(self.bar)
        layout.addWidget(self.state)
        layout.addWidget(self.warnings)
        layout.addLayout(buttons)
        self.setWidget(inside)

    @property
    def job(self):
        """What is asked of the core, without the login."""
        return {
            "PROJECT": self.project.text().strip(),
            "API_URL": self.service.text().strip() or PRODUCTION_API,
            "WAIT": True,
            "INTERVAL": QgsSettings().value(f"{_SETTINGS}/interval", 60, type=int),
        }

    def show_start(self):
        """Show that jobs are being watched, and remember which."""
        settings = QgsSettings()
        settings.setValue(f"{_SETTINGS}/project", self.project.text())
        settings.setValue(f"{_SETTINGS}/service", self.service.text())
        settings.setValue(f"{_SETTINGS}/login", self.login.configId())
        self._is_watching = True
        self.warnings.clear()
        self.state.setText("Asking the service…")
        self._show_state()
        self.prepare.setEnabled(False)
        self.resubmit.setEnabled(False)
        self.bar.setValue(0)

    def show_end(self, text, succeeded, failed):
        """Show how the watching ended, and offer what can be done next."""
        self._is_watching = False
        self.state.setText(text)
        self._show_state()
        self.prepare.setEnabled(succeeded > 0)
        self.resubmit.setEnabled(failed > 0)

    def show_warning(self, text):
        """Add a line to the list."""
        self.warnings.addItem(text)

    def show_percent(self, percent):
        """Show progress."""
        self.bar.setValue(int(percent))

    def _show_state(self):
        self.watch.setText("Stop watching" if self._is_watching else "Watch")
        self.bar.setVisible(self._is_watching)
        for field in (self.project, self.login, self.service):
            field.setEnabled(not self._is_watching)

    def _press(self, checked=False):
        (self.stopped if self._is_watching else self.started).emit()
