"""Writes the item and the collection of a stack, in a folder beside it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pystac
from pyproj import CRS

from ..contract import SPATIAL_GROUP
from ..errors import OutputError
from ..files.written_stack import open_stack
from ..machine.atomic import complete_or_absent
from ..object_store.location import RemoteLocation
from .collection import stack_collection
from .item import stack_item

_SUFFIXES = (".nc", ".nc4", ".cdf", ".zarr")
_FOLDER = ".stac"
_COLLECTION = "collection.json"
_SPECIAL = re.compile(r"[^A-Za-z0-9._~-]+")
_XARRAY_SCHEMA = "https://stac-extensions.github.io/xarray-assets/v1.0.0/schema.json"


def catalog_folder(stack: Path) -> Path:
    """Return the folder for the catalog files: ``stack.stac`` beside ``stack.nc``."""
    return stack.with_name(f"{_name(stack)}{_FOLDER}")


def item_path(stack: Path) -> Path:
    """Return the path of the item: its id as file name, as STAC's best practices ask."""
    return catalog_folder(stack) / f"{_id(stack)}.json"


def _name(stack: Path) -> str:
    return stack.stem if stack.suffix.lower() in _SUFFIXES else stack.name


def _id(stack: Path) -> str:
    """Return the name without what has another meaning in addresses.

    Links to the item are addresses, but not all programs decode those of files.
    """
    return _SPECIAL.sub("_", _name(stack))


def check_catalog(stack: Path, others: Iterable[Path | None]) -> None:
    """Check before any work that the catalog files have a place.

    Parameters
    ----------
    stack
        The stack that gives them their name.
    others
        What else the run writes.

    Raises
    ------
    OutputError
        If their folder is another output, or holds something else.
    """
    folder = catalog_folder(stack)
    place = folder.resolve()
    for other in others:
        if other is not None and place in (other.resolve(), *other.resolve().parents):
            raise OutputError(
                f"STAC writes to {folder}, where {other} is to be written as well; give the latter "
                "another name."
            )
    if not os.path.lexists(folder):
        return
    if not folder.is_dir() or {item.name for item in folder.iterdir()} - {
        _COLLECTION,
        item_path(stack).name,
        f"{_name(stack)}.json",  # as earlier versions named it
    }:
        raise OutputError(
            f"STAC writes to {folder}, which exists and holds something else; it is not replaced, "
            "so give the stack another name."
        )


def write_catalog(
    netcdf: Path | None,
    zarr: Path | None,
    groups: tuple[str, ...],
    report: Path | None,
    remote: RemoteLocation | None = None,
) -> Path:
    """Write the STAC item and collection of a finished stack, and return the path of the item.

    Parameters
    ----------
    netcdf, zarr
        The stack's files; at least one.
    groups
        Groups of the Zarr store.
    report
        Its report, if there is one.
    remote
        Place of the same store in an object store, if it was written there, too.

    Raises
    ------
    OutputError
        If the files cannot be written.
    """
    stack = netcdf or zarr
    if stack is None:
        raise ValueError("a stack has at least one file")
    path = item_path(stack)
    assets = _assets(path.parent, netcdf, zarr, groups, report, remote)
    with open_stack(stack) as written:
        crs = CRS.from_wkt(written.grid.wkt)
        item = stack_item(_id(stack), written.dataset, crs, assets)
        if zarr is not None or remote is not None:
            item.stac_extensions.append(_XARRAY_SCHEMA)
        collection = stack_collection(item, written.dataset)
    # Links are relative; pystac would cut a folder's name at the first #.
    collection.set_self_href(f"/{_COLLECTION}")
    item.set_self_href(f"/{path.name}")
    try:
        with complete_or_absent(path.parent) as partial:
            partial.mkdir()
            for name, one in ((_COLLECTION, collection), (path.name, item)):
                # Addresses are relative, so that the files can move together; an item that knew
                # its own would have to be written anew.
                content = one.to_dict(include_self_link=False)
                text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
                (partial / name).write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}); free some space and run again "
            "with STAC."
        ) from error
    return path


def _assets(
    folder: Path,
    netcdf: Path | None,
    zarr: Path | None,
    groups: tuple[str, ...],
    report: Path | None,
    remote: RemoteLocation | None,
) -> dict[str, pystac.Asset]:
    assets: dict[str, pystac.Asset] = {}
    if netcdf is not None:
        assets["netcdf"] = pystac.Asset(
            _reference(netcdf, folder),
            "Stack as NetCDF",
            "NetCDF-4 file",
            pystac.MediaType.NETCDF,
            ["data"],
        )
    stores = {
        "zarr": None if zarr is None else _reference(zarr, folder),
        "zarr-url": None if remote is None else quote(remote.url, safe="/:"),
    }
    # Grid mapping and bounds are coordinates by default; with decode_coords="all" the layers that
    # others name as ancillary would be coordinates, too.
    options: dict[str, Any] = {
        "xarray:open_kwargs": {"engine": "zarr", "consolidated": True, "chunks": {}}
    }
    for key, store in stores.items():
        others: dict[str, Any] = {}
        if key == "zarr-url" and remote is not None and remote.other_service is not None:
            others["xarray:storage_options"] = {"endpoint_url": remote.other_service}
        for group in groups if store is not None else ():
            kind = "maps" if group == SPATIAL_GROUP else "series of pixels"
            assets[f"{key}-{group.partition('_')[0]}"] = pystac.Asset(
                f"{store}/{group}",
                f"Stack as Zarr for {kind}",
                f"Group {group} of a Zarr store, chunked for {kind}",
                pystac.MediaType.VND_ZARR,
                ["data"],
                options | others,
            )
    if report is not None:
        assets["report"] = pystac.Asset(
            _reference(report, folder),
            "Report",
            "Self-assessment against CEOS-ARD, plan of the grid, network and coverage",
            pystac.MediaType.HTML,
            ["metadata"],
        )
    return assets


def _reference(path: Path, folder: Path) -> str:
    """Return the address of a file as seen from a folder."""
    try:
        return quote(Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix())
    except ValueError:
        # Windows knows no way from one drive to another.
        return path.resolve().as_uri()
