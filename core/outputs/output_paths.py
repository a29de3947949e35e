"""Checks where outputs would go before any work is done."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import UNREADABLE, OutputError
from ..object_store.late_metadata import DOCUMENTS
from ..run.documents import read_document

_OTHER_SUFFIXES = (".tif", ".tiff", ".vrt", ".zip", ".json", ".html")
"""Endings by which programs, QGIS among them, take a file for something else."""

_SIGN = "hyp3:buildstack"
"""What the history of each of our stacks names."""

_HDF5 = b"\x89HDF\r\n\x1a\n"
_BLOCK = 1 << 20

_ROOT_NAMES = {SPATIAL_GROUP, TEMPORAL_GROUP, *DOCUMENTS, ".DS_Store"}
"""What a store holds: its groups and documents, statistics of GDAL and settings of macOS."""


def check_outputs(
    netcdf: Path | None, zarr: Path | None, inputs: Path, is_remote: bool = False
) -> None:
    """Check the output paths before any work is done.

    Parameters
    ----------
    netcdf, zarr
        Outputs on disk.
    is_remote
        Whether there is another output, in an object store.

    Raises
    ------
    OutputError
        If there is no output, or one would replace something that is not a stack.
    """
    if netcdf is None and zarr is None and not is_remote:
        raise OutputError("No output is given; set NETCDF, ZARR or ZARR_URL.")
    given = {"NETCDF": netcdf, "ZARR": zarr}
    # Resolved, because links and ".." give one place several names.
    places = {name: path.resolve() for name, path in given.items() if path is not None}
    if len(places) == 2 and places["NETCDF"] == places["ZARR"]:
        raise OutputError(f"NETCDF and ZARR are both {netcdf}; give them different names.")
    for inner, outer in (("NETCDF", "ZARR"), ("ZARR", "NETCDF")):
        if len(places) == 2 and places[outer] in places[inner].parents:
            raise OutputError(
                f"{inner} is {given[inner]}, which lies in {outer}; give a name outside of it."
            )
    if netcdf is not None and os.path.isdir(netcdf):
        raise OutputError(f"NETCDF is {netcdf}, which is a folder; give a file name ending in .nc.")
    if netcdf is not None and os.path.exists(netcdf) and not _is_stack_file(netcdf):
        raise OutputError(
            f"NETCDF is {netcdf}, which exists and is not a stack that hyp3:buildstack wrote; it "
            "is not replaced, so give another name."
        )
    if zarr is not None and os.path.exists(zarr):
        _check_store(zarr)
    for name, place in places.items():
        if place == inputs.resolve() or place in inputs.resolve().parents:
            raise OutputError(
                f"{name} is {given[name]}, which holds the input folder; give another name."
            )
    if netcdf is not None and netcdf.suffix.lower() in (".zarr", *_OTHER_SUFFIXES):
        raise OutputError(
            f"NETCDF is {netcdf}, which programs would not take for NetCDF; give a file name "
            "ending in .nc."
        )
    if zarr is not None and zarr.suffix.lower() in (".nc", *_OTHER_SUFFIXES):
        raise OutputError(
            f"ZARR is {zarr}, but a Zarr store is a folder; give a name ending in .zarr."
        )


def _is_stack_file(path: Path) -> bool:
    """Return whether a file is empty or a stack, maybe a damaged one.

    Without HDF5, which a damaged file may crash.
    """
    if not os.path.getsize(path):
        return True
    try:
        with path.open("rb") as file:
            block = file.read(_BLOCK)
            if not block.startswith(_HDF5):
                return False
            while block:
                # Attributes are stored as they are, and before the layers. The sign may lie across
                # two blocks.
                if _SIGN.encode() in block:
                    return True
                rest, more = block[1 - len(_SIGN) :], file.read(_BLOCK)
                block = rest + more if more else b""
    except OSError:
        pass
    return False


def _check_store(path: Path) -> None:
    """Refuse what is there already, unless it is empty or nothing but a store of stacks."""
    is_folder = path.is_dir()
    names = {item.name for item in path.iterdir()} if is_folder else set()
    if is_folder and not names:
        return
    groups = names & {SPATIAL_GROUP, TEMPORAL_GROUP}
    # Notebooks of ASF give their groups the same names.
    if not groups or not all(_is_stack_group(path / group) for group in groups):
        raise OutputError(
            f"ZARR is {path}, which exists and is not a Zarr store that hyp3:buildstack wrote; it "
            "is not replaced, so give another name."
        )
    strange = sorted(names - _ROOT_NAMES)
    if strange:
        raise OutputError(
            f"ZARR is {path}, which holds {strange[0]} besides the stack, which would be lost; "
            "move it elsewhere or give another name."
        )


def _is_stack_group(group: Path) -> bool:
    """Return whether the attributes of a group, in Zarr format 2 or 3, are those of a stack."""
    try:
        attributes: Any = {}
        for name in (".zattrs", "zarr.json"):
            if (group / name).is_file():
                document = json.loads(read_document(group / name))
                attributes = document if name == ".zattrs" else document["attributes"]
        return _SIGN in str(attributes["history"])
    except UNREADABLE:
        return False
