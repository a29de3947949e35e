"""The paths (relative orbits) of products: from names, parameter files and source granules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .scenes import parse_scene, relative_orbit

if TYPE_CHECKING:
    from .product import Product

SIDES = ("Reference", "Secondary")
"""How parameter files begin the entries of either acquisition of a pair."""


def side_granules(product: Product, side: int) -> tuple[str, ...]:
    """Return the granule names of the reference (0) or secondary (1) side of a pair."""
    if product.parameters is None:
        return ()
    return product.parameters.names(f"{SIDES[side]} Granule")


def is_ascending(product: Product, side: int = 0) -> bool | None:
    """Return whether the satellite flew north on one side of a pair, None where no file tells."""
    if product.parameters is None:
        return None
    direction = product.parameters.text(f"{SIDES[side]} Pass Direction") or ""
    return {"ASCENDING": True, "DESCENDING": False}.get(direction.upper())


def product_path(product: Product, side: int = 0) -> int | None:
    """Return the path (relative orbit) of a product.

    Parameters
    ----------
    product
        The product.
    side
        0 for the reference of a pair and for backscatter, 1 for the secondary.

    Returns
    -------
    int or None
        From the product's name, else from the absolute orbit in its parameter file, which files
        made before hyp3-gamma 5.1 lack, else from the names of its source granules.
    """
    name = product.name
    path = name.relative_orbit
    if path is None and name.is_insar and product.parameters is not None:
        absolute = product.parameters.integer(f"{SIDES[side]} Orbit Number")
        path = relative_orbit(name.platforms[side], absolute)
    if path is not None:
        return path
    granules = side_granules(product, side) if name.is_insar else product.readme.granules
    for granule in granules:
        path = parse_scene(granule).path
        if path is not None:
            return path
    return None
