"""Statements that CEOS-ARD asks for and that hold for all pairs or dates of a stack."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from ..products.granules import known_granules
from ..products.product import Product
from ..products.product_types import RTC
from ..products.sentinel1 import (
    FAR_INCIDENCE,
    GEOLOCATION,
    MODE_PAGE,
    NEAR_INCIDENCE,
    NOISE_EQUIVALENT_SIGMA0,
    SOURCE_IMAGES,
)
from ..selection.acquisition_times import shared_times
from .variables import NOT_PROVIDED

DOCUMENT_VERSION = "1.3.1"
DOCUMENT = "https://ceos.org/ard/files/PFS/SAR/v1.3.1/CEOS-ARD_PFS_SAR_v1.3.1.pdf"

_GUIDE = "https://hyp3-docs.asf.alaska.edu/guides"
_COPERNICUS = "Copernicus GLO-30 (GLO-90 in its gaps), https://doi.org/10.5270/ESA-c5d3d65"
_GEOID = "EGM2008, https://doi.org/10.1029/2011JB008916; heights are ellipsoidal"
_ADAPTIVE = "adaptive filter in the frequency domain, https://doi.org/10.1029/1998GL900033"
_NOT_STATED = "not stated"
_SPECKLE_FILTERS: dict[str | None, str] = {
    "f": "Enhanced Lee, 7 x 7 pixels, damping factor 1",
    "n": "none",
}
_DEM_MATCHING: dict[str | None, str] = {"m": "attempted", "d": "not used, orbits only"}


def ceos_attributes(products: Sequence[Product], spacing: float) -> dict[str, Any]:
    """Return the statements as global attributes; the spacing is in meters."""
    kind = _source_kind(products)
    image = SOURCE_IMAGES[kind]
    common: dict[str, Any] = {
        "ceos_ard_document_identifier": DOCUMENT,
        "ceos_ard_document_version": DOCUMENT_VERSION,
        "ceos_ard_status": "self-assessed by hyp3:assessstack only, not peer reviewed",
        "radar_band": "C",
        "antenna_pointing": "right",
        "source_geometry": image.geometry,
        "source_range_spacing": image.range_spacing,
        "source_azimuth_spacing": image.azimuth_spacing,
        "source_range_resolution": np.array(image.range_resolution),
        "source_azimuth_resolution": np.array(image.azimuth_resolution),
        "source_attributes_comment": f"nominal for IW {kind} images, resolutions for the beams "
        f"IW1, IW2, IW3, in meters; source: ESA, {image.source}",
        "source_processing_facility": "European Space Agency (ESA), as HyP3's credit says",
        "source_number_of_looks_range": image.range_looks,
        "source_number_of_looks_azimuth": image.azimuth_looks,
        "noise_equivalent_sigma0": NOISE_EQUIVALENT_SIGMA0,
        "noise_equivalent_sigma0_comment": "dB, largest value specified for the mode IW; source: "
        f"ESA, {MODE_PAGE}",
        "product_pixel_coordinate_convention": "pixel center",
        "ceos_absolute_geolocation_error_range_bias": GEOLOCATION.range_bias,
        "ceos_absolute_geolocation_error_range_standard_deviation": GEOLOCATION.range_deviation,
        "ceos_absolute_geolocation_error_azimuth_bias": GEOLOCATION.azimuth_bias,
        "ceos_absolute_geolocation_error_azimuth_standard_deviation": (
            GEOLOCATION.azimuth_deviation
        ),
        "ceos_absolute_geolocation_error_comment": f"m; {GEOLOCATION.source}",
        "dem_resampling": "cubic",
        "geometric_correction_algorithm": f"range-Doppler terrain correction; {_GUIDE}",
        "geometric_correction_resampling": "nearest neighbor",
        "noise_removal": "not stated by HyP3's products",
        "sensor_calibration": "https://sentinels.copernicus.eu/documents/247904/685163/"
        "S1-Radiometric-Calibration-V1.0.pdf",
    }
    common |= _elevation_model(products)
    family = products[0].type.family
    common["ceos_ard_product_type"] = family.ceos_type
    return common | (_rtc(products) if family is RTC else _insar(products, spacing))


def _elevation_model(products: Sequence[Product]) -> dict[str, str]:
    """Return elevation model and geoid; not what is in no file.

    Backscatter has no parameter files, and for it HyP3 offers no other model. Only the heights of
    the Copernicus model are known to lie above EGM2008.
    """
    if not products[0].type.has_parameter_file:
        return {"dem": _COPERNICUS, "egm": _GEOID}
    models = [product.entry("DEM source") for product in products]
    if not any(models):
        return {}
    texts = [
        _COPERNICUS if re.fullmatch(r"GLO[-_ ]?30", model or "", re.I) else model or _NOT_STATED
        for model in models
    ]
    dem = {"dem": _shared(texts)}
    return dem | {"egm": _GEOID} if set(texts) == {_COPERNICUS} else dem


def _phase_filter(products: Sequence[Product]) -> dict[str, str]:
    """Return the filter of interferograms; nothing if no file has it."""
    texts = []
    for product in products:
        name = product.entry("INSAR phase filter")
        exponent = product.number("phase_filter_parameter")
        # Before hyp3-gamma 6.4 the file named the filter even where its exponent was 0.
        if exponent == 0 or (name or "").lower() in ("none", "no"):
            texts.append("none")
        elif name is None and exponent is None:
            texts.append(_NOT_STATED)
        else:
            is_adaptive = name is None or name.lower() in ("adf", "yes")
            texts.append(_ADAPTIVE if is_adaptive else str(name))
    if set(texts) == {_NOT_STATED}:
        return {}
    where = "; its parameter is in phase_filter_parameter" if _ADAPTIVE in texts else ""
    return {"ceos_interferogram_filter": f"{_shared(texts)}{where}"}


def _source_kind(products: Sequence[Product]) -> str:
    """Return ``GRD`` where all sources are such images, else ``SLC``."""
    names = [name for product in products for name in product.source_granules]
    kinds = {granule.kind for granule in known_granules(names)}
    return "GRD" if kinds == {"GRD"} else "SLC"


def _insar(products: Sequence[Product], spacing: float) -> dict[str, Any]:
    processor = products[0].type.processor
    # A pass after whole repeat cycles may begin seconds earlier in the day.
    times = shared_times(products)
    spans = [secondary - reference for reference, secondary in times]
    days = [round(span / timedelta(days=1)) for span in spans]
    baselines = [
        value
        for product in products
        if (value := product.number("perpendicular_baseline")) is not None
    ]
    references = {reference for reference, _ in times}
    network = "single reference" if len(references) == 1 else "small baseline network"
    pairs = f"{len(products)} {'pair' if len(products) == 1 else 'pairs'}"
    attributes = {
        "ceos_insar_pair_baseline_criteria_information": f"{network} of {pairs} as "
        "ordered by the user",
        "ceos_insar_orbital_baseline_refinement": "false",
        "temporal_baseline_range": np.array([min(days), max(days)], "int32"),
        "temporal_baseline_range_units": "day",
        "ceos_insar_coregistration": processor.coregistration,
        "ceos_phase_quality": processor.phase_quality,
        **_phase_filter(products),
        "ceos_phase_unwrapping_method": processor.unwrapping,
        "ceos_phase_unwrapping_iterations": 1,
        "ceos_phase_unwrapping_coherence_threshold": NOT_PROVIDED
        if processor.unwrapping_threshold is None
        else processor.unwrapping_threshold,
        "ceos_atmospheric_phase_correction": "not applied",
        "ceos_ionospheric_phase_correction": "not applied",
        "scaling_conversion": "none: phase in radians; dB = 10 * log10(amp)",
        "product_resolution": 2.0 * spacing,
        "product_resolution_comment": "m, along lines and columns, approximate; source: HyP3 guide",
    }
    if baselines:
        attributes["perpendicular_baseline_range"] = np.array([min(baselines), max(baselines)])
        attributes["perpendicular_baseline_range_units"] = "m"
    return attributes


def _rtc(products: Sequence[Product]) -> dict[str, Any]:
    names = [product.name for product in products]
    normalized = products[0].name.radiometry == "gamma0"
    return {
        "measurement_type": "gamma nought, terrain flattened"
        if normalized
        else "sigma nought, which is not normalised radar backscatter",
        "speckle_filter": _shared(
            _SPECKLE_FILTERS[name.option("speckle_filter")] for name in names
        ),
        "radiometric_terrain_correction_algorithm": "pixel-area integration, "
        "https://doi.org/10.1109/TGRS.2011.2120616; HyP3 guide "
        f"{_GUIDE}/rtc_atbd",
        "scaling_conversion": "dB = 10 * log10(power) = 20 * log10(amplitude); the scale is an "
        "attribute of each variable",
        "source_incidence_near": NEAR_INCIDENCE,
        "source_incidence_far": FAR_INCIDENCE,
        "source_incidence_comment": "degrees at the edges of the mode IW, nominal; source: ESA, "
        f"{MODE_PAGE}",
        "dem_matching": _shared(_DEM_MATCHING[name.option("dem_matching")] for name in names),
        "acquisition_id_image": "not applicable: each step is one acquisition; where frames of a "
        "pass are merged, the variable source_frame tells them apart",
        "product_resolution_comment": "HyP3 states the pixel spacing only",
    }


def _shared(texts: Iterable[str]) -> str:
    """Return the text of all products; where it differs, how many have which."""
    counts = Counter(texts).most_common()
    if len(counts) == 1:
        return counts[0][0]
    total = sum(count for _, count in counts)
    parts = (f"{text} in {count} of {total} products" for text, count in counts)
    return f"differs: {'; '.join(parts)}"
