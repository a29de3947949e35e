"""Attributes of the whole stack: what it is, where it comes from, whom to credit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

from ..products.names import INSAR_GAMMA, RTC_GAMMA
from ..products.product import Product
from ..version import plugin_version

_SOFTWARE = {INSAR_GAMMA: "GAMMA", RTC_GAMMA: "GAMMA"}

_REFERENCES = {
    "GAMMA": "https://doi.org/10.5281/zenodo.3962936",
    "ISCE2": "https://doi.org/10.5281/zenodo.8007397",
}
"""HyP3's own plugins for the two processors."""

_HYP3 = "https://doi.org/10.5281/zenodo.3962581"
_HYP3_DOCUMENTATION = "https://doi.org/10.5281/zenodo.4646138"


def stack_attributes(products: Sequence[Product], history: str) -> dict[str, Any]:
    """Return the attributes of a stack.

    Parameters
    ----------
    products
        Products of the stack; at least one, all of one type.
    history
        What made the stack: task and parameters.

    Returns
    -------
    dict
        Attributes of CF 1.11 and the credit that ASF and Copernicus ask for.
    """
    product_type = products[0].name.product_type
    software = _SOFTWARE.get(product_type, "ISCE2")
    years = sorted({time.year for product in products for time in product.name.times})
    processed = sorted(
        {product.readme.processed.year for product in products if product.readme.processed}
    )
    now = datetime.now(timezone.utc)
    kind = "RTC backscatter" if product_type == RTC_GAMMA else "interferograms"
    attributes: dict[str, Any] = {
        "Conventions": "CF-1.11",
        "title": f"Stack of {len(products)} Sentinel-1 {kind} ({product_type})",
        "institution": "ASF DAAC (products)",
        "source": f"Sentinel-1 C-SAR, processed by ASF HyP3 with {software}",
        "history": f"{now:%Y-%m-%dT%H:%M:%SZ} HyP3 Stack {plugin_version()} (xarray "
        f"{version('xarray')}, rasterio {version('rasterio')}): {history}",
        "references": f"{_HYP3} {_HYP3_DOCUMENTATION} {_REFERENCES[software]}",
        "acknowledgment": f"ASF DAAC HyP3 {_range(processed or [now.year])} using {software} "
        f"software. Contains modified Copernicus Sentinel data {_range(years)}, processed by ESA.",
        "product_type": product_type,
        "date_created": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "time_coverage_start": _iso(min(product.name.times[0] for product in products)),
        "time_coverage_end": _iso(max(product.name.times[-1] for product in products)),
    }
    plugin_versions = sorted({p.readme.plugin_version for p in products if p.readme.plugin_version})
    if plugin_versions:
        attributes["hyp3_plugin_versions"] = " ".join(plugin_versions)
    return attributes


def _range(years: Sequence[int]) -> str:
    return str(years[0]) if years[0] == years[-1] else f"{years[0]}-{years[-1]}"


def _iso(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
