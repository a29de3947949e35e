"""Saves what the map shows of each pair or date as an image, with the label of the frame."""

import time
from pathlib import Path

from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsFeedback,
    QgsInterval,
    QgsMapDecoration,
    QgsProject,
    QgsSettings,
    QgsTemporalUtils,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QFileDialog, QMessageBox, QProgressDialog

from ..layers.frames.map_frames import bands_in_time
from .frame_label import draw_texts, frame_texts

_FOLDER = "hyp3_stack/frames_folder"
_TITLE = "Save the frames as images"
_CLOCK_TICK = 2.0
"""Seconds by which times of files may be off."""


class _Label(QgsMapDecoration):
    """The label of the frame, for whoever draws a map with decorations."""

    def __init__(self, font):
        super().__init__()
        self._font = font

    def displayName(self):
        return "Pair or date"

    def render(self, settings, context):
        root = QgsProject.instance().layerTreeRoot()
        draw_texts(context.painter(), frame_texts(settings, root), self._font)


def ask_and_save(layer, canvas, parent):
    """Ask for a folder and save the frames of a layer there, with progress and cancel."""
    settings = QgsSettings()
    before = settings.value(_FOLDER, str(Path.home()))
    folder = QFileDialog.getExistingDirectory(parent, _TITLE, before)
    if not folder:
        return
    settings.setValue(_FOLDER, folder)
    feedback = QgsFeedback()
    progress = QProgressDialog("Drawing each frame.", "Cancel", 0, 100, parent)
    progress.setWindowTitle(_TITLE)
    progress.setWindowModality(Qt.WindowModality.WindowModal)
    feedback.progressChanged.connect(lambda percent: progress.setValue(int(percent)))
    progress.canceled.connect(feedback.cancel)
    problem = save_frames(layer, canvas, folder, feedback)
    progress.close()
    if problem and not feedback.isCanceled():
        QMessageBox.warning(parent, _TITLE, problem)


def save_frames(layer, canvas, folder, feedback=None):
    """Save the map as it is, once for each band of a layer; return why not, empty if it worked."""
    begin = time.time() - _CLOCK_TICK
    name = layer.name().partition(":")[0]
    periods = layer.temporalProperties().fixedRangePerBand()
    ranges = [periods[band] for band in bands_in_time(layer)]
    wanted = QgsTemporalUtils.AnimationExportSettings()
    wanted.availableTemporalRanges = ranges
    wanted.animationRange = QgsDateTimeRange(ranges[0].begin(), ranges[-1].end(), True, False)
    wanted.frameDuration = QgsInterval(1, Qgis.TemporalUnit.IrregularStep)
    wanted.outputDirectory = str(folder)
    wanted.fileNameTemplate = f"{name}_####.png"
    label = _Label(canvas.font())
    wanted.decorations = [label]
    QgsTemporalUtils.exportAnimation(canvas.mapSettings(), wanted, feedback)
    # QGIS says that all is well also where nothing could be written.
    last = Path(folder) / f"{name}_{len(ranges) - 1:04d}.png"
    if last.is_file() and last.stat().st_mtime >= begin:
        return ""
    return f"The images cannot be written into {folder}; choose a folder that takes them."
