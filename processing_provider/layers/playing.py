"""Sets the Temporal Controller to the dates of a layer, so that it plays at once."""

from datetime import timedelta

from qgis import utils
from qgis.core import Qgis, QgsDateTimeRange, QgsInterval, QgsTemporalNavigationObject

_STEP = "hyp3_stack/step_days"


def note_step(layer, dates):
    """Note by how many days time has to step to show each date of a layer."""
    steps = [after - before for before, after in zip(dates, dates[1:])]  # noqa: B905 - Python 3.9
    if steps:
        layer.setCustomProperty(_STEP, max(1, round(min(steps) / timedelta(days=1))))


def prepare_playing(layer):
    """Let the Temporal Controller step through the dates of a layer, unless it is in use.

    The timestamps of the sources, which QGIS offers as a step as well, run together where a project
    has stacks of other dates.
    """
    days = layer.customProperty(_STEP)
    if not days or utils.iface is None:
        return
    controller = utils.iface.mapCanvas().temporalController()
    if controller.navigationMode() != QgsTemporalNavigationObject.NavigationMode.NavigationOff:
        return
    ranges = layer.temporalProperties().allTemporalRanges(layer)
    begins, ends = [r.begin() for r in ranges], [r.end() for r in ranges]
    controller.setTemporalExtents(QgsDateTimeRange(min(begins), max(ends), True, False))
    controller.setFrameDuration(QgsInterval(int(days), Qgis.TemporalUnit.Days))
