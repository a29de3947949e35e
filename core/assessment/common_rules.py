"""Rules for requirements that interferograms and backscatter share."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidParameterError
from ..files.written_stack import WrittenStack
from ..inputs.crs import authority_of
from ..metadata.data_access import parse_data_access
from ..metadata.gridding import IN_UTM
from .verdict import (
    MET,
    NEEDS_USER,
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

_TILE = 100_000.0
_NEAR = 1e-3
"""Largest deviation from a lattice, in pixels."""


def _spacing(stack: WrittenStack) -> Verdict:
    found: list[str] = []
    for axis, name in (("x", "column_spacing"), ("y", "line_spacing")):
        values, stated = stack.values(axis), stack.number(name)
        if values is None or values.size < 2 or stated is None:
            return Verdict(NOT_MET, tuple(found), f"{axis} or {name} is missing or not a number")
        spacing = abs(float(values[1] - values[0]))
        if not np.isclose(spacing, stated, atol=1e-6):
            return Verdict(NOT_MET, tuple(found), f"{name} differs from {axis}")
        found.append(f"{name} = {spacing:g} m, as between neighbors of {axis}")
    return Verdict(MET, tuple(found))


def _box(stack: WrittenStack) -> Verdict:
    box = stack.attribute("bounding_box")
    x, y = stack.values("x"), stack.values("y")
    if x is None or y is None or min(x.size, y.size) < 2 or not _is_box(box):
        return Verdict(NOT_MET, (), "the attribute bounding_box or the coordinates are missing")
    half = abs(float(x[1] - x[0])) / 2
    expected = [x.min() - half, y.min() - half, x.max() + half, y.max() + half]
    if not np.allclose(np.asarray(box, float), expected, rtol=0, atol=1e-3):
        return Verdict(NOT_MET, (), "bounding_box differs from the coordinates")
    if stack.crs() is None:
        return Verdict(NOT_MET, (), "without a CRS the corners have no meaning")
    return Verdict(MET, (f"bounding_box = {', '.join(f'{value:.1f}' for value in expected)}",))


def _is_box(value: object) -> bool:
    box = np.asarray(value)
    return box.size == 4 and box.dtype.kind in "iuf"


def _size(stack: WrittenStack) -> Verdict:
    sizes = stack.raw.sizes
    stated = {
        "y": stack.number("number_of_lines"),
        "x": stack.number("number_of_pixels_per_line"),
    }
    for axis, number in stated.items():
        if number != sizes[axis]:
            return Verdict(NOT_MET, (), f"the stated size along {axis} is missing or wrong")
    return Verdict(MET, (f"{sizes['y']} lines of {sizes['x']} pixels",))


def _pixel_centers(stack: WrittenStack) -> Verdict:
    if stack.text("product_pixel_coordinate_convention") != "pixel center":
        return Verdict(NOT_MET, (), "product_pixel_coordinate_convention is missing")
    for axis in "xy":
        values, bounds = stack.values(axis), stack.values(stack.text("bounds", axis))
        if values is None or bounds is None or bounds.shape != (values.size, 2):
            return Verdict(NOT_MET, (), f"{axis} has no bounds that show it")
        if not np.allclose(bounds.mean(axis=1), values, rtol=0, atol=1e-3):
            return Verdict(NOT_MET, (), f"{axis} does not lie in the middle of its bounds")
    return Verdict(MET, ("pixel center; x and y lie in the middle of x_bnds and y_bnds",))


def _crs(stack: WrittenStack) -> Verdict:
    crs = stack.crs()
    if crs is None:
        return Verdict(NOT_MET, (), "the layers name no CRS that can be read")
    authority = authority_of(crs)
    code = ":".join(authority) if authority else "no code"
    return Verdict(MET, (f"{crs.name}, {code}, as crs_wkt and CF parameters",))


def _lattice(stack: WrittenStack) -> Verdict:
    verdict = attributes("gridding_convention")(stack)
    phases, crs = _phases(stack), stack.crs()
    if verdict.status != MET or phases is None:
        return Verdict(NOT_MET, verdict.evidence, verdict.explanation or "x or y is missing")
    if crs is None or not all(min(p, abs(p - 0.5), 1 - p) <= _NEAR for p in phases):
        return Verdict(
            NOT_MET,
            verdict.evidence,
            "neither edges nor centers of the pixels lie on multiples of the spacing",
        )
    if IN_UTM in stack.text("gridding_convention") and crs.utm_zone is None:
        return Verdict(
            NOT_MET, verdict.evidence, f"gridding_convention speaks of UTM, the CRS is {crs.name}"
        )
    return Verdict(
        MET,
        (
            *verdict.evidence,
            f"edges lie {phases[0]:.3g}, {phases[1]:.3g} pixels off multiples in {crs.name}",
        ),
    )


def _phases(stack: WrittenStack) -> tuple[float, float] | None:
    """Return how many pixels the edges lie off multiples of the spacing along x and y."""
    x, y = stack.values("x"), stack.values("y")
    if x is None or y is None or min(x.size, y.size) < 2 or x[0] == x[1] or y[0] == y[1]:
        return None
    return _phase(x), _phase(y)


def _phase(values: np.ndarray) -> float:
    spacing = abs(float(values[1] - values[0]))
    return float(((values[0] - spacing / 2) / spacing) % 1.0)


def _tile_lattice(stack: WrittenStack) -> Verdict:
    phases, x, crs = _phases(stack), stack.values("x"), stack.crs()
    if phases is None or x is None:
        return Verdict(NOT_MET, (), "x or y is missing")
    if crs is None or crs.utm_zone is None:
        where = "without a CRS" if crs is None else f"in {crs.name}"
        return Verdict(NOT_MET, (), f"the tiles of 100 km are those of UTM, the stack is {where}")
    spacing = abs(float(x[1] - x[0]))
    on_edges = all(min(phase, 1 - phase) <= _NEAR for phase in phases)
    if on_edges and _TILE % spacing < 1e-6:
        return Verdict(NOT_MET, ("the origin fits",), "the convention has no address to cite")
    if on_edges:
        reason = f"{spacing:g} m divides no 100 km"
    elif all(abs(phase - 0.5) <= _NEAR for phase in phases):
        reason = "edges lie half a pixel off"
    else:
        return Verdict(
            NOT_MET, (), f"edges lie {phases[0]:.3g}, {phases[1]:.3g} pixels off multiples"
        )
    return Verdict(
        NOT_MET, (), f"{reason}; HyP3's own lattice is kept, so that products on it are copied"
    )


def _float32(stack: WrittenStack) -> Verdict:
    wrong = [
        name for name in stack.layers if stack.raw.variables[name].dtype.kind == "f"
        and stack.raw.variables[name].dtype != np.float32
    ]  # fmt: skip
    if wrong:
        return Verdict(NOT_MET, (), f"{', '.join(wrong)} are not float32")
    return Verdict(MET, ("all measurements are float32, not packed",))


def _product_access(stack: WrittenStack) -> Verdict:
    made = attributes("processing_facility", "date_created", "product_version")(stack)
    place = attributes("product_data_access")(stack)
    evidence = (*made.evidence, *place.evidence)
    if made.status != MET:
        return Verdict(NOT_MET, evidence, made.explanation)
    if place.status != MET:
        return Verdict(
            NEEDS_USER,
            evidence,
            "a lasting address or DOI of the stack can only be given by its publisher; DATA_ACCESS "
            "takes it",
        )
    try:
        parse_data_access(stack.text("product_data_access"))
    except InvalidParameterError:
        return Verdict(NOT_MET, evidence, "product_data_access is neither a DOI nor a URL")
    return Verdict(MET, evidence)


_NO_SOURCE_PROCESSING = "date and version of the sources' processing are in no HyP3 file"


def _source_processing(stack: WrittenStack) -> Verdict:
    always = all_of(
        numbers("source_granules", "source_product_level"),
        attributes(
            "source_processing_facility",
            "source_number_of_looks_range",
            "source_number_of_looks_azimuth",
        ),
    )(stack)
    online = numbers("source_processing_time", "source_software_version")(stack)
    if online.status == MET:
        return Verdict(always.status, (*always.evidence, *online.evidence), always.explanation)
    return Verdict(
        NOT_MET,
        (*always.evidence, *online.evidence),
        f"{_NO_SOURCE_PROCESSING}; ENRICH asks the ASF catalog",
    )


COMMON: dict[str, Rule] = {
    "protype/threshold": attributes("ceos_ard_product_type", "acknowledgment", "license"),
    "pfsurl/threshold": attributes("ceos_ard_document_identifier"),
    "time-sar/threshold": attributes(
        "number_of_acquisitions", "time_coverage_start", "time_coverage_end"
    ),
    "time-sar/goal": attributes("time_coverage_start", "time_coverage_end"),
    "macqid/threshold": numbers("acquisition"),
    "daccess-src/threshold": numbers("source_url"),
    "instru-sar/threshold": all_of(numbers("satellite"), attributes("instrument")),
    "instru-sar/goal": numbers("satellite_url"),
    "acqpar/threshold": all_of(
        attributes("radar_band", "antenna_pointing"),
        numbers("radar_frequency", units="Hz"),
        numbers("observation_mode", "beam", "source_polarizations"),
    ),
    "propar/threshold": _source_processing,
    "imgatt-sar/goal": with_order_hint(numbers("source_footprint"), "ENRICH asks the ASF catalog"),
    "sencal-sar/goal": attributes("sensor_calibration"),
    "perfind/threshold": attributes("noise_equivalent_sigma0", "noise_equivalent_sigma0_comment"),
    "daccess-prod/threshold": _product_access,
    "auxdat-sar/goal": attributes("dem", "egm"),
    "samspa/threshold": _spacing,
    "geobbox/threshold": _box,
    "geoarea-sar/threshold": attributes("footprint", "footprint_crs"),
    "imgsize/threshold": _size,
    "pixcoco/threshold": _pixel_centers,
    "crs-sar/threshold": _crs,
    "pidem/goal": with_order_hint(layers("dem"), "order the product with its elevation model"),
    "scaconv/threshold": attributes("scaling_conversion"),
    "scaconv/goal": _float32,
    "geocalg/goal": attributes("geometric_correction_algorithm", "geometric_correction_resampling"),
    "cdem/threshold": attributes("dem", "egm"),
    "geomacc-sar/threshold": attributes(
        "ceos_absolute_geolocation_error_range_bias",
        "ceos_absolute_geolocation_error_range_standard_deviation",
        "ceos_absolute_geolocation_error_azimuth_bias",
        "ceos_absolute_geolocation_error_azimuth_standard_deviation",
        "ceos_absolute_geolocation_error_comment",
    ),
    "gridconv/threshold": _lattice,
    "gridconv/goal": _tile_lattice,
}

ANY_INCIDENCE = any_layer("inc_map_ell", "lv_theta")
