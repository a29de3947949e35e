"""Takes series out of QGIS: tables, pictures, and both on the clipboard."""

from pathlib import Path

from qgis.core import QgsSettings
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QApplication, QFileDialog, QMessageBox

from .plot.plot_files import image_of, write_png, write_svg
from .series.table import as_text

_FOLDER = "hyp3_stack/series_folder"
_PNG, _SVG = "PNG images (*.png)", "SVG drawings (*.svg)"


def copy(result):
    """Put the values on the clipboard, with tabs, as spreadsheets take them."""
    QApplication.clipboard().setText(as_text(result, "\t"))


def copy_picture(plot):
    """Put the plot on the clipboard as an image."""
    QApplication.clipboard().setImage(image_of(plot))


def save(result, parent):
    """Ask for a file and write the values into it."""
    path, _ = _ask(result, parent, "Save the values as CSV", ("CSV files (*.csv)",))
    if path is not None:
        _try(lambda: write(result, path), path, parent)


def save_picture(result, plot, parent):
    """Ask for a file and write the plot into it, as PNG or SVG."""
    path, is_svg = _ask(result, parent, "Save the plot as an image", (_PNG, _SVG))
    if path is not None:
        _try(lambda: (write_svg if is_svg else write_png)(plot, path), path, parent)


def write(result, path):
    """Write the values into a CSV file."""
    path.write_text(as_text(result, ","), encoding="utf-8")


def _ask(result, parent, title, kinds):
    """Return the file that the user chooses or None, and whether it is to be an SVG."""
    settings = QgsSettings()
    folder = settings.value(_FOLDER, str(Path.home()))
    ending = kinds[0][-5:-1]
    proposed = str(Path(folder) / f"{result.path.stem}_{result.variable}{ending}")
    name, kind = QFileDialog.getSaveFileName(parent, title, proposed, ";;".join(kinds))
    if not name:
        return None, False
    path = Path(name)
    if not path.suffix:
        path = path.with_suffix((kind or kinds[0])[-5:-1])
        # The dialog has asked about the name without it.
        if path.exists() and not _may_replace(path, parent):
            return None, False
    settings.setValue(_FOLDER, str(path.parent))
    return path, path.suffix.lower() == ".svg"


def _try(writing, path, parent):
    """Write a file, and say why where that is not possible."""
    try:
        writing()
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
