"""Watching jobs in QGIS's window, in the background."""
