"""Opens the dialog of an algorithm from elsewhere than the toolbox."""

_OPEN = {}
"""Dialogs that are open."""


def open_dialog(name, values=None):
    """Open the dialog of an algorithm with some values; return whether there is one."""
    # The Processing plugin exists only in QGIS's window, and may be switched off there.
    from qgis import processing

    dialog = processing.createAlgorithmDialog(f"hyp3:{name}", values or {})
    if dialog is None:
        return False
    # QGIS's part of it lives as long as it is open; without this, its part in Python would not.
    key = id(dialog)
    _OPEN[key] = dialog
    dialog.destroyed.connect(lambda: _OPEN.pop(key, None))
    dialog.show()
    return True
