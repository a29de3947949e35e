"""Takes series out of QGIS: a CSV file, or a table on the clipboard."""

from pathlib import Path

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QApplication, QFileDialog, QMessageBox

from .series.table import as_text

_FOLDER = "hyp3_stack/series_folder"


def copy(result):
    """Put the values on the clipboard, with tabs, as spreadsheets take them."""
    QApplication.clipboard().setText(as_text(result, "\t"))


def save(result, parent):
    """Ask for a file and write the values into it."""
    settings = QgsSettings()
    folder = settings.value(_FOLDER, str(Path.home()))
    proposed = str(Path(folder) / f"{result.path.stem}_{result.variable}.csv")
    name, _ = QFileDialog.getSaveFileName(
        parent, "Save the values as CSV", proposed, "CSV files (*.csv)"
    )
    if not name:
        return
    path = Path(name)
    if not path.suffix:
        path = path.with_suffix(".csv")
        # The dialog has asked about the name without it.
        if path.exists() and not _may_replace(path, parent):
            return
    settings.setValue(_FOLDER, str(path.parent))
    try:
        write(result, path)
    except OSError as error:
        text = f"{path} cannot be written: {error.strerror}."
        _box(QMessageBox.Icon.Warning, text, QMessageBox.StandardButton.Ok, parent).exec()


def _may_replace(path, parent):
    buttons = QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.No
    text = f"{path} exists. Replace it?"
    answer = _box(QMessageBox.Icon.Question, text, buttons, parent).exec()
    return answer == QMessageBox.StandardButton.Yes


def _box(icon, text, buttons, parent):
    """Return a message whose text is shown as it is: the name of a stack may read like HTML."""
    box = QMessageBox(icon, parent.windowTitle(), text, buttons, parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    return box


def write(result, path):
    """Write the values into a CSV file."""
    path.write_text(as_text(result, ","), encoding="utf-8")
