"""Rules of the family NRB, besides those that all families share."""

from __future__ import annotations

from ..files.written_stack import WrittenStack
from ..products.product_types import backscatter_in
from .verdict import (
    MET,
    NOT_MET,
    Rule,
    Verdict,
    all_of,
    attributes,
    layers,
    numbers,
    with_order_hint,
)


def _backscatter(stack: WrittenStack) -> Verdict:
    names = [*backscatter_in(stack.layers)]
    if not names:
        return Verdict(NOT_MET, (), "the stack holds no backscatter")
    verdict = layers(*names)(stack)
    problems = [verdict.explanation] if verdict.status != MET else []
    evidence = list(verdict.evidence)
    for name in names:
        kind, scale = stack.text("radiometry", name), stack.text("scale", name)
        evidence.append(f"{name}: {kind}, linear {scale}, {stack.text('polarization', name)}")
        if kind != "gamma0":
            problems.append(f"{name} is {kind or 'of unknown kind'}, not gamma nought")
        if scale not in ("power", "amplitude"):
            problems.append(f"{name} is in {scale or 'an unknown'} scale; SCALE makes it linear")
    return Verdict(NOT_MET if problems else MET, tuple(evidence), "; ".join(problems))


NRB: dict[str, Rule] = {
    "time-src/threshold": numbers("time"),
    "orbit/threshold": all_of(
        numbers("pass_direction", "orbit_type"),
        note="the direction follows from the local time of the pass",
    ),
    "imgatt-sar/threshold": all_of(
        attributes(
            "source_geometry",
            "source_range_spacing",
            "source_azimuth_spacing",
            "source_range_resolution",
            "source_azimuth_resolution",
            "source_incidence_near",
            "source_incidence_far",
        ),
        note="all values are nominal",
    ),
    "spekfil/threshold": attributes("speckle_filter"),
    "damaski/threshold": with_order_hint(layers("data_mask"), "stack ls_map, with MASKS"),
    "piscata/goal": with_order_hint(layers("area"), "order the products with scattering area"),
    "ploinca/threshold": with_order_hint(
        layers("inc_map"), "order the products with the local incidence angle"
    ),
    "backsca-nrb/threshold": _backscatter,
    "radtalg-appl/threshold": attributes("radiometric_terrain_correction_algorithm", "dem"),
}
