"""Reads parameter values of an algorithm in the form that the core process takes."""

from pathlib import Path

from qgis.core import (
    QgsProcessing,
    QgsProcessingException,
    QgsProcessingParameterEnum,
    QgsProperty,
)
from qgis.PyQt.QtCore import Qt, QVariant

from ...core.contract import DIALOGS
from ...core.parameters.parameter import Kind
from .layer_features import as_geojson

# Codes of these authorities mean the same in every PROJ database; QGIS's own ones do not.
_AUTHORITIES = ("EPSG", "ESRI", "OGC", "IAU_2015", "IGNF")

_YES = ("true", "yes", "on", "1")
_NO = ("false", "no", "off", "0")


class Values:
    """The parameters of one run; every reader returns None where the user gave nothing."""

    def __init__(self, algorithm, parameters, context):
        self._algorithm = algorithm
        self._parameters = parameters
        self._context = context

    def job(self):
        """Return the parameters of the core's job: all that the user gave and it has a use for."""
        read = {row.name: self._read(row) for row in DIALOGS[self._algorithm.name()]}
        return {name: value for name, value in read.items() if value is not None}

    def _read(self, row):
        if row.qgis_only or row.kind is Kind.FEATURES:
            return None
        if row.kind in (Kind.NEW_FILE, Kind.NEW_FOLDER):
            return self.destination(row.name, row.suffix, row.kind is Kind.NEW_FILE)
        return _READERS.get(row.kind, Values.text)(self, row.name)

    def given(self, name):
        """Return whether the user gave a value."""
        return is_given(plain(self._parameters.get(name), self._context))

    def text(self, name):
        """Return text; also for credentials' ids and paths of input files and folders."""
        if not self.given(name):
            return None
        if isinstance(self._parameters[name], (list, tuple)):  # JSON input and Python consoles
            return ",".join(map(str, self._parameters[name]))
        return self._algorithm.parameterAsString(self._parameters, name, self._context)

    def choice(self, name):
        """Return the chosen word of an enum with static strings."""
        if not self.given(name):
            return None
        words = words_for_numbers(self._algorithm, self._parameters)
        return self._algorithm.parameterAsEnumString(words, name, self._context)

    def number(self, name):
        """Return a number."""
        if not self.given(name):
            return None
        return as_number(plain(self._parameters[name], self._context))

    def flag(self, name):
        """Return yes or no."""
        if not self.given(name):
            return None
        return as_flag(plain(self._parameters[name], self._context))

    def day(self, name):
        """Return a UTC day as YYYY-MM-DD; a date without time zone counts as UTC."""
        if not self.given(name):
            return None
        moment = self._algorithm.parameterAsDateTime(self._parameters, name, self._context)
        if moment.timeSpec() != Qt.TimeSpec.LocalTime:
            moment = moment.toUTC()
        return moment.date().toString(Qt.DateFormat.ISODate) if moment.isValid() else None

    def crs(self, name):
        """Return an authority code, or WKT where that would not be understood elsewhere."""
        if not self.given(name):
            return None
        crs = self._algorithm.parameterAsCrs(self._parameters, name, self._context)
        return _crs_text(crs)

    def extent(self, name):
        """Return bounds (xmin, ymin, xmax, ymax) in the user's CRS, and that CRS."""
        if not self.given(name):
            return None
        arguments = (self._parameters, name, self._context)
        rectangle = self._algorithm.parameterAsExtent(*arguments)
        west, east = rectangle.xMinimum(), rectangle.xMaximum()
        if _is_across(plain(self._parameters[name], self._context)):
            west, east = east, west
        return {
            "bounds": [west, rectangle.yMinimum(), east, rectangle.yMaximum()],
            "crs": _crs_text(self._algorithm.parameterAsExtentCrs(*arguments)),
        }

    def layer(self, name):
        """Return the features of a vector layer, or of its selection, as GeoJSON in EPSG:4326."""
        if not self.given(name):
            return None
        source = self._algorithm.parameterAsSource(self._parameters, name, self._context)
        if source is None:
            raise QgsProcessingException(self._algorithm.invalidSourceError(self._parameters, name))
        return as_geojson(source, self._context.transformContext())

    def destination(self, name, suffix="", is_file=False):
        """Return the path of an output.

        A temporary one ends with ``suffix``, and so does a new file that has no ending: file
        dialogs would not show it.
        """
        if not self.given(name):
            return None
        path = self._algorithm.parameterAsFileOutput(self._parameters, name, self._context)
        is_temporary = self._parameters[name] == QgsProcessing.TEMPORARY_OUTPUT
        lacks_one = is_file and not Path(path).suffix and not Path(path).exists()
        is_bare = (is_temporary or lacks_one) and not path.endswith(suffix)
        return f"{path}{suffix}" if is_bare else path


_READERS = {
    Kind.CHOICE: Values.choice,
    Kind.FLAG: Values.flag,
    Kind.NUMBER: Values.number,
    Kind.INTEGER: Values.number,
    Kind.DAY: Values.day,
    Kind.EXTENT: Values.extent,
    Kind.LAYER: Values.layer,
    Kind.CRS: Values.crs,
}
"""How to read what is not text."""


def _is_across(value):
    """Return whether an extent is written with west greater than east, which QGIS would swap."""
    try:
        west, east = map(float, str(value).split(",")[:2])
    except ValueError:
        return False
    return west > east


def plain(value, context):
    """Return a value, or the one that its expression gives; None for QGIS's NULL."""
    if isinstance(value, QgsProperty):
        found, ok = value.value(context.expressionContext())
        value = found if ok else value
    return None if isinstance(value, QVariant) and value.isNull() else value


def is_given(value):
    """Return whether a plain value is one: blank text stands for none."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def as_number(value):
    """Return a plain value as a number, or None: QGIS has the default for what is none."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def as_flag(value):
    """Return a plain value as yes or no, or None: QGIS takes the words no and off for yes."""
    if not isinstance(value, str):
        return bool(value) if isinstance(value, (bool, int, float)) else None
    word = value.strip().lower()
    return True if word in _YES else False if word in _NO else None


def words_for_numbers(algorithm, parameters):
    """Return the parameters with a number like ZARR_FORMAT = 2 as the word that an enum needs."""
    return {
        name: str(value)
        if isinstance(value, int)
        and isinstance(algorithm.parameterDefinition(name), QgsProcessingParameterEnum)
        else value
        for name, value in parameters.items()
    }


def _crs_text(crs):
    if not crs.isValid():
        return None
    authority = crs.authid().partition(":")[0]
    return crs.authid() if authority in _AUTHORITIES else crs.toWkt(crs.WktVariant.WKT_PREFERRED)
