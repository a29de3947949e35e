"""What the ASF catalog adds on source granules; asked only when the user wants it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import numpy as np
import shapely

from ...errors import RetrievalError
from ...grid.antimeridian import split, unwrap
from ...run.reporter import Reporter
from .asf_catalog import (
    BATCH_SIZE,
    catalog_host,
    entry_attributes,
    outline,
    search_granules,
)
from .catalog_cache import AnswerCache, cache_folder
from .state_vectors import Orbit

_FILE = "granules_2.sqlite"
"""The first one held times of state vectors that were cut to seconds."""


@dataclass(frozen=True)
class GranuleDetails:
    """Facts of a granule that are in neither names nor products; None where they are missing."""

    # UTC end of the acquisition, and time of ESA's processing.
    stop: datetime | None = None
    processed: datetime | None = None
    version: str | None = None  # version of ESA's processor
    platform: str | None = None  # ``S1A`` ..
    ascending: bool | None = None  # whether the satellite flew north
    url: str | None = None  # where the granule can be retrieved
    footprint: str | None = None  # outline as WKT, longitude first
    orbit: Orbit | None = None  # state vectors around the scene


Details = Mapping[str, GranuleDetails]


def look_up_granules(names: Iterable[str], reporter: Reporter) -> dict[str, GranuleDetails]:
    """Ask the catalog for granules not in the cache yet; one out of reach is a warning."""
    distinct = list(dict.fromkeys(names))
    host = catalog_host()
    cache = AnswerCache(cache_folder() / _FILE, host)
    known = cache.load(distinct)
    missing = [name for name in distinct if name not in known]
    if missing:
        reporter.info(f"Looking up {len(missing)} granules in the ASF catalog.")
    for begin in range(0, len(missing), BATCH_SIZE):
        part = missing[begin : begin + BATCH_SIZE]
        try:
            found = search_granules(part, host, reporter, _answer)
        except RetrievalError as error:
            reporter.warning(
                f"{error} The stack is made without what only the catalog knows of its sources."
            )
            break
        cache.store(found)
        known.update(found)
    return {name: _details(answer) for name, answer in known.items()}


def _answer(product: Any) -> dict[str, Any]:
    """Return what is kept of a catalog entry, as JSON knows it."""
    properties = product.properties
    orbit = Orbit.of_attributes(entry_attributes(product))
    answer = {
        "stop": properties.get("stopTime"),
        "processed": properties.get("processingDate"),
        "version": properties.get("pgeVersion"),
        "platform": properties.get("platform"),
        "direction": properties.get("flightDirection"),
        "url": properties.get("url"),
        "ring": outline(product),
        "orbit": None if orbit is None else orbit.to_json(),
    }
    # What cannot be used is not kept either.
    _details(answer)
    return answer


def _details(answer: Mapping[str, Any]) -> GranuleDetails:
    platform = str(answer.get("platform") or "")
    direction = str(answer.get("direction") or "").upper()
    ring = answer.get("ring") or []
    return GranuleDetails(
        stop=_time(answer.get("stop")),
        processed=_time(answer.get("processed")),
        version=str(answer.get("version") or "") or None,
        platform=f"S1{platform[-1].upper()}" if platform[-1:].upper() in list("ABCD") else None,
        ascending={"ASCENDING": True, "DESCENDING": False}.get(direction),
        url=str(answer.get("url") or "") or None,
        footprint=_wkt(ring),
        orbit=Orbit.of_json(answer.get("orbit")),
    )


def _wkt(ring: Sequence[Sequence[float]]) -> str | None:
    if len(ring) < 4:
        return None
    longitude, latitude = np.array(ring).T
    outline = split(shapely.Polygon(np.column_stack([unwrap(longitude), latitude])))
    return shapely.to_wkt(outline, rounding_precision=6, trim=False)


def _time(text: Any) -> datetime | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)
