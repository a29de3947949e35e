"""Keeps places with the project, so that they are there when it is opened again."""

import json
from dataclasses import dataclass
from pathlib import Path

from qgis.core import QgsCoordinateReferenceSystem, QgsGeometry
from qgis.PyQt.QtGui import QColor

from ...layers.layer_source import locate
from .place import Place

_SCOPE, _KEY = "hyp3_stack", "time_series"


@dataclass(frozen=True)
class Kept:
    """What a project keeps: places, the reference or None, and the source of the layer drawn.

    ``path`` and ``variable`` are empty where there was no layer.
    """

    places: tuple = ()
    reference: object = None
    path: str = ""
    variable: str = ""

    def is_of(self, layer):
        """Return whether a layer shows the variable of the stack that was drawn."""
        there = locate(layer.source())
        return there is not None and (str(there.path), there.variable) == (self.path, self.variable)


def keep(project, places, reference, layer):
    """Note places in a project; paths as the project has them, so that both can be moved."""
    if not places and reference is None:
        project.removeEntry(_SCOPE, _KEY)
        return
    there = None if layer is None else locate(layer.source())
    kept = {
        "places": [_noted(place) for place in places],
        "reference": None if reference is None else _noted(reference),
    }
    if there is not None:
        is_file = isinstance(there.path, Path)
        kept["path"] = project.writePath(str(there.path)) if is_file else str(there.path)
        kept["is_file"] = is_file
        kept["variable"] = there.variable
    project.writeEntry(_SCOPE, _KEY, json.dumps(kept))


def kept_places(project):
    """Return what a project keeps; nothing where its entry is missing or damaged."""
    text, _ = project.readEntry(_SCOPE, _KEY)
    try:
        kept = json.loads(text or "{}")
        path = str(kept.get("path", ""))
        reference = kept.get("reference")
        return Kept(
            tuple(_place(noted) for noted in kept.get("places", ())),
            None if reference is None else _place(reference),
            str(Path(project.readPath(path))) if kept.get("is_file") else path,
            str(kept.get("variable", "")),
        )
    except (ValueError, TypeError, AttributeError, LookupError):
        return Kept()


def _noted(place):
    return {
        "wkt": place.geometry.asWkt(9),
        "crs": place.crs.authid() or place.crs.toWkt(),
        "color": place.color,
    }


def _place(noted):
    geometry = QgsGeometry.fromWkt(noted["wkt"])
    crs, color = QgsCoordinateReferenceSystem(noted["crs"]), QColor(str(noted["color"]))
    if geometry.isEmpty() or not crs.isValid() or not color.isValid():
        raise ValueError(noted)
    return Place(geometry, crs, color.name())
