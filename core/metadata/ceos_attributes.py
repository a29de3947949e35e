"""Statements that CEOS-ARD asks for and that hold for all pairs or dates of a stack."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from ..products.granules import parse_granule
from ..products.names import INSAR_GAMMA, RTC_GAMMA
from ..products.product import Product
from ..products.sentinel1 import (
    FAR_INCIDENCE,
    GEOLOCATION,
    MODE_PAGE,
    NEAR_INCIDENCE,
    NOISE_EQUIVALENT_SIGMA0,
    SOURCE_IMAGES,
)
from ..selection.acquisition_times import shared_times
from .acquisitions import source_granules
from .attributes import software_of

DOCUMENT_VERSION = "1.3.1"
DOCUMENT = "https://ceos.org/ard/files/PFS/SAR/v1.3.1/CEOS-ARD_PFS_SAR_v1.3.1.pdf"

_GUIDE = "https://hyp3-docs.asf.alaska.edu/guides"
_COREGISTRATION = {
    "GAMMA": "to the reference by intensity matching and enhanced spectral diversity; HyP3 "
    "packages no standard deviations, its guide says that the azimuth offset is below 0.02 "
    "pixels before the last step",
    "ISCE2": "to the reference by orbits and the elevation model; HyP3 packages no standard "
    "deviations",
}
_PHASE_QUALITY = {
    "GAMMA": "coherence estimated by cc_wave on the unfiltered interferogram; shape and weights of "
    "its window are not delivered; unwrapping left out pixels whose filtered coherence was below "
    "0.1",
    "ISCE2": "coherence estimated from the standard deviation of the filtered phase; size of its "
    "window and threshold are not delivered",
}
_UNWRAPPING = {
    "GAMMA": "minimum cost flow, https://doi.org/10.1109/36.673674",
    "ISCE2": "SNAPHU with minimum cost flow initialization, https://doi.org/10.1364/JOSAA.18.000338",
}
_COPERNICUS = "Copernicus GLO-30 (GLO-90 in its gaps), https://doi.org/10.5270/ESA-c5d3d65"
_GEOID = "EGM2008, https://doi.org/10.1029/2011JB008916; heights are ellipsoidal"
_ADAPTIVE = "adaptive filter in the frequency domain, https://doi.org/10.1029/1998GL900033"
_NOT_STATED = "not stated"
_SPECKLE_FILTERS = {"f": "Enhanced Lee, 7 x 7 pixels, damping factor 1", "n": "none"}
_DEM_MATCHING = {"m": "attempted", "d": "not used, orbits only"}


def ceos_attributes(products: Sequence[Product], spacing: float) -> dict[str, Any]:
    """Return the statements as global attributes.

    Parameters
    ----------
    products
        Products of the stack.
    spacing
        Pixel spacing in meters.
    """
    kind = _source_kind(products)
    image = SOURCE_IMAGES[kind]
    common = {
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
    is_rtc = products[0].name.product_type == RTC_GAMMA
    return common | (_rtc(products) if is_rtc else _insar(products, spacing))


def _elevation_model(products: Sequence[Product]) -> dict[str, str]:
    """Return elevation model and geoid; not what no file tells.

    Backscatter has no parameter files, and for it HyP3 offers no other model. Only the heights of
    the Copernicus model are known to lie above EGM2008.
    """
    if products[0].name.product_type == RTC_GAMMA:
        return {"dem": _COPERNICUS, "egm": _GEOID}
    models = [
        product.parameters.text("DEM source") if product.parameters is not None else None
        for product in products
    ]
    if not any(models):
        return {}
    texts = [
        _COPERNICUS if re.fullmatch(r"GLO[-_ ]?30", model or "", re.I) else model or _NOT_STATED
        for model in models
    ]
    dem = {"dem": _shared(texts)}
    return dem | {"egm": _GEOID} if set(texts) == {_COPERNICUS} else dem


def _phase_filter(products: Sequence[Product]) -> dict[str, str]:
    """Return the filter of interferograms; nothing if no file tells."""
    texts = []
    for product in products:
        name = product.parameters.text("INSAR phase filter") if product.parameters else None
        exponent = (
            product.parameters.number("Phase filter parameter") if product.parameters else None
        )
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
    granules = [parse_granule(name) for product in products for name in source_granules(product)]
    kinds = {granule.kind for granule in granules if granule is not None}
    return "GRD" if kinds == {"GRD"} else "SLC"


def _insar(products: Sequence[Product], spacing: float) -> dict[str, Any]:
    product_type = products[0].name.product_type
    software = software_of(product_type)
    # A pass after whole repeat cycles may begin seconds earlier in the day.
    times = shared_times(products)
    spans = [secondary - reference for reference, secondary in times]
    days = [round(span / timedelta(days=1)) for span in spans]
    baselines = [
        value
        for product in products
        if product.parameters is not None
        and (value := product.parameters.number("Baseline")) is not None
    ]
    references = {reference for reference, _ in times}
    network = "single reference" if len(references) == 1 else "small baseline network"
    pairs = f"{len(products)} {'pair' if len(products) == 1 else 'pairs'}"
    attributes = {
        "ceos_ard_product_type": "Interferometric SAR (InSAR)",
        "ceos_insar_pair_baseline_criteria_information": f"{network} of {pairs} as "
        "ordered by the user",
        "ceos_insar_orbital_baseline_refinement": "false",
        "temporal_baseline_range": np.array([min(days), max(days)], "int32"),
        "temporal_baseline_range_units": "day",
        "ceos_insar_coregistration": _COREGISTRATION[software],
        "ceos_phase_quality": _PHASE_QUALITY[software],
        **_phase_filter(products),
        "ceos_phase_unwrapping_method": _UNWRAPPING[software],
        "ceos_phase_unwrapping_iterations": 1,
        "ceos_phase_unwrapping_coherence_threshold": 0.1
        if product_type == INSAR_GAMMA
        else "not provided",
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
    options = [product.name.options for product in products]
    normalized = products[0].name.radiometry == "gamma0"
    return {
        "ceos_ard_product_type": "Normalised Radar Backscatter (NRB)",
        "measurement_type": "gamma nought, terrain flattened"
        if normalized
        else "sigma nought, which is not normalised radar backscatter",
        "speckle_filter": _shared(_SPECKLE_FILTERS[letters[3]] for letters in options),
        "radiometric_terrain_correction_algorithm": "pixel-area integration, "
        "https://doi.org/10.1109/TGRS.2011.2120616; HyP3 guide "
        f"{_GUIDE}/rtc_atbd",
        "scaling_conversion": "dB = 10 * log10(power) = 20 * log10(amplitude); the scale is an "
        "attribute of each variable",
        "source_incidence_near": NEAR_INCIDENCE,
        "source_incidence_far": FAR_INCIDENCE,
        "source_incidence_comment": "degrees at the edges of the mode IW, nominal; source: ESA, "
        f"{MODE_PAGE}",
        "dem_matching": _shared(_DEM_MATCHING[letters[5]] for letters in options),
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
