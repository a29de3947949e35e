"""Task ``listlayers``: the layers of the products in a folder, for a dialog to choose from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..contract import Task
from ..products.product_types import PRODUCT_TYPES
from ..products.scan import scan_folder
from ..run.parameters import Parameters
from ..run.reporter import Reporter


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """List layers.

    Parameters
    ----------
    parameters
        ``INPUT``, a folder of products, or ``PRODUCT_TYPE`` for what its products may have.

    Returns
    -------
    dict
        ``LAYERS``: what each layer is, by name, in the order of stacks.

    Raises
    ------
    NoProductsError
        If there are no products in the folder.
    """
    values = Parameters(parameters, Task.LIST_LAYERS)
    if values.path("INPUT") is None:
        kind = PRODUCT_TYPES.get(values.choice("PRODUCT_TYPE"))
        kinds = list(PRODUCT_TYPES.values()) if kind is None else [kind]
        held = [kind.layers for kind in kinds]
    else:
        held = [product.layers for product in scan_folder(values.folder("INPUT")).products]
    return {"LAYERS": {name: row.long_name for layers in held for name, row in layers.items()}}
