"""Parameters that write a stack for other programs."""

from __future__ import annotations

from typing import Final

from .output_parameters import OBJECT_STORE
from .parameter import Chooser, Kind, Parameter
from .stack_parameters import STACK

FORMATS: Final = ("mintpy", "insar_explorer", "geotiff", "series", "pyramid")

EXPORT: Final = (
    STACK,
    Parameter(
        "FORMAT",
        Kind.CHOICE,
        "Format",
        "mintpy: a project of MintPy, of pairs or of displacement. insar_explorer: displacement "
        "in millimeters for the QGIS plugin InSAR Explorer, as maps by date and as points. "
        "geotiff: cloud-optimized GeoTIFFs. series: tables of the series at points, as CSV. "
        "pyramid: a Zarr store with coarser and coarser levels, for viewers in web browsers.",
        required=True,
        choices=FORMATS,
        plain=(
            "MintPy",
            "InSAR Explorer",
            "GeoTIFFs",
            "Tables of series at points",
            "Zarr pyramid for web maps",
        ),
    ),
    Parameter(
        "LAYERS",
        Kind.LIST,
        "Layers",
        "Which layers to write, separated by commas: unw_phase,corr. Empty: all that the format "
        "takes.",
        empty="all that the format takes",
        chooser=Chooser.VARIABLES,
    ),
    Parameter(
        "START",
        Kind.DAY,
        "First day",
        "Leave out dates before this UTC day, for example 2021-01-31, and pairs with such a date.",
    ),
    Parameter(
        "END",
        Kind.DAY,
        "Last day",
        "Leave out dates after this UTC day, and pairs with such a date; the day itself is "
        "included.",
    ),
    Parameter(
        "EXTENT",
        Kind.EXTENT,
        "Extent",
        "Write only this part of the stack, to whole pixels. Empty: all of it.",
    ),
    Parameter(
        "STEPS_AS",
        Kind.CHOICE,
        "GeoTIFF files",
        "For geotiff. files: one file for each date or pair of a layer. bands: one file for each "
        "layer, with the date or pair in the description of each band.",
        default="files",
        choices=("files", "bands"),
        plain=("One for each date or pair", "One for each layer, with bands"),
    ),
    Parameter(
        "POINTS",
        Kind.LAYER,
        "Points",
        "For series: layer of points. Its attributes are written into the tables.",
        private=True,
    ),
    Parameter(
        "OUTPUT",
        Kind.NEW_FOLDER,
        "Folder for the export",
        "A folder that does not exist yet, or an empty one; nothing is replaced.",
        required=True,
    ),
    *OBJECT_STORE,
)
