"""Compares the products of a stack: what must agree, and what should."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import InconsistentProductsError
from ..products.layers import Layer
from ..products.names import ProductName
from ..products.product import Product
from ..products.product_types import GAMMA
from ..products.sentinel1 import POLARIZATIONS
from .paths import burst_numbers, passage, paths_of_passages, product_path


@dataclass(frozen=True)
class _Fact:
    """One property to compare."""

    label: str  # what it is, for the sentence
    read: Callable[[Product], object]  # returns the value of a product, None where it is unknown
    # ``fatal``, ``warning`` or None (not compared) in stacks of either kind.
    insar: str | None
    rtc: str | None
    why: str  # what a difference means, a clause


def gap_warnings(products: Sequence[Product], layers: Sequence[Layer]) -> list[str]:
    """Return warnings of layers that some products lack."""
    found = []
    for layer in layers:
        without = [item for item in products if item.stored_layer(layer.name) is None]
        if without and not layer.static:
            found.append(
                f"The layer {layer.name} is missing in {len(without)} of {len(products)} "
                f"products (such as {without[0]}) and has no data there."
            )
    return found


def _parameter(key: str) -> Callable[[Product], object]:
    return lambda product: product.entry(key)


def _number(variable: str) -> Callable[[Product], object]:
    return lambda product: product.number(variable)


def _option(name: str) -> Callable[[Product], object]:
    return lambda product: product.name.option(name)


def _water_masking(product: Product) -> object:
    """Return whether water was masked before unwrapping: in GAMMA's names, in ISCE's files."""
    letter = product.name.option("water_masking")
    return {"u": "no", "w": "yes"}.get(letter) if letter else product.entry("Water mask")


def _water_mask_source(product: Product) -> object:
    version = re.match(r"v?(\d+)\.(\d+)", product.readme.plugin_version or "")
    if product.type.processor is not GAMMA or version is None:
        return None
    # hyp3-gamma 8.1 changed from GSHHG to OpenStreetMap and WorldCover.
    is_new = (int(version.group(1)), int(version.group(2))) >= (8, 1)
    return "OpenStreetMap and WorldCover" if is_new else "GSHHG"


_Latitudes = Callable[[Product], tuple[float, float] | None]


def _path_fact(products: Sequence[Product], latitudes: _Latitudes) -> _Fact:
    """Return the paths to compare, in which a passage of the ascending node makes no difference."""
    paths = {item.name.text: product_path(item) for item in products}
    if len(set(paths.values()) - {None}) > 1:
        seen = paths_of_passages([passage(item, latitudes(item)) for item in products])
        paths = {
            item.name.text: numbers[0] if numbers else None
            for item, numbers in zip(products, seen, strict=True)
        }
    return _Fact(
        "path",
        lambda p: paths[p.name.text],
        "fatal",
        "warning",
        "they are seen from other directions",
    )


def _bursts(product: Product) -> object:
    """Return the bursts in the name; those of the granules where it hides that there are more."""
    ground, bursts = product.name.ground, burst_numbers(product)
    if ground and "_IW" in ground and len(bursts) > 1:  # the form of the name of one burst
        return " ".join(f"{burst:06d}" for burst in bursts)
    return ground


_FACTS = (
    _Fact(
        "polarization",
        lambda p: p.name.polarization,
        "fatal",
        None,
        "they reflect different properties of the ground",
    ),
    _Fact(
        "pass direction",
        _parameter("Reference Pass Direction"),
        "fatal",
        "warning",
        "they are seen from other directions",
    ),
    _Fact("bursts", _bursts, "fatal", None, "they show other ground"),
    _Fact("range looks", _number("looks_range"), "fatal", None, "they differ in resolution"),
    _Fact("azimuth looks", _number("looks_azimuth"), "fatal", None, "they differ in resolution"),
    _Fact("radiometry", lambda p: p.name.radiometry, None, "fatal", "they are other quantities"),
    _Fact(
        "phase filter",
        _number("phase_filter_parameter"),
        "warning",
        None,
        "their phase is smoothed differently",
    ),
    _Fact(
        "water masking",
        _water_masking,
        "warning",
        None,
        "phase over water is missing in some and there in others",
    ),
    _Fact("speckle filter", _option("speckle_filter"), None, "warning", "n: none, f: filtered"),
    _Fact(
        "DEM matching", _option("dem_matching"), None, "warning", "d: dead reckoning, m: matched"
    ),
    _Fact(
        "elevation model",
        _parameter("DEM source"),
        "warning",
        None,
        "their topographic phase and positions may differ",
    ),
    _Fact(
        "water mask source",
        _water_mask_source,
        "warning",
        None,
        "their water masks follow other coastlines",
    ),
    _Fact(
        "plugin version",
        lambda p: p.readme.plugin_version,
        "warning",
        "warning",
        "extents and masks may differ a little",
    ),
)


def lines_of_sight(products: Sequence[Product], latitudes: _Latitudes) -> list[tuple[object, ...]]:
    """Return from where the ground of each product is seen, as keys to compare.

    Parameters
    ----------
    products
        Products of one type; at least one.
    latitudes
        As for :func:`check_consistency`.
    """
    path = _path_fact(products, latitudes).read
    return [(product.is_ascending(), path(product)) for product in products]


def check_consistency(
    products: Sequence[Product],
    may_convert_scale: bool,
    latitudes: _Latitudes,
    chosen: Sequence[str] = (),
) -> list[str]:
    """Compare the products of a stack; return sentences on differences that users should know of.

    Parameters
    ----------
    products
        Products of one type; at least one.
    may_convert_scale
        Whether backscatter is converted to one scale, so that products may have several.
    latitudes
        Returns southern and northern edge of a product in degrees, None where it has none.
    chosen
        Layers that the user named; empty for all. Backscatter with other polarizations besides
        them may be stacked, too.

    Raises
    ------
    InconsistentProductsError
        If the products differ in something that makes a stack of them meaningless.
    """
    is_insar = products[0].type.is_insar
    warnings = []
    if not is_insar:
        _check_polarizations(products, chosen)
    for fact in (_path_fact(products, latitudes), *_FACTS):
        severity = fact.insar if is_insar else fact.rtc
        groups = _groups(products, fact.read)
        if severity is None or len(groups) < 2:
            continue
        listed = _listed(groups)
        if severity == "fatal":
            raise InconsistentProductsError(
                f"The products differ in their {fact.label} ({listed}), so {fact.why}; put the "
                "products of each kind into a folder of their own."
            )
        warnings.append(f"The products differ in their {fact.label} ({listed}): {fact.why}.")
    scales = _groups(products, lambda product: product.name.scale)
    if len(scales) > 1 and not may_convert_scale:
        raise InconsistentProductsError(
            f"The products have several scales ({_listed(scales)}); choose one by SCALE to convert "
            "them."
        )
    return warnings


def shared_polarizations(
    names: Sequence[ProductName], chosen: Sequence[str]
) -> tuple[list[str], bool]:
    """Return which polarizations all products of backscatter have.

    Parameters
    ----------
    names
        Names of the products; at least one.
    chosen
        Layers that the user named; empty for all.

    Returns
    -------
    shared : list of str
        ``VV`` ..., sorted.
    suffice : bool
        Whether the chosen layers need no others, so that all products make a stack, whatever else
        some of them hold.
    """
    held = [set(POLARIZATIONS[name.polarization]) for name in names]
    shared, known = set.intersection(*held), set.union(*held)
    by_name = names[0].type.by_name
    wanted = known & {by_name[layer].name for layer in chosen if layer in by_name}
    return sorted(shared), bool(chosen) and wanted <= shared


def _check_polarizations(products: Sequence[Product], chosen: Sequence[str]) -> None:
    groups = _groups(products, lambda item: " and ".join(POLARIZATIONS[item.name.polarization]))
    shared, suffice = shared_polarizations([product.name for product in products], chosen)
    if len(groups) < 2 or suffice:
        return
    remedy = "put the products of each kind into a folder of their own"
    if shared:
        remedy += f", or name in LAYERS only what all have ({', '.join(shared)})"
    raise InconsistentProductsError(
        f"The products differ in their polarization ({_listed(groups)}); {remedy}."
    )


def _groups(
    products: Sequence[Product], read: Callable[[Product], object]
) -> dict[object, list[Product]]:
    groups: dict[object, list[Product]] = {}
    for product in products:
        value = read(product)
        if value is not None:
            groups.setdefault(value, []).append(product)
    return groups


def _listed(groups: dict[object, list[Product]]) -> str:
    return "; ".join(
        f"{_written(value)}: {len(group)}, such as {group[0]}"
        for value, group in sorted(groups.items(), key=lambda pair: str(pair[0]))
    )


def _written(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
