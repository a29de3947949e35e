"""Parameters that choose products of a folder and the grid that they get."""

from __future__ import annotations

from typing import Final

from .job_parameters import JOB_TYPES, PLAIN_TYPES
from .parameter import Chooser, Group, Kind, Parameter

PRODUCT_FOLDER: Final = Parameter(
    "INPUT",
    Kind.FOLDER,
    "Folder with HyP3 products",
    "Folder that holds HyP3 products, as unpacked folders, as zip files or as the files "
    "themselves, directly or one level down. Products are recognized by the names of their "
    "GeoTIFFs, whatever their folders and zips are called. Other files are ignored.",
    required=True,
)

PRODUCT_TYPE: Final = Parameter(
    "PRODUCT_TYPE",
    Kind.CHOICE,
    "Product type",
    "auto: the type of the products in the folder, which has to be one. Choose a type "
    "where a folder holds several; products of other types are left out.",
    group=Group.PRODUCTS,
    default="auto",
    choices=("auto", *JOB_TYPES),
    plain=("The one type in the folder", *PLAIN_TYPES.values()),
)

PRODUCTS: Final = Parameter("PRODUCTS", Kind.LIST, private=True)
"""The names of the only products that are used; a stack lists them in ``product_name``."""

LAYERS: Final = Parameter(
    "LAYERS",
    Kind.LIST,
    "Layers",
    "Which layers to use, separated by commas and named like the ends of HyP3's file "
    "names: unw_phase,corr,dem. Empty: all layers that the products have.",
    empty="all layers",
    chooser=Chooser.LAYERS,
)

EXTENT: Final = Parameter(
    "EXTENT",
    Kind.EXTENT,
    "Extent",
    "Cut the grid to this area. Empty: the area that the extent mode gives.",
)

GRID: Final = (
    Parameter(
        "TARGET_CRS",
        Kind.CRS,
        "Target CRS",
        "Coordinate reference system of the grid. Empty: the UTM zone that most products have; "
        "those are then copied bit for bit and only the others are warped.",
        group=Group.GRID,
    ),
    Parameter(
        "EXTENT_MODE",
        Kind.CHOICE,
        "Extent mode",
        "union: the grid covers every product, with no data where a product ends. "
        "intersection: it covers only what all products share.",
        group=Group.GRID,
        default="union",
        choices=("union", "intersection"),
        plain=("All that any product covers", "Only what all products share"),
    ),
    Parameter(
        "RESAMPLING",
        Kind.CHOICE,
        "Resampling",
        "Method for products that have to be warped. auto chooses by layer: nearest for phase "
        "and masks, bilinear for coherence, amplitude, heights and angles. Masks are always "
        "nearest.",
        group=Group.GRID,
        default="auto",
        choices=("auto", "nearest", "bilinear", "cubic"),
        plain=("By layer", "Nearest neighbor", "Bilinear", "Cubic"),
    ),
)

GEOTIFF_FOLDER: Final = Parameter(
    "OUTPUT",
    Kind.NEW_FOLDER,
    "Folder for the GeoTIFFs",
    "Folder of its own, not the input folder. Product folders that an earlier run has "
    "written are replaced; others of the same names are refused.",
    required=True,
)
