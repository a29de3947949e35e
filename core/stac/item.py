"""The STAC item of a stack: what is in the written file, in the terms of catalogs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pystac
import shapely
import xarray as xr
from numpy.typing import NDArray
from pyproj import CRS
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.sar import FrequencyBand, ObservationDirection, Polarization, SarExtension
from pystac.extensions.sat import OrbitState, SatExtension
from pystac.extensions.scientific import ScientificExtension
from shapely.geometry import MultiPolygon, mapping
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient

from ..grid.antimeridian import limits
from ..inputs.crs import authority_of
from ..metadata.data_access import parse_data_access
from ..products.product_types import backscatter_in
from .cube import add_cube, iso, json_values, only, utc_time

_DIGITS = 6


def footprint(outline: str) -> tuple[dict[str, Any], list[float]]:
    """Return the outline of data and the box around it.

    Parameters
    ----------
    outline
        WKT of a polygon, longitude latitude in degrees (WGS 84); of one on either side where it
        crosses the antimeridian.

    Returns
    -------
    geometry : dict
        GeoJSON of the same polygons, as RFC 7946 (section 3.1.9) asks.
    bbox : list of float
        West, south, east, north; west is greater than east where it crosses the antimeridian.
    """
    shape = shapely.from_wkt(outline)
    _, south, _, north = shape.bounds
    west, east = limits(shapely.get_coordinates(shape)[:, 0])
    return _geojson(shape), _rounded([west, south, east, north])


def _geojson(shape: BaseGeometry) -> dict[str, Any]:
    """Return a shape as GeoJSON, outer rings counterclockwise."""
    if shape.geom_type == "Polygon":
        shape = orient(shape)
    else:
        shape = MultiPolygon([orient(part) for part in shape.geoms])
    described = mapping(shape)
    return {"type": described["type"], "coordinates": _lists(described["coordinates"])}


def _lists(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [_lists(item) for item in value]
    return round(float(value), _DIGITS)


def _rounded(numbers: list[float]) -> list[float]:
    return [round(float(number), _DIGITS) for number in numbers]


INSAR_SCHEMA = "https://stac-extensions.github.io/insar/v1.0.0/schema.json"
"""pystac has no class for the extension ``insar``."""

_DEM_NAMES = {"GLO30": "COP-DEM_GLO30", "GLO90": "COP-DEM_GLO90"}
"""Names that the extension ``insar`` proposes for the elevation models of HyP3."""


def stack_item(
    name: str, stack: xr.Dataset, crs: CRS, assets: Mapping[str, pystac.Asset]
) -> pystac.Item:
    """Describe a written stack as a STAC item.

    Parameters
    ----------
    name
        Id of the item.
    stack
        The stack, opened with decoded times.
    assets
        Its files by key.

    Returns
    -------
    Item
        STAC 1.1 with the extensions ``projection``, ``datacube``, ``sar``, and ``sat``, ``insar``
        and ``scientific`` where the stack has facts for them.
    """
    geometry, bbox = footprint(str(stack.attrs["footprint"]))
    item = pystac.Item(
        id=name,
        geometry=geometry,
        bbox=bbox,
        # A period has no one time; the standard asks for null then.
        datetime=None,
        start_datetime=utc_time(stack.attrs["time_coverage_start"]),
        end_datetime=utc_time(stack.attrs["time_coverage_end"]),
        properties=_common(stack),
    )
    for key, asset in assets.items():
        item.add_asset(key, asset)
    _add_projection(item, stack, crs)
    _add_sar(item, stack)
    _add_orbit(item, stack)
    add_cube(item, stack, crs)
    _add_address(item, stack)
    facts = insar_facts(stack)
    if facts:
        item.stac_extensions.append(INSAR_SCHEMA)
        item.properties.update(facts)
    return item


def _common(stack: xr.Dataset) -> dict[str, Any]:
    satellites = sorted(set(text_values(stack, "satellite")))
    properties: dict[str, Any] = {
        "title": stack.attrs["title"],
        "description": stack.attrs["summary"],
        "created": stack.attrs["date_created"],
        "updated": stack.attrs["date_metadata_modified"],
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "gsd": float(stack.attrs["column_spacing"]),
    }
    # Where only the constellation is known, the satellite reads Sentinel-1.
    if len(satellites) == 1 and satellites[0] != "Sentinel-1":
        properties["platform"] = satellites[0].lower()
    return properties


def _add_projection(item: pystac.Item, stack: xr.Dataset, crs: CRS) -> None:
    left, bottom, right, top = (float(value) for value in stack.attrs["bounding_box"])
    spacing = float(stack.attrs["column_spacing"])
    authority = authority_of(crs)
    ProjectionExtension.ext(item, add_if_missing=True).apply(
        code=":".join(authority) if authority else None,
        wkt2=None if authority else crs.to_wkt(),
        bbox=[left, bottom, right, top],
        shape=[stack.sizes["y"], stack.sizes["x"]],
        transform=[spacing, 0.0, left, 0.0, -spacing, top],
    )


def _add_sar(item: pystac.Item, stack: xr.Dataset) -> None:
    SarExtension.ext(item, add_if_missing=True).apply(
        # Where no granule is named: HyP3 takes no other mode than IW.
        instrument_mode=only(text_values(stack, "observation_mode")) or "IW",
        frequency_band=FrequencyBand(str(stack.attrs["radar_band"])),
        polarizations=[Polarization(text) for text in polarizations(stack)],
        product_type="INSAR" if "pair" in stack.sizes else "RTC",
        center_frequency=float(stack["radar_frequency"]) / 1e9,
        looks_range=_count(stack, "looks_range"),
        looks_azimuth=_count(stack, "looks_azimuth"),
        observation_direction=ObservationDirection(str(stack.attrs["antenna_pointing"])),
    )


def polarizations(stack: xr.Dataset) -> list[str]:
    """Return the polarizations of the layers."""
    if "pair" in stack.sizes:
        return sorted(set(text_values(stack, "polarization")))
    return [*backscatter_in(map(str, stack.data_vars)).values()]


def _count(stack: xr.Dataset, name: str) -> int | None:
    value = only(json_values(stack[name].values)) if name in stack else None
    return value if isinstance(value, int) else None


def _add_orbit(item: pystac.Item, stack: xr.Dataset) -> None:
    meanings = str(stack["pass_direction"].attrs["flag_meanings"]).split()
    direction = only(json_values(stack["pass_direction"].values))
    path = only(json_values(stack["orbit_relative"].values))
    orbit = only(json_values(stack["orbit_absolute"].values))
    if direction is None and path is None:
        return
    SatExtension.ext(item, add_if_missing=True).apply(
        orbit_state=None if direction is None else OrbitState(meanings[direction]),
        relative_orbit=path,
        absolute_orbit=orbit,
    )


def _add_address(item: pystac.Item, stack: xr.Dataset) -> None:
    """Add where the stack is published, if its maker has said so."""
    text = stack.attrs.get("product_data_access")
    if not text:
        return
    place = parse_data_access(str(text))
    if place.doi is not None:
        ScientificExtension.ext(item, add_if_missing=True).apply(doi=place.doi)
    else:
        item.add_link(pystac.Link("about", place.url, title="Where the stack is published"))


def insar_facts(stack: xr.Dataset) -> dict[str, Any]:
    """Return the fields of the extension ``insar`` that hold for all pairs of a stack.

    Dates and baselines are those of one pair; a network has them along its dimension ``pair``.
    """
    if "pair" not in stack.sizes:
        return {}
    facts: dict[str, Any] = {}
    source = only(text_values(stack, "dem_source"))
    if source is not None:
        dem = _DEM_NAMES.get(source.replace("-", "").replace("_", ""), source)
        facts |= {"insar:processing_dem": dem, "insar:geocoding_dem": dem}
    for side in ("reference", "secondary"):
        time = only(times(stack[f"{side}_time"].values))
        if time is not None:
            facts[f"insar:{side}_datetime"] = time
    if stack.sizes["pair"] == 1:
        for kind in ("perpendicular", "temporal"):
            value = json_values(stack[f"{kind}_baseline"].values)[0]
            if value is not None:
                facts[f"insar:{kind}_baseline"] = value
    return facts


def text_values(stack: xr.Dataset, name: str) -> list[str]:
    """Return the values of a text variable, without what is missing."""
    if name not in stack:
        return []
    return [str(text) for text in json_values(stack[name].values) if text is not None]


def times(values: NDArray[Any]) -> list[str]:
    """Return the times of a variable, without those that are missing."""
    return [iso(time) for time in np.ravel(values) if not np.isnat(time)]
