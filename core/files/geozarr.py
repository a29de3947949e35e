"""What Zarr says of its place: conventions ``spatial``, ``proj``, ``multiscales``, and GDAL's way.

Of a group that holds arrays only these say it: GDAL 3.13 crashes where a group has
``spatial:dimensions`` and an array with two other dimensions, such as bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from pyproj import CRS

from ..grid.lattice import Grid
from ..inputs.crs import authority_of

_ORGANIZATION = "https://github.com/zarr-conventions"
_RAW = "https://raw.githubusercontent.com/zarr-conventions"

_PLACE = (
    (
        "proj",
        "f17cb550-5864-4468-aeb7-f3180cfb622f",
        "Coordinate reference system information for geospatial data",
    ),
    ("spatial", "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Spatial coordinate information"),
)
_MULTISCALES = (
    "multiscales",
    "d35379db-88df-4056-af3a-620245f8e347",
    "Multiscale layout of zarr datasets",
)
"""Name, identity and description of conventions, as their schemas have them."""


CRS_CODE = "proj:code"

_OF_LEVEL = ("spatial:transform", "spatial:shape")
"""What the list of levels says of each."""

_CRS_OF_GDAL = "_CRS"
"""Where GDAL before 3.9 looks for the CRS of an array."""


def gdal_sidecar(nodes: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what gives GDAL the CRS of all arrays of a store of format 2."""
    lines = ["<PAMDataset>"]
    for path, attributes in nodes.items():
        if _CRS_OF_GDAL in attributes:
            array = path.removesuffix("/.zattrs")
            wkt = attributes[_CRS_OF_GDAL]["wkt"]
            x = len(nodes[f"{array}/.zarray"]["shape"])
            # In the order of the CRS; polar ones have two axes that lead north.
            is_y_first = CRS.from_wkt(wkt).axis_info[0].name.startswith("North")
            axes = f"{x - 1},{x}" if is_y_first else f"{x},{x - 1}"
            lines.append(
                f'<Array name="/{escape(array)}">'
                f'<SRS dataAxisToSRSAxisMapping="{axes}">{escape(wkt, quote=False)}</SRS></Array>'
            )
    return "\n".join([*lines, "</PAMDataset>", ""])


def place_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the attributes of an array that :func:`array_attributes` made."""
    return {
        name: value
        for name, value in attributes.items()
        if name in (_CRS_OF_GDAL, "zarr_conventions") or name.startswith(("proj:", "spatial:"))
    }


def array_attributes(grid: Grid) -> dict[str, Any]:
    """Return the attributes of an array whose last dimensions are ``y``, ``x``.

    Returns
    -------
    dict
        The objects of both conventions (version 0.1) and their members, and GDAL's ``_CRS``;
        ``spatial:transform`` maps pixel corners, as the registration ``pixel`` asks.
    """
    return {
        _CRS_OF_GDAL: {"wkt": grid.wkt},
        "zarr_conventions": _conventions(*_PLACE),
        **_place(grid),
    }


def pyramid_attributes(levels: Mapping[str, Grid]) -> dict[str, Any]:
    """Return the attributes of a group that holds the levels of a pyramid, as groups.

    Parameters
    ----------
    levels
        Grid of each group, the finest first; each has pixels twice as large as the one before, from
        whose values its own are made.

    Returns
    -------
    dict
        The objects of the conventions and their members. The place of the finest level is that of
        the pyramid; a reader of gathered metadata, which leave out what arrays say, has no other.
    """
    layout: list[dict[str, Any]] = []
    for name, grid in levels.items():
        place = _place(grid)
        level = {"asset": name} | {item: place[item] for item in _OF_LEVEL}
        if layout:
            # Without numbers of its own, which GDAL 3.13 asks for by dimension of the arrays, of
            # which some have steps, and by sizes, which odd ones do not fit.
            level |= {"derived_from": layout[-1]["asset"], "transform": {}}
        layout.append(level)
    return {
        "zarr_conventions": _conventions(_MULTISCALES, *_PLACE),
        "multiscales": {"layout": layout, "resampling_method": "average"},
        **_place(next(iter(levels.values()))),
    }


def _conventions(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [
        {
            "uuid": uuid,
            "name": name,
            "description": description,
            "schema_url": f"{_RAW}/{name}/refs/tags/v0.1/schema.json",
            "spec_url": f"{_ORGANIZATION}/{name}/blob/v0.1/README.md",
        }
        for name, uuid, description in rows
    ]


def _place(grid: Grid) -> dict[str, Any]:
    place: dict[str, Any] = {
        "proj:wkt2": grid.wkt,
        "spatial:dimensions": ["y", "x"],
        "spatial:bbox": list(grid.bounds),
        "spatial:transform_type": "affine",
        "spatial:transform": [grid.spacing, 0.0, grid.left, 0.0, -grid.spacing, grid.top],
        "spatial:shape": [grid.height, grid.width],
        "spatial:registration": "pixel",
    }
    authority = authority_of(CRS.from_wkt(grid.wkt))
    if authority is not None:
        place[CRS_CODE] = ":".join(authority)
    return place
