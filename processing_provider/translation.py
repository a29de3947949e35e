"""Texts that users read."""

from qgis.PyQt.QtCore import QCoreApplication


def tr(text):
    """Return ``text`` in the language of QGIS; placeholders are filled afterwards."""
    return QCoreApplication.translate("HyP3Stack", text)
