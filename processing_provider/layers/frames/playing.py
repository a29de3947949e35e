"""Sets time to the pairs or dates of a layer, so that it plays at once."""

from qgis import utils
from qgis.core import (
    Qgis,
    QgsDateTimeRange,
    QgsInterval,
    QgsProject,
    QgsTemporalNavigationObject,
)

_MODE = QgsTemporalNavigationObject.NavigationMode
_STEP = QgsInterval(1, Qgis.TemporalUnit.IrregularStep)


def prepare_playing(layer, project):
    """Let time step from pair to pair, or from date to date, of a layer.

    Period and step are kept in the project.
    """
    if not _ranges(layer):
        return
    settings = project.timeSettings()
    settings.setTemporalRange(_period(layer))
    settings.setTimeStepUnit(_STEP.originalUnit())
    settings.setTimeStep(1)
    if utils.iface is not None and project is QgsProject.instance():
        let_play(layer, utils.iface.mapCanvas().temporalController())


def let_play(layer, controller):
    """Make each pair or date of a layer a frame of the Temporal Controller.

    It is left alone where it is in use and shows all of them as it is. What an earlier stack or an
    empty project has left there does not.
    """
    if controller.navigationMode() == _MODE.NavigationOff or not _shows_all(controller, layer):
        _set(controller, layer)


def show_band(layer, band, canvas):
    """Let the Temporal Controller of a map show a band of a layer."""
    controller = canvas.temporalController()
    _set(controller, layer)
    if controller.navigationMode() != _MODE.Animated:
        controller.setNavigationMode(_MODE.Animated)
    begin = layer.temporalProperties().fixedRangePerBand()[band].begin()
    controller.setCurrentFrameNumber(controller.findBestFrameNumberForFrameStart(begin))


def _shows_all(controller, layer):
    """Return whether the frames of a controller, as they are, show each band of a layer."""
    if not controller.temporalExtents().contains(_period(layer)):
        return False
    step = controller.frameDuration()
    if step.originalUnit() != _STEP.originalUnit():
        # Passes are days apart: the hour with which QGIS begins is nobody's choice.
        return step.days() >= 1.0
    return _moments(_ranges(layer)) <= _moments(controller.availableTemporalRanges())


def _set(controller, layer):
    """Make each range of a layer one frame.

    QGIS itself would take those of all layers, which run together where there are several stacks.
    """
    controller.setAvailableTemporalRanges(_ranges(layer))
    controller.setTemporalExtents(_period(layer))
    controller.setFrameDuration(_STEP)


def _ranges(layer):
    ranges = layer.temporalProperties().fixedRangePerBand().values()
    return sorted(ranges, key=lambda item: item.begin())


def _moments(ranges):
    return {(item.begin().toMSecsSinceEpoch(), item.end().toMSecsSinceEpoch()) for item in ranges}


def _period(layer):
    ranges = _ranges(layer)
    return QgsDateTimeRange(ranges[0].begin(), ranges[-1].end(), True, False)
