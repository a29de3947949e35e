"""Entries of the plugin's menu that open the dialogs of algorithms, and the help."""

from qgis.core import QgsApplication
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QAction

from .algorithms.help_page import page_url
from .dialogs.open_dialogs import open_dialog


class MenuEntries:
    """Entries that stand one below the other in the plugin's menu."""

    def __init__(self, interface, menu, icon):
        self._iface = interface
        self._menu = menu
        self._icon = icon
        self._actions = []

    def add_algorithms(self, *names):
        """Add entries for algorithms of the provider."""
        for name in names:
            algorithm = QgsApplication.processingRegistry().algorithmById(f"hyp3:{name}")
            self._add(f"{algorithm.displayName()}…", name, lambda name=name: open_dialog(name))

    def add_help(self):
        """Add an entry that opens the help in a browser."""
        self._add("Help", "help", lambda: QDesktopServices.openUrl(QUrl(page_url("index.html"))))

    def unload(self):
        """Remove the entries."""
        for action in self._actions:
            self._iface.removePluginMenu(self._menu, action)
            action.deleteLater()
        self._actions = []

    def _add(self, text, name, slot):
        action = QAction(self._icon, text, self._iface.mainWindow())
        action.setObjectName(f"hyp3Stack_{name}")
        action.triggered.connect(lambda checked=False: slot())
        self._iface.addPluginToMenu(self._menu, action)
        self._actions.append(action)
