"""What Zarr arrays say of their place: conventions ``spatial`` and ``proj``, and GDAL's own way.

Only arrays say it: GDAL 3.13 crashes where a group has ``spatial:dimensions`` and an array with
two other dimensions, such as bounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS

from ..inputs.crs import authority_of

_ORGANIZATION = "https://github.com/zarr-conventions"
_RAW = "https://raw.githubusercontent.com/zarr-conventions"

_CONVENTIONS = (
    ("proj", "f17cb550-5864-4468-aeb7-f3180cfb622f", "Coordinate reference system of the data"),
    ("spatial", "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Position of the data in space"),
)


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


def array_attributes(dataset: xr.Dataset, crs_wkt: str) -> dict[str, Any]:
    """Return the attributes of an array whose last dimensions are ``y``, ``x``.

    Parameters
    ----------
    dataset
        Holds ``x`` and ``y``, centers of square pixels in meters.
    crs_wkt
        The CRS as WKT 2.

    Returns
    -------
    dict
        The objects of both conventions (version 0.1) and their members, and GDAL's ``_CRS``;
        ``spatial:transform`` maps pixel corners, as the registration ``pixel`` asks.
    """
    x, y = dataset["x"].values, dataset["y"].values
    spacing = _spacing(x, y)
    left, top = float(x[0]) - spacing / 2, float(y[0]) + spacing / 2
    attributes: dict[str, Any] = {
        _CRS_OF_GDAL: {"wkt": crs_wkt},
        "zarr_conventions": [
            {
                "uuid": uuid,
                "name": name,
                "description": description,
                "schema_url": f"{_RAW}/{name}/refs/tags/v0.1/schema.json",
                "spec_url": f"{_ORGANIZATION}/{name}/blob/v0.1/README.md",
            }
            for name, uuid, description in _CONVENTIONS
        ],
        "proj:wkt2": crs_wkt,
        "spatial:dimensions": ["y", "x"],
        "spatial:bbox": [left, top - y.size * spacing, left + x.size * spacing, top],
        "spatial:transform_type": "affine",
        "spatial:transform": [spacing, 0.0, left, 0.0, -spacing, top],
        "spatial:shape": [int(y.size), int(x.size)],
        "spatial:registration": "pixel",
    }
    authority = authority_of(CRS.from_wkt(crs_wkt))
    if authority is not None:
        attributes["proj:code"] = ":".join(authority)
    return attributes


def _spacing(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    if len(x) > 1:
        return float(x[1]) - float(x[0])
    return float(y[0]) - float(y[1]) if len(y) > 1 else 1.0
