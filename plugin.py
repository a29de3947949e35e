"""The plugin object that QGIS creates: registers the Processing provider and a menu entry."""

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QCoreApplication
from qgis.PyQt.QtWidgets import QAction

from .processing_provider.provider import Provider
from .processing_provider.time_series.plugin_part import TimeSeries

MENU = "HyP3 Stack"


class Hyp3StackPlugin:
    """Registers the provider; ``iface`` is None under ``qgis_process``."""

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.set_up_action = None
        self.time_series = None

    def initProcessing(self):
        """Add the provider; all that ``qgis_process`` calls."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        """Add the provider and the menu entry."""
        self.initProcessing()
        if self.iface is None:
            return
        text = QCoreApplication.translate("Hyp3StackPlugin", "Set up core environment…")
        self.set_up_action = QAction(self.provider.icon(), text, self.iface.mainWindow())
        self.set_up_action.setObjectName("hyp3StackSetUpEnvironment")
        self.set_up_action.triggered.connect(self.open_set_up)
        self.iface.addPluginToMenu(MENU, self.set_up_action)
        self.time_series = TimeSeries(self.iface, MENU)

    def open_set_up(self):
        """Open the dialog of the algorithm that makes the core environment."""
        # The Processing plugin exists only in QGIS's window, and may be switched off there.
        from qgis import processing

        dialog = processing.createAlgorithmDialog(f"{self.provider.id()}:setupenvironment", {})
        if dialog is not None:
            dialog.show()

    def unload(self):
        """Remove what was added."""
        if self.time_series is not None:
            self.time_series.unload()
            self.time_series = None
        if self.set_up_action is not None:
            self.iface.removePluginMenu(MENU, self.set_up_action)
            self.set_up_action.deleteLater()
            self.set_up_action = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
