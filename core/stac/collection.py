"""The STAC collection around the item of a stack."""

from __future__ import annotations

from typing import Any

import pystac
import xarray as xr
from pystac.extensions.scientific import ScientificExtension
from pystac.summaries import RangeSummary

from .cube import json_values
from .item import INSAR_SCHEMA, polarizations, times

_LEGAL_NOTICE = "https://sentinels.copernicus.eu/documents/247904/690755/Sentinel_Data_Legal_Notice"

_PROVIDERS = (
    pystac.Provider(
        "European Space Agency",
        "Sentinel-1 data of the Copernicus program",
        [pystac.ProviderRole.PRODUCER, pystac.ProviderRole.LICENSOR],
        "https://sentinels.copernicus.eu",
    ),
    pystac.Provider(
        "ASF DAAC HyP3",
        "On-demand processing of the products in the stack",
        [pystac.ProviderRole.PROCESSOR],
        "https://hyp3-docs.asf.alaska.edu",
    ),
)

_SUMMARIZED = (
    "constellation",
    "platform",
    "proj:code",
    "sar:instrument_mode",
    "sar:frequency_band",
    "sar:product_type",
    "sat:orbit_state",
    "sat:relative_orbit",
)


def stack_collection(item: pystac.Item, stack: xr.Dataset) -> pystac.Collection:
    """Describe the collection of a stack, with its extent, providers, license and summaries.

    Parameters
    ----------
    item
        The item of the stack; it becomes a member of the collection.
    stack
        The stack, opened with decoded times.
    """
    start, end = item.common_metadata.start_datetime, item.common_metadata.end_datetime
    collection = pystac.Collection(
        id=f"{item.id}-collection",
        title=item.properties["title"],
        description=item.properties["description"],
        # The license is in words of its own, which have no code of SPDX.
        license="other",
        keywords=[word.split(" > ")[-1].lower() for word in _words(stack.attrs["keywords"])],
        providers=list(_PROVIDERS),
        extent=pystac.Extent(
            pystac.SpatialExtent([list(item.bbox or [])]), pystac.TemporalExtent([[start, end]])
        ),
        # A DOI is that of the stack, not of whatever else may come into the collection.
        stac_extensions=[
            uri for uri in item.stac_extensions if uri != ScientificExtension.get_schema_uri()
        ],
        summaries=pystac.Summaries(_summaries(item, stack)),
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )
    collection.add_link(
        pystac.Link(
            pystac.RelType.LICENSE,
            _LEGAL_NOTICE,
            pystac.MediaType.PDF,
            "Legal notice on the use of Copernicus Sentinel data",
        )
    )
    collection.extra_fields["cube:dimensions"] = item.properties["cube:dimensions"]
    collection.extra_fields["attribution"] = stack.attrs["acknowledgment"]
    collection.add_item(item)
    return collection


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _summaries(item: pystac.Item, stack: xr.Dataset) -> dict[str, Any]:
    summaries: dict[str, Any] = {
        key: [item.properties[key]] for key in _SUMMARIZED if item.properties.get(key) is not None
    }
    summaries["instruments"] = item.properties["instruments"]
    summaries["gsd"] = [item.properties["gsd"]]
    summaries["sar:polarizations"] = polarizations(stack)
    if INSAR_SCHEMA in item.stac_extensions:
        for kind in ("perpendicular", "temporal"):
            known = [
                value
                for value in json_values(stack[f"{kind}_baseline"].values)
                if value is not None
            ]
            if known:
                summaries[f"insar:{kind}_baseline"] = RangeSummary(min(known), max(known))
        for side in ("reference", "secondary"):
            dates = times(stack[f"{side}_time"].values)
            summaries[f"insar:{side}_datetime"] = RangeSummary(min(dates), max(dates))
        for key in ("insar:processing_dem", "insar:geocoding_dem"):
            if key in item.properties:
                summaries[key] = [item.properties[key]]
    return summaries
