"""Says what is wrong with values that QGIS would take for something else without a word."""

import math
import re

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterNumber,
    QgsProcessingParameters,
)

from ...core.contract import unknown_names
from .job_values import as_flag, as_number, is_given, plain, words_for_numbers

_LARGE = 1e6
"""A maximum of this size is mentioned only where a value exceeds it. Without a maximum, QGIS has
the largest number of its type."""

_EXTENT_CRS = re.compile(r"(?:[^,]*,){3}[^,\[]*\[(.*)\]\s*", re.DOTALL)


def find_wrong_value(algorithm, parameters, context):
    """Return a sentence on the first wrong value of the parameters, or nothing."""
    parameters = words_for_numbers(algorithm, parameters)
    definitions = algorithm.parameterDefinitions()
    known = {definition.name() for definition in definitions}
    unknown = sorted(parameters.keys() - known)
    if unknown:
        return unknown_names(unknown, known, algorithm.name())
    for definition in definitions:
        value = plain(parameters.get(definition.name()), context)
        check = next(
            (check for kind, check in _CHECKS.items() if isinstance(definition, kind)), None
        )
        if check is not None and is_given(value):
            message = check(definition, value, context)
            if message:
                return message
    return ""


def _check_crs(definition, value, context):
    # QGIS makes an invalid system of an unknown code, which elsewhere stands for none.
    name = definition.name()
    if QgsProcessingParameters.parameterAsCrs(definition, {name: value}, context).isValid():
        return ""
    return (
        f"{name} is {value!r}, which is not a coordinate reference system; give a code such as "
        "EPSG:32606."
    )


def _check_extent(definition, value, context):
    name = definition.name()
    if isinstance(value, (list, tuple)) or not definition.checkValueIsAcceptable(value, context):
        return f"{name} is {value!r}, but it has to read xmin,xmax,ymin,ymax [EPSG:code]."
    match = _EXTENT_CRS.fullmatch(value) if isinstance(value, str) else None
    if match is None or QgsCoordinateReferenceSystem(match[1]).isValid():
        return ""
    return (
        f"{name} is given in {match[1]!r}, which is not a coordinate reference system; give a code "
        "such as EPSG:4326."
    )


def _check_number(definition, value, context):
    number = as_number(value)
    low, high = definition.minimum(), definition.maximum()
    if number is not None and math.isfinite(number) and low <= number <= high:
        return ""
    if high < _LARGE or (number is not None and number > high):
        limits = f"from {low:g} to {high:g}"
    else:
        limits = f"of at least {low:g}"
    return f"{definition.name()} is {value!r}, but it has to be a number {limits}."


def _check_flag(definition, value, context):
    if as_flag(value) is not None:
        return ""
    return f"{definition.name()} is {value!r}, but it has to be true or false."


def _check_day(definition, value, context):
    if definition.checkValueIsAcceptable(value, context):
        return ""
    return (
        f"{definition.name()} is {value!r}, but it has to be a date like 2021-02-28 (YYYY-MM-DD)."
    )


def _check_choice(definition, value, context):
    if definition.checkValueIsAcceptable(value, context):
        return ""
    options = ", ".join(definition.options())
    return f"{definition.name()} is {value!r}, but it has to be one of: {options}."


_CHECKS = {
    QgsProcessingParameterBoolean: _check_flag,
    QgsProcessingParameterCrs: _check_crs,
    QgsProcessingParameterDateTime: _check_day,
    QgsProcessingParameterEnum: _check_choice,
    QgsProcessingParameterExtent: _check_extent,
    QgsProcessingParameterNumber: _check_number,
}
