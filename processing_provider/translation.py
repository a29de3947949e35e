"""Translation of everything that users read."""

from qgis.PyQt.QtCore import QCoreApplication

CONTEXT = "HyP3Stack"


def tr(text):
    """Return ``text`` in the language of QGIS; placeholders are filled afterwards."""
    return QCoreApplication.translate(CONTEXT, text)
