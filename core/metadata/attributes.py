"""Attributes of the whole stack: what it is, where it comes from, whom to credit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from itertools import pairwise
from statistics import median
from typing import Any

from ..products.product import Product
from ..products.sentinel1 import INSTRUMENT, platform_name
from ..selection.acquisition_times import shared_times
from ..version import plugin_version
from .acquisitions import Acquisition

CONVENTIONS = "CF-1.11, ACDD-1.3"
STANDARD_NAMES = "CF Standard Name Table v93"

_HYP3 = "https://doi.org/10.5281/zenodo.3962581"
_HYP3_DOCUMENTATION = "https://doi.org/10.5281/zenodo.4646138"

_LICENSE = (
    "HyP3 products are free to use with the credit in the attribute acknowledgment. Copernicus "
    "Sentinel data are free, full and open: https://sentinels.copernicus.eu/documents/247904/"
    "690755/Sentinel_Data_Legal_Notice. Elevations: produced using Copernicus WorldDEM-30 (c) DLR "
    "e.V. 2010-2014 and (c) Airbus Defence and Space GmbH 2014-2018 provided under COPERNICUS by "
    "the European Union and ESA; all rights reserved."
)

_KEYWORD = "EARTH SCIENCE > SPECTRAL/ENGINEERING > RADAR > RADAR IMAGERY"


def stack_attributes(products: Sequence[Product], history: str) -> dict[str, Any]:
    """Return the attributes of CF 1.11, ACDD 1.3 and credit that come from the products of a stack.

    Parameters
    ----------
    products
        Products of the stack; at least one, all of one type.
    history
        What made the stack: task and parameters.
    """
    row = products[0].type
    software = row.processor.name
    times = shared_times(products)
    # What was acquired over the turn of a year is of both.
    years = sorted(
        {time.year for product in products for time in product.name.times}
        | {time.year for both in times for time in both}
    )
    processed = sorted(
        {product.readme.processed.year for product in products if product.readme.processed}
    )
    now = _iso(datetime.now(timezone.utc))
    images = f"{len(products)} Sentinel-1 {row.family.image}{'s' if len(products) > 1 else ''}"
    first, last = min(both[0] for both in times), max(both[-1] for both in times)
    attributes: dict[str, Any] = {
        "Conventions": CONVENTIONS,
        "title": f"Stack of {images} ({row.name})",
        "summary": f"{images} of {first:%Y-%m-%d} to {last:%Y-%m-%d}, "
        f"made by ASF's HyP3 service with {software} and put on one grid. Products on the grid "
        "are copied value for value, others are resampled once.",
        "comment": "missing numbers are NaN, missing text reads not provided; what HyP3 does not "
        "deliver is listed by hyp3:assessstack",
        "keywords": f"{_KEYWORD}, {row.family.keyword}",
        "keywords_vocabulary": "GCMD Science Keywords",
        "standard_name_vocabulary": STANDARD_NAMES,
        "id": str(uuid.uuid4()),
        "naming_authority": "urn:uuid",
        "institution": "ASF DAAC (products)",
        "source": f"Sentinel-1 C-SAR, processed by ASF HyP3 with {software}",
        "processing_facility": "ASF DAAC HyP3 (SAR processing), a computer of the stack's maker "
        f"(grid and stack, with HyP3 Stack {plugin_version()})",
        "processing_level": "analysis-ready stack of level 2 products",
        "history": f"{now} HyP3 Stack {plugin_version()} (xarray "
        f"{version('xarray')}, rasterio {version('rasterio')}): {history}",
        "references": f"{_HYP3} {_HYP3_DOCUMENTATION} {row.processor.plugin}",
        "acknowledgment": " ".join(
            (
                "ASF DAAC HyP3",
                *([_range(processed)] if processed else []),
                f"using {software} software. Contains modified Copernicus Sentinel data "
                f"{_range(years)}, processed by ESA.",
            )
        ),
        "license": _LICENSE,
        "project": "ASF HyP3",
        "program": "Copernicus",
        "creator_name": "ASF DAAC HyP3",
        "creator_type": "institution",
        "creator_institution": "Alaska Satellite Facility Distributed Active Archive Center",
        "creator_url": "https://hyp3-docs.asf.alaska.edu",
        "creator_email": "uso@asf.alaska.edu",
        "contributor_name": "European Space Agency",
        "contributor_role": "Sentinel-1 data",
        "metadata_link": _HYP3_DOCUMENTATION,
        "cdm_data_type": "Grid",
        "product_type": row.name,
        "product_version": plugin_version(),
        "date_created": now,
        "date_issued": now,
        "date_modified": now,
        "date_metadata_modified": now,
        "time_coverage_start": _iso(first),
        "time_coverage_end": _iso(last),
    }
    plugin_versions = sorted({p.readme.plugin_version for p in products if p.readme.plugin_version})
    if plugin_versions:
        attributes["hyp3_plugin_versions"] = " ".join(plugin_versions)
    return attributes


def coverage_attributes(acquisitions: Sequence[Acquisition]) -> dict[str, Any]:
    """Return what the acquisitions add: times to the second, platforms, number."""
    first = min(item.start for item in acquisitions)
    last = max(item.stop or item.start for item in acquisitions)
    gaps = [after.start - before.start for before, after in pairwise(acquisitions)]
    return {
        "time_coverage_start": _iso(first),
        "time_coverage_end": _iso(last),
        "time_coverage_duration": duration(last - first),
        "time_coverage_resolution": duration(
            timedelta(days=round(median(gap / timedelta(days=1) for gap in gaps)))
            if gaps
            else last - first
        ),
        "number_of_acquisitions": len(acquisitions),
        "platform": ", ".join(sorted({platform_name(item.platform) for item in acquisitions})),
        "platform_vocabulary": "GCMD Platforms",
        "instrument": INSTRUMENT,
        "instrument_vocabulary": "GCMD Instruments",
    }


def duration(time: timedelta) -> str:
    """Return a time span as ISO 8601 writes it, such as ``P12DT3S``."""
    seconds = round(time.total_seconds())
    days, rest = divmod(seconds, 86400)
    return f"P{days}D" + (f"T{rest}S" if rest else "")


def _range(years: Sequence[int]) -> str:
    return str(years[0]) if years[0] == years[-1] else f"{years[0]}-{years[-1]}"


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
