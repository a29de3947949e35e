"""A parameter as one row of plain data, for both sides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a parameter takes."""

    TEXT = "text"
    LIST = "words with commas between"
    CHOICE = "one of some words"
    FLAG = "true or false"
    NUMBER = "number"
    INTEGER = "whole number"
    DAY = "UTC day"
    EXTENT = "rectangle"
    CRS = "coordinate reference system"
    LOGIN = "authentication configuration of QGIS"
    FILE = "file"
    FOLDER = "folder"
    NEW_FILE = "file to be written"
    NEW_FOLDER = "folder to be written"
    LAYER = "vector layer"
    FEATURES = "vector layer to be written"
    ADDRESSES = "addresses by scheme"


class Chooser(Enum):
    """What a dialog offers beside the field, so that a value need not be typed."""

    STORE = "folder of a Zarr store"
    PROJECTS = "projects of the user"
    LAYERS = "layers of products"
    VARIABLES = "variables of a stack"
    POINT = "point on the map"


class Group:
    """Under which title an advanced parameter stands in a dialog, in this order."""

    JOBS: Final = "Jobs"
    PRODUCTS: Final = "Products"
    GRID: Final = "Grid"
    VALUES: Final = "Values"
    ANALYSIS: Final = "Analysis"
    CORRECTIONS: Final = "Corrections"
    APPEND: Final = "Append"
    ZARR: Final = "Zarr"
    OBJECT_STORE: Final = "Object store"
    CLUSTER: Final = "Cluster"
    METADATA: Final = "Metadata"


@dataclass(frozen=True)
class Parameter:
    """A parameter of an algorithm and of the core task of the same name."""

    name: str  # upper case and never changed: models and scripts rely on it
    kind: Kind  # what it takes
    # What dialogs show. The QGIS side adds how to write a kind on a command line.
    label: str = ""
    help: str = ""
    group: str = ""  # one of :class:`Group` for an advanced parameter, empty for a main one
    required: bool = False  # a dialog does not run without it
    # What counts where nothing is given; a choice and a flag need one.
    default: str | float | bool | None = None
    choices: tuple[str, ...] = ()  # the words of a choice for scripts, models and command lines
    plain: tuple[str, ...] = ()  # what a dialog shows for each of them
    empty: str = ""  # what a dialog shows in a field of text without any: what that stands for
    chooser: Chooser | None = None  # what a dialog offers beside the field
    # Limits of a number, both allowed.
    minimum: float | None = None
    maximum: float | None = None
    file_filter: str = ""  # names that the file dialog shows, in Qt's form
    suffix: str = ""  # ending of a temporary output, and of a file that was given without any
    geometry: str = ""  # of a vector layer: ``polygon`` or ``line``; empty for any
    # A dialog writes a temporary output unless one is given; None: where it is required.
    temporary: bool | None = None
    qgis_only: bool = False  # the core has no use for it, but takes a job that holds it
    # Not for the history of a stack: addresses of services, names of profiles.
    private: bool = False

    @property
    def is_path(self) -> bool:
        """Whether the value is the path of something on a disk."""
        return self.kind in (Kind.FILE, Kind.FOLDER, Kind.NEW_FILE, Kind.NEW_FOLDER)


def pick(rows: Iterable[Parameter], *names: str) -> tuple[Parameter, ...]:
    """Return the rows of some names, in the order of the names."""
    by_name = {row.name: row for row in rows}
    return tuple(by_name[name] for name in names)
