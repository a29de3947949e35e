"""The period of time, a range of UTC days, both inclusive."""

from qgis.core import QgsProcessingParameterDateTime

from ..translation import tr

START = "START"
END = "END"


def add_period(algorithm):
    """Declare START and END."""
    algorithm.add(
        _day(START, tr("First day")),
        tr(
            "Leave out what was acquired before this UTC day, for example 2021-01-31. Of a pair, "
            "both dates have to lie in the period, if no date rule says otherwise."
        ),
    )
    algorithm.add(
        _day(END, tr("Last day")),
        tr("Leave out what was acquired after this UTC day; the day itself is included."),
    )


def read_period(values):
    """Return what the user gave of START and END."""
    return {START: values.day(START), END: values.day(END)}


def check_period(values):
    """Return a sentence where START lies after END."""
    start, end = values.day(START), values.day(END)
    if start and end and end < start:
        message = tr("START ({start}) lies after END ({end}); swap them.")
        return message.format(start=start, end=end)
    return ""


def _day(name, label):
    return QgsProcessingParameterDateTime(
        name, label, type=QgsProcessingParameterDateTime.Type.Date, optional=True
    )
