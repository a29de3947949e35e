"""Rules of the families INSAR and NRB, besides those that all families share."""

from __future__ import annotations

from ..files.written_stack import WrittenStack
from ..products.product_types import GAMMA, PRODUCT_TYPES, backscatter_in
from .common_rules import ANY_INCIDENCE
from .verdict import (
    MET,
    NOT_MET,
    Rule,
    Verdict,
    all_of,
    any_layer,
    attributes,
    layers,
    numbers,
    with_order_hint,
)

_SOURCE_IMAGE = (
    "source_geometry",
    "source_range_spacing",
    "source_azimuth_spacing",
    "source_range_resolution",
    "source_azimuth_resolution",
)


def _unwrapping(stack: WrittenStack) -> Verdict:
    method = all_of(
        layers("unw_phase"),
        attributes("ceos_phase_unwrapping_method", "ceos_phase_unwrapping_iterations"),
        numbers("unwrapping_method"),
    )(stack)
    own = numbers("hyp3_reference_longitude", "hyp3_reference_latitude")(stack)
    chosen = all_of(numbers("reference_point_x", "reference_point_y"))(stack)
    point = own if own.status == MET else chosen
    threshold = stack.text("ceos_phase_unwrapping_coherence_threshold")
    problems = [method.explanation] if method.status != MET else []
    if point.status != MET:
        # Files of hyp3-gamma name the point since version 5.1, those of ISCE2 never do.
        row = PRODUCT_TYPES.get(stack.text("product_type"))
        is_gamma = row is not None and row.processor is GAMMA
        reason = (
            f"the parameter files do not give the reference point of all pairs ({own.explanation})"
            if is_gamma
            else "HyP3 does not say where ISCE2's reference point lies"
        )
        problems.append(f"{reason}; REFERENCE_POINT sets one")
    if threshold in ("", "not provided"):
        problems.append("the coherence threshold is not delivered")
    evidence = (*method.evidence, *point.evidence, f"coherence threshold = {threshold}")
    return Verdict(NOT_MET if problems else MET, evidence, "; ".join(problems))


def _pairs(stack: WrittenStack) -> Verdict:
    known = all_of(
        attributes(
            "ceos_insar_pair_baseline_criteria_information",
            "perpendicular_baseline_range",
            "temporal_baseline_range",
            "ceos_insar_orbital_baseline_refinement",
        ),
        numbers("pair", "reference_acquisition", "secondary_acquisition", "polarization"),
        numbers("perpendicular_baseline", units="m"),
        numbers("range_bandpass_filter", "azimuth_bandpass_filter"),
    )(stack)
    parallel = numbers("parallel_baseline", units="m")(stack)
    if parallel.status == MET:
        return Verdict(known.status, (*known.evidence, *parallel.evidence), known.explanation)
    reason = (
        "the parallel baseline is in no HyP3 file; ENRICH computes it from the catalog's orbits"
    )
    explanation = "; ".join(filter(None, (known.explanation, reason)))
    return Verdict(NOT_MET, known.evidence, explanation)


_LOOK_VECTOR = ("look_vector_x", "look_vector_y", "look_vector_z")


def _look_vector(stack: WrittenStack) -> Verdict:
    """Ask for the look vector in the center of the scene, or for that of all pixels."""
    grids = layers(*_LOOK_VECTOR)(stack)
    return grids if grids.status == MET else numbers(*_LOOK_VECTOR, units="1")(stack)


INSAR: dict[str, Rule] = {
    "time-src/threshold": numbers("acquisition_time"),
    "orbit-insar/threshold": numbers("orbit_relative"),
    "imgatt-sar/threshold": all_of(
        attributes(*_SOURCE_IMAGE),
        numbers("incidence_near", "incidence_far", units="degree"),
        note="spacing and resolution are nominal",
    ),
    "enl/goal": numbers("looks_range", "looks_azimuth"),
    "resol/goal": attributes("product_resolution"),
    "rulvec/threshold": _look_vector,
    "inspair/threshold": _pairs,
    "intfil/threshold": all_of(
        attributes("ceos_interferogram_filter"), numbers("phase_filter_parameter")
    ),
    "phasun/threshold": _unwrapping,
    "catpha/threshold": attributes("ceos_atmospheric_phase_correction"),
    "ionpha/threshold": attributes("ceos_ionospheric_phase_correction"),
    "damaski/threshold": with_order_hint(
        layers("data_mask"), "stack corr and unw_phase, with MASKS"
    ),
    "pelinca/threshold": with_order_hint(ANY_INCIDENCE, "order the products with look vectors"),
    "radulov-insar/goal": with_order_hint(
        layers(*_LOOK_VECTOR),
        "LOOK_VECTORS computes them where lv_theta and lv_phi are in the stack",
    ),
    "coheri/goal": all_of(layers("corr"), numbers("coherence_mean", "coherence_std")),
    "interfi/goal": with_order_hint(
        layers("wrapped_phase"), "order the products with wrapped phase"
    ),
    "unwinterfi/goal": layers("unw_phase"),
    "indispi/goal": with_order_hint(
        any_layer("los_disp", "vert_disp"), "add los_disp to LAYERS; it is computed where missing"
    ),
}


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
        attributes(*_SOURCE_IMAGE, "source_incidence_near", "source_incidence_far"),
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
