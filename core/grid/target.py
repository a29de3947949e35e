"""What a grid is made of: its CRS, its lattice and the spacing of its pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from pyproj import CRS
from pyproj.exceptions import CRSError

from ..errors import GridError, InconsistentProductsError, InvalidParameterError
from ..inputs.crs import code_or_name, epsg_of, is_metric, parsed, title, utm_zone
from ..inputs.raster_grid import Raster
from ..products.product import Product
from .lattice import Lattice


def spacing_of(product: Product, raster: Raster) -> float:
    """Return the pixel spacing of a product in meters: by its name where the raster has others."""
    return raster.spacing if raster.is_metric else product.name.spacing


def common_spacing(products: Sequence[tuple[Product, Raster]]) -> float:
    """Return the pixel spacing of products in meters.

    Raises
    ------
    InconsistentProductsError
        If they have several.
    """
    spacings: dict[float, list[Product]] = {}
    for product, raster in products:
        spacings.setdefault(round(spacing_of(product, raster), 6), []).append(product)
    if len(spacings) > 1:
        listed = "; ".join(
            f"{spacing:.10g} m: {len(group)} (such as {group[0]})"
            for spacing, group in sorted(spacings.items())
        )
        named = {product.name.spacing for product, _ in products}
        remedy = "put the products of each spacing into a folder of their own"
        if len(named) == 1:
            remedy += (
                f", or use them as HyP3 delivered them, for by their names all have {named.pop():g}"
                " m"
            )
        raise InconsistentProductsError(
            f"The products have {len(spacings)} pixel spacings ({listed}); {remedy}."
        )
    return next(spacing_of(product, raster) for product, raster in products)


def parse_target_crs(text: str) -> CRS:
    """Read TARGET_CRS.

    Raises
    ------
    InvalidParameterError
        If it is unknown, not in meters or not of two dimensions.
    """
    try:
        crs = CRS.from_user_input(text)
    except CRSError:
        raise InvalidParameterError(
            f"TARGET_CRS is {text!r}, which is not a coordinate reference system; give a code "
            "such as EPSG:32606."
        ) from None
    if not is_metric(crs):
        raise InvalidParameterError(
            f"TARGET_CRS {crs.name} is not a projected system in meters; choose a UTM zone "
            "or another such system."
        )
    if len(crs.axis_info) != 2:
        raise InvalidParameterError(
            f"TARGET_CRS {crs.name} is a system with heights, which a map does not have; choose "
            "the horizontal one alone, such as EPSG:32606."
        )
    return crs


def choose_crs(
    products: Sequence[tuple[Product, Raster]], wanted: str | None
) -> tuple[CRS, tuple[str, ...]]:
    """Return the CRS of a grid, and sentences on how it was chosen.

    Parameters
    ----------
    products
        Products with the grid that their layers share; at least one.
    wanted
        TARGET_CRS; None for that of most products.

    Raises
    ------
    GridError
        If none of the products lies in meters on a map.
    InvalidParameterError
        If the wanted one is unknown or not such a CRS.
    """
    if wanted is not None:
        crs = parse_target_crs(wanted)
        return crs, (f"The target CRS {crs.name} was chosen by the user.",)
    everywhere = Counter(raster.crs for _, raster in products)
    number = Counter(raster.crs for _, raster in products if raster.is_metric)
    if not number:
        product, raster = products[0]
        raise GridError(
            f"{product} lies in {title(raster.crs)}, which is not in meters on a map, and no other "
            f"product does; choose a TARGET_CRS that is, such as {utm_zone(*raster.middle)}, to "
            "which they are warped."
        )
    area: Counter[str] = Counter()
    for _, raster in products:
        area[raster.crs] += raster.width * raster.height
    chosen = min(number, key=lambda one: (-number[one], -area[one], *_code(one)))
    reasons: tuple[str, ...] = ()
    if len(everywhere) > 1:
        kind = "zones"
        if any(parsed(one).utm_zone is None for one in everywhere):
            kind = "coordinate reference systems"
        listed = ", ".join(
            f"{code_or_name(one)}: {everywhere[one]}" for one in sorted(everywhere, key=_code)
        )
        among = "" if len(number) == len(everywhere) else " of those in meters"
        reasons = (
            f"The products lie in {len(everywhere)} {kind} ({listed}); "
            f"{_why(chosen, number, area, among)}.",
        )
    return parsed(chosen), reasons


def _code(crs: str) -> tuple[int, str]:
    """Return what CRS are ordered by: their codes, those without one last."""
    code = epsg_of(parsed(crs))
    return (1 << 31 if code is None else code, crs)


def _why(chosen: str, number: Mapping[str, int], area: Mapping[str, int], among: str) -> str:
    """Return why a CRS is that of the grid."""
    tied = [one for one in number if number[one] == number[chosen] and one != chosen]
    if len(number) == 1:
        return f"the stack takes {title(chosen)}, the only one in meters"
    if not tied and number[chosen] * 2 > sum(number.values()):
        return f"most{among} lie in {title(chosen)}, which the stack takes"
    if not tied:
        return f"more{among} lie in {title(chosen)} than in any other, and the stack takes it"
    others = " and ".join(map(code_or_name, sorted(tied, key=_code)))
    is_larger = area[chosen] > max(area[one] for one in tied)
    by = "where their pixels are more" if is_larger else "which has the lowest code"
    return (
        f"as many{among} lie in {code_or_name(chosen)} as in {others}, and the stack takes "
        f"{title(chosen)}, {by}"
    )


def native_lattice(
    products: Sequence[tuple[Product, Raster]], here: str, spacing: float
) -> Lattice:
    """Return the lattice of most products in a CRS, which is given as :attr:`Grid.crs`.

    Without a product there the lattice of their type is kept: HyP3 snaps raw coordinates, so its
    phase is the same in every zone.
    """
    metric = [raster for _, raster in products if raster.is_metric]
    native = [raster for raster in metric if raster.crs == here] or metric
    if not native:
        phase = spacing / 2.0 if products[0][0].type.is_centered else 0.0
        return Lattice(spacing, phase, phase)
    phases = Counter(
        (round(lattice.x_phase, 6), round(lattice.y_phase, 6))
        for lattice in map(Lattice.of, native)
    )
    x_phase, y_phase = min(phases, key=lambda phase: (-phases[phase], phase))
    return Lattice(spacing, x_phase, y_phase)
