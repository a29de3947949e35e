"""Features of a vector layer among the parameters of a job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidParameterError
from .documents import read_document
from .parameters import Parameters


@dataclass(frozen=True)
class Feature:
    """A feature of a vector layer."""

    properties: Mapping[str, Any]  # values by column; times are UTC, ISO 8601
    # As GeoJSON has it, in EPSG:4326; None for a row of a table.
    geometry: Mapping[str, Any] | None = None

    def text(self, column: str) -> str:
        """Return a value as trimmed text, empty where there is none, or a list or an object."""
        value = self.properties.get(column)
        return str(value).strip() if isinstance(value, (str, int, float)) else ""


def layer_features(
    values: Parameters, name: str, columns: tuple[str, ...] = (), made_by: str = ""
) -> tuple[Feature, ...] | None:
    """Read the parameter that takes a vector layer; None where no layer is given.

    Parameters
    ----------
    values
        Of the job. QGIS hands a layer over as a FeatureCollection of GeoJSON; scripts may give the
        path of a GeoJSON file, such as that of ``findjobs``.
    columns
        Columns that the layer has to have.
    made_by
        Title of the algorithm that makes such a layer, for messages.

    Raises
    ------
    InvalidParameterError
        If it cannot be read, has no features or lacks a column.
    """
    given = values.collection(name)
    if given is None:
        return None
    if isinstance(given, Path):
        given = _read(given, name)
    listed = given.get("features")
    if not isinstance(listed, list):
        raise InvalidParameterError(f"{name} is not a vector layer in GeoJSON; give another one.")
    features = tuple(map(_feature, listed))
    if not features:
        raise InvalidParameterError(
            f"{name} has no features; choose another layer, or select some of its features."
        )
    missing = [column for column in columns if column not in features[0].properties]
    if missing:
        remedy = f"choose the layer that {made_by} has made" if made_by else "choose another layer"
        raise InvalidParameterError(f"{name} has no column {', '.join(missing)}; {remedy}.")
    return features


def _read(path: Path, name: str) -> Mapping[str, Any]:
    try:
        read = json.loads(read_document(path).decode())
    except OSError as error:
        raise InvalidParameterError(
            f"{name} is {path}, which cannot be read ({error.strerror or error}); give the path of "
            "a GeoJSON file."
        ) from None
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, Mapping):
        raise InvalidParameterError(
            f"{name} is {path}, which is not GeoJSON; export the layer to a GeoJSON file."
        )
    return read


def _feature(values: Any) -> Feature:
    """Return a feature of GeoJSON; a part of it that is not as it has to be counts as absent."""
    given = values if isinstance(values, Mapping) else {}
    properties, geometry = given.get("properties"), given.get("geometry")
    return Feature(
        properties if isinstance(properties, Mapping) else {},
        geometry if isinstance(geometry, Mapping) else None,
    )
