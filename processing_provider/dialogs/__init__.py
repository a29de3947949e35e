"""The dialogs of the algorithms in QGIS's window."""
