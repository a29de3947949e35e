"""Compares the products of a stack: what must agree, and what should."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import InconsistentProductsError
from .names import RTC_GAMMA
from .product import Product


@dataclass(frozen=True)
class _Fact:
    """One property to compare.

    Parameters
    ----------
    label
        What it is, for the sentence.
    read
        Returns the value of a product, None where nothing tells it.
    insar, rtc
        ``fatal``, ``warning`` or None (not compared) in stacks of either kind.
    why
        What a difference means, a clause.
    """

    label: str
    read: Callable[[Product], object]
    insar: str | None
    rtc: str | None
    why: str


def relative_orbit(platform: str | None, absolute: int | None) -> int | None:
    """Return the path number of an absolute orbit.

    Parameters
    ----------
    platform
        ``S1A`` to ``S1D``.
    absolute
        Absolute orbit number.

    Returns
    -------
    int or None
        1 to 175; None where platform or orbit are unknown. The constants are those of ASF's own
        tools; S1C changed its place in the constellation after orbit 8018.
    """
    if platform is None or absolute is None:
        return None
    constant = {"S1A": 73, "S1B": 27, "S1C": 172 if absolute <= 8018 else 99, "S1D": 42}
    if platform not in constant:
        return None
    return (absolute - constant[platform]) % 175 + 1


def product_path(product: Product) -> int | None:
    """Return the path (relative orbit) of a product."""
    name = product.name
    if name.relative_orbit is not None:
        return name.relative_orbit
    if product.parameters is not None:
        absolute = product.parameters.integer("Reference Orbit Number")
        return relative_orbit(name.platforms[0], absolute)
    for granule in product.readme.granules:
        return relative_orbit(granule[:3], int(granule[49:55]))
    return None


def _parameter(key: str) -> Callable[[Product], object]:
    return lambda product: product.parameters.text(key) if product.parameters else None


def _option(position: int) -> Callable[[Product], object]:
    def read(product: Product) -> object:
        return product.name.options[position : position + 1] or None

    return read


def _water_mask_source(product: Product) -> object:
    version = product.readme.plugin_version
    if product.name.product_type != "INSAR_GAMMA" or version is None:
        return None
    major, minor = (int(part) for part in (version.split(".") + ["0"])[:2])
    # hyp3-gamma 8.1 changed from GSHHG to OpenStreetMap and WorldCover.
    return "OpenStreetMap and WorldCover" if (major, minor) >= (8, 1) else "GSHHG"


_FACTS = (
    _Fact("polarization", lambda p: p.name.polarization, "fatal", "fatal", "they are not alike"),
    _Fact("path", product_path, "fatal", "warning", "they are seen from other directions"),
    _Fact(
        "pass direction",
        _parameter("Reference Pass Direction"),
        "fatal",
        "warning",
        "they are seen from other directions",
    ),
    _Fact("burst", lambda p: p.name.footprint or None, "fatal", None, "they show other ground"),
    _Fact("range looks", _parameter("Range looks"), "fatal", None, "they differ in resolution"),
    _Fact("azimuth looks", _parameter("Azimuth looks"), "fatal", None, "they differ in resolution"),
    _Fact("radiometry", lambda p: p.name.radiometry, None, "fatal", "they are other quantities"),
    _Fact(
        "phase filter",
        _parameter("Phase filter parameter"),
        "warning",
        None,
        "their phase is smoothed differently",
    ),
    _Fact(
        "water masking",
        _option(0),
        "warning",
        None,
        "u: water was unwrapped, w: it was masked before",
    ),
    _Fact("speckle filter", _option(3), None, "warning", "n: none, f: filtered"),
    _Fact("DEM matching", _option(5), None, "warning", "d: dead reckoning, m: matched"),
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


def check_consistency(products: Sequence[Product], may_convert_scale: bool) -> list[str]:
    """Compare the products of a stack.

    Parameters
    ----------
    products
        Products of one type; at least one.
    may_convert_scale
        Whether backscatter is converted to one scale, so that products may have several.

    Returns
    -------
    list of str
        A sentence for each difference that users should know of.

    Raises
    ------
    InconsistentProductsError
        If the products differ in something that makes a stack of them meaningless.
    """
    is_rtc = products[0].name.product_type == RTC_GAMMA
    warnings = []
    for fact in _FACTS:
        severity = fact.rtc if is_rtc else fact.insar
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
        f"{value}: {len(group)}, such as {group[0]}"
        for value, group in sorted(groups.items(), key=lambda pair: str(pair[0]))
    )
