"""What the dialog of a batch says, which QGIS does not pass on to the algorithm."""

from qgis.gui import QgsProcessingAlgorithmDialogBase
from qgis.PyQt.QtWidgets import QApplication


def leaves_layers_out(algorithm_id):
    """Return whether a batch of an algorithm runs that is not to load any layers.

    To be called in the main thread. QGIS hands the choice over with outputs that are layers alone.
    """
    for window in QApplication.topLevelWidgets():
        if isinstance(window, QgsProcessingAlgorithmDialogBase):
            box = getattr(window.mainWidget(), "checkLoadLayersOnCompletion", None)
            is_ours = window.algorithm() is not None and window.algorithm().id() == algorithm_id
            if box is not None and is_ours and window.cancelButton().isEnabled():
                return not box.isChecked()
    return False
