"""How a stack was made, kept in the stack so that more products can be appended to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import xarray as xr

from ..contract import RECORD
from ..errors import OutputError
from ..grid.placement import Placement, Treatment
from ..inputs.raster_grid import Raster
from ..metadata.pairs import PARAMETER_FILES
from ..products.names import parse_name
from ..products.parameter_file import ParameterFile
from ..products.product import Product, Readme


def stack_record(
    placements: Sequence[Placement],
    settings: Mapping[str, Any],
    layers: Sequence[str],
    variables: Sequence[str],
) -> str:
    """Return the record of a stack as JSON.

    Parameters
    ----------
    settings
        Parameters that decide on its values, by name.
    layers
        Names of its layers as products name them.
    variables
        Names of its variables on y and x, in order.
    """
    products = {
        placement.product.name.text: {
            "raster": {
                key: value for key, value in asdict(placement.raster).items() if value != ""
            },
            "bounds": placement.bounds,
            "layers": list(placement.product.layers),
            "readme": _readme(placement.product.readme),
        }
        for placement in placements
    }
    record = {"settings": settings, "layers": layers, "maps": variables, "products": products}
    return json.dumps(record, default=str)


def read_record(path: Path, stack: xr.Dataset) -> dict[str, Any]:
    """Return the record of a stack.

    Raises
    ------
    OutputError
        If the stack has none.
    """
    try:
        record: dict[str, Any] = json.loads(stack.attrs[RECORD])
        for part in ("settings", "layers", "maps", "products"):
            record[part]
    except (KeyError, ValueError, TypeError):
        raise OutputError(
            f"{path} does not say how it was made, so that nothing can be appended to it; build "
            "it anew without APPEND, under another name."
        ) from None
    return record


def recorded_placements(
    path: Path, stack: xr.Dataset, record: Mapping[str, Any]
) -> tuple[Placement, ...]:
    """Return the products of a stack as if they were still there, in the order of its steps.

    Parameters
    ----------
    stack
        Its coordinates and attributes.
    record
        What :func:`read_record` gave.

    Raises
    ------
    OutputError
        If it names a product that has no name of HyP3.
    LookupError, TypeError, ValueError
        If it does not fit the stack.
    """
    texts: dict[str, str] = json.loads(stack.attrs.get(PARAMETER_FILES, "{}"))
    placements = []
    for step, names in enumerate(stack["product_name"].values):
        for text in str(names).split():
            facts = record["products"][text]
            name = parse_name(text)
            if name is None:
                raise OutputError(
                    f"{path} holds the product {text}, which has no name of HyP3; build it anew."
                )
            product = Product(
                name,
                path,
                "",
                tuple(f"{text}_{layer}.tif" for layer in facts["layers"]),
                ParameterFile(texts[text]) if text in texts else None,
                _read_readme(facts["readme"]),
            )
            left, bottom, right, top = facts["bounds"]
            placements.append(
                Placement(
                    product,
                    Raster(**facts["raster"]),
                    Treatment.COPY,
                    (left, bottom, right, top),
                    kept_step=step,
                )
            )
    return tuple(placements)


def _readme(readme: Readme) -> dict[str, Any]:
    facts = asdict(readme)
    facts["processed"] = readme.processed.isoformat() if readme.processed else None
    return facts


def _read_readme(facts: Mapping[str, Any]) -> Readme:
    processed = facts["processed"]
    return Readme(
        datetime.fromisoformat(processed) if processed else None,
        facts["plugin_version"],
        facts["software_version"],
        tuple(facts["granules"]),
    )
