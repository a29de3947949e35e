"""Rows of the contract as the definitions that QGIS takes."""

import re

from qgis.core import (
    QgsApplication,
    QgsProcessing,
    QgsProcessingParameterAuthConfig,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDateTime,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ...core.parameters.parameter import Kind
from .labels import with_labels

_CLASSES = {
    Kind.TEXT: QgsProcessingParameterString,
    Kind.LIST: QgsProcessingParameterString,
    Kind.CHOICE: QgsProcessingParameterEnum,
    Kind.FLAG: QgsProcessingParameterBoolean,
    Kind.NUMBER: QgsProcessingParameterNumber,
    Kind.INTEGER: QgsProcessingParameterNumber,
    Kind.DAY: QgsProcessingParameterDateTime,
    Kind.EXTENT: QgsProcessingParameterExtent,
    Kind.CRS: QgsProcessingParameterCrs,
    Kind.LOGIN: QgsProcessingParameterAuthConfig,
    Kind.FILE: QgsProcessingParameterFile,
    Kind.FOLDER: QgsProcessingParameterFile,
    Kind.NEW_FILE: QgsProcessingParameterFileDestination,
    Kind.NEW_FOLDER: QgsProcessingParameterFolderDestination,
    Kind.LAYER: QgsProcessingParameterFeatureSource,
    Kind.FEATURES: QgsProcessingParameterFeatureSink,
}

_GEOMETRIES = {
    "": QgsProcessing.SourceType.TypeVector,
    "polygon": QgsProcessing.SourceType.TypeVectorPolygon,
    "line": QgsProcessing.SourceType.TypeVectorLine,
}

_DECIMALS = 2
"""Digits that fields of numbers show; QGIS's own are six."""


def definition(row, algorithm):
    """Return the definition of a parameter of an algorithm."""
    options = {"defaultValue": row.default, "optional": not row.required, **_special(row)}
    made = _CLASSES[row.kind](row.name, row.label, **options)
    if in_window():
        made.setHelp(with_labels(_plain_help(row), algorithm))
    else:
        made.setHelp(row.help + _command_line_help(row))
    if row.kind is Kind.NUMBER:
        made.setMetadata({"widget_wrapper": {"decimals": _DECIMALS}})
    if row.group:
        flag = QgsProcessingParameterDefinition.Flag.FlagAdvanced
        made.setFlags(made.flags() | flag)
    return made


def _special(row):
    """Return what only definitions of that kind have."""
    if row.kind is Kind.CHOICE:
        return {"options": list(row.choices), "usesStaticStrings": True}
    if row.kind in (Kind.NUMBER, Kind.INTEGER):
        types = QgsProcessingParameterNumber.Type
        limits = {"minValue": row.minimum, "maxValue": row.maximum}
        return {
            "type": types.Integer if row.kind is Kind.INTEGER else types.Double,
            **{name: limit for name, limit in limits.items() if limit is not None},
        }
    if row.kind is Kind.DAY:
        return {"type": QgsProcessingParameterDateTime.Type.Date}
    if row.kind is Kind.FILE:
        behavior = QgsProcessingParameterFile.Behavior.File
        return {"behavior": behavior, "fileFilter": row.file_filter}
    if row.kind is Kind.FOLDER:
        return {"behavior": QgsProcessingParameterFile.Behavior.Folder}
    if row.kind is Kind.NEW_FILE:
        return {"fileFilter": row.file_filter, "createByDefault": _is_temporary(row)}
    if row.kind is Kind.NEW_FOLDER:
        return {"createByDefault": _is_temporary(row)}
    if row.kind is Kind.LAYER:
        return {"types": [_GEOMETRIES[row.geometry]]}
    if row.kind is Kind.FEATURES:
        return {"type": _GEOMETRIES[row.geometry]}
    return {}


def in_window():
    """Return whether users meet the algorithms in QGIS's window rather than in a terminal."""
    return QgsApplication.platform() == "desktop"


def _is_temporary(row):
    return row.required if row.temporary is None else row.temporary


def _plain_help(row):
    """Return the help with what the dialog shows for the words of a choice."""
    text = row.help
    for word, plain in zip(row.choices, row.plain):  # noqa: B905
        if word.casefold() != plain.casefold():
            text = re.sub(rf"\b{re.escape(word)}: ", f"{plain} ({word}): ", text)
    return text


def _command_line_help(row):
    # qgis_process says that enums take numbers, which is not so for those of words.
    if row.kind is Kind.CHOICE:
        return f" On the command line, give the word: {row.name}={row.choices[-1]}."
    if row.kind is Kind.FLAG:
        other = str(not row.default).lower()
        return f" On the command line, give true or false: {row.name}={other}."
    if row.kind is Kind.EXTENT:
        return (
            " On the command line xmin,xmax,ymin,ymax with the CRS, in quotation marks: "
            f"{row.name}='-118.2,-117.1,35.3,36.1 [EPSG:4326]'."
        )
    return ""
