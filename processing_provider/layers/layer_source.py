"""Finds which variable of which stack a raster layer shows, from its source alone."""

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path, PurePath

from ...core.contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ...core.object_store.address import is_address
from .gdal_names import QUOTED, unquoted
from .stack_description import stack_path

_NETCDF = re.compile(r'NETCDF:"?(?P<path>.+?)"?:/?(?P<variable>[^:"/]+)$', re.IGNORECASE)
_ZARR = re.compile(rf"ZARR:{QUOTED}:/(?P<group>\w+)/(?P<variable>\w+)", re.IGNORECASE)
_GROUPS = (SPATIAL_GROUP, TEMPORAL_GROUP)


@dataclass(frozen=True)
class Location:
    """A variable of a NetCDF file (no group) or of a group of a Zarr store."""

    path: PurePath
    group: str
    variable: str


def locate(source):
    """Return the location that a layer's source means, or None if it belongs to no stack."""
    source = source.partition("|")[0]
    match = _NETCDF.fullmatch(source)
    if match:
        return Location(Path(match["path"]), "", match["variable"])
    match = _ZARR.match(source)
    if match:
        return _zarr(match)
    path = stack_path(source) if is_address(source) else Path(source)
    if path.suffix.lower() == ".vrt":
        return _virtual_raster(path)
    if path.parent.name in _GROUPS:
        return Location(path.parent.parent, path.parent.name, path.name)
    return None


def _zarr(match):
    if match["group"] not in _GROUPS:
        return None
    path = unquoted(match["path"])
    path = stack_path(path) if is_address(path) else Path(path)
    return Location(path, match["group"], match["variable"])


def _virtual_raster(path):
    """Look into a virtual raster of slices, as layers of Zarr stores need with GDAL before 3.8."""
    try:
        # All of it: versions of GDAL have written long histograms before the first source.
        match = _ZARR.search(unescape(path.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return None
    return _zarr(match) if match else None
