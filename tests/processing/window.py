"""Stands for QGIS's window, as far as the plugin uses it: real widgets."""

from qgis.core import QgsLayerTreeModel, QgsProject
from qgis.gui import QgsLayerTreeView, QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtWidgets import QMainWindow


class Interface:
    """The part of QGIS's window that the plugin uses."""

    def __init__(self):
        self.window = QMainWindow()
        self.menus = []
        self.icons = []
        self.docks = []
        self.messages = QgsMessageBar(self.window)
        self.canvas = QgsMapCanvas(self.window)
        self.layers = QgsLayerTreeView(self.window)
        root = QgsProject.instance().layerTreeRoot()
        self.layers.setModel(QgsLayerTreeModel(root, self.window))

    def mainWindow(self):
        return self.window

    def messageBar(self):
        return self.messages

    def mapCanvas(self):
        return self.canvas

    def layerTreeView(self):
        return self.layers

    def addPluginToMenu(self, menu, action):
        self.menus.append((menu, action))

    def removePluginMenu(self, menu, action):
        self.menus.remove((menu, action))

    def addToolBarIcon(self, action):
        self.icons.append(action)

    def removeToolBarIcon(self, action):
        self.icons.remove(action)

    def addDockWidget(self, area, dock):
        self.docks.append(dock)
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.docks.remove(dock)
        self.window.removeDockWidget(dock)
