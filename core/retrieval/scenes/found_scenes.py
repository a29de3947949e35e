"""Scenes over an area in a period, from the ASF catalog, part by part and cached."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any

from ...products.granules import parse_granule
from ...run.reporter import Reporter, stop_if_canceled
from ..catalog.asf_catalog import (
    CatalogPauseError,
    catalog_host,
    entry_attributes,
    outline,
    search_scenes,
)
from ..catalog.catalog_cache import AnswerCache, cache_folder
from ..catalog.state_vectors import Orbit
from ..service.retries import POLL_SECONDS, RetryPolicy
from .search_area import SearchArea

FIRST_DAY = date(2014, 10, 3)
"""Sentinel-1A's first regular acquisitions."""
_FILE = "searches.sqlite"
_SETTLED_DAYS = 45
"""Scenes appear within days; after this the answer for a period is kept."""
PATIENCE = RetryPolicy(attempts=5, first_delay=10.0, longest_delay=120.0)
"""Of an outage of the catalog; ``asf_search`` itself has asked three times before each pause."""
_MODE = {"beamMode": "IW"}
_FRAMES = {"dataset": "SENTINEL-1", "processingLevel": "SLC", **_MODE}
_BURSTS = {"dataset": "SLC-BURST", **_MODE}


@dataclass(frozen=True)
class FoundScene:
    """A frame or burst as the catalog describes it."""

    granule: str  # its name
    start: datetime  # UTC start
    processed: str  # time of processing, ISO 8601; of two that are alike, the later one is taken
    # Relative orbit, and whether the satellite flew north.
    path: int
    ascending: bool
    burst: str  # full id of a burst, such as ``087_186245_IW2``; empty for a frame
    frame: int | None  # ASF's number of a frame along the path; None for a burst
    polarization: str  # ``VV`` or ``HH``
    ring: tuple[tuple[float, float], ...]  # outline, longitude first
    orbit: Orbit | None  # state vectors; None where the catalog has none


Period = tuple[date, date]
"""First and last UTC day, both inclusive."""


class SceneSearch:
    """Searches of one run.

    Parameters
    ----------
    period
        First and last UTC day, both inclusive.
    policy
        How patiently an outage of the catalog is waited for.

    Raises
    ------
    RetrievalError
        Of each search: if the catalog stays out of reach. What it has answered for whole parts of
        the period is kept for the next run.
    """

    def __init__(self, period: Period, reporter: Reporter, policy: RetryPolicy = PATIENCE) -> None:
        self._period = period
        self._reporter = reporter
        self._policy = policy
        self._host = catalog_host()
        self._cache = AnswerCache(cache_folder() / _FILE, self._host)

    def frames(self, area: SearchArea) -> list[FoundScene]:
        """Return all frames over an area."""
        return self._find([{**_FRAMES, "intersectsWith": text} for text in area.queries])

    def bursts(self, area: SearchArea) -> list[FoundScene]:
        """Return all bursts over an area: VV, or HH where there is no VV."""
        for polarization in ("VV", "HH"):
            criteria = {**_BURSTS, "polarization": polarization}
            found = self._find([{**criteria, "intersectsWith": text} for text in area.queries])
            if found:
                break
        return found

    def named_bursts(self, ids: list[str], polarization: str) -> list[FoundScene]:
        """Return all bursts of some full ids."""
        return self._find(
            [{**_BURSTS, "polarization": polarization, "fullBurstID": name} for name in ids]
        )

    def _find(self, searches: list[dict[str, str]]) -> list[FoundScene]:
        found: dict[str, FoundScene] = {}
        parts = [(each, *part) for each in searches for part in _parts(*self._period)]
        for number, part in enumerate(parts):
            self._reporter.progress(100.0 * number / len(parts))
            found.update({scene.granule: scene for scene in self._part(*part)})
        return list(found.values())

    def _part(self, criteria: Mapping[str, str], first: date, last: date) -> Iterator[FoundScene]:
        text = json.dumps([sorted(criteria.items()), str(first), str(last)])
        key = hashlib.sha256(text.encode()).hexdigest()
        known = self._cache.load([key])
        if key in known:
            records = known[key]["scenes"]
        else:
            records = self._ask(
                {**criteria, "start": f"{first}T00:00:00Z", "end": f"{last}T23:59:59Z"}
            )
            today = datetime.now(timezone.utc).date()
            if last < today - timedelta(days=_SETTLED_DAYS):
                self._cache.store({key: {"scenes": records}})
        return map(_scene, records)

    def _ask(self, criteria: Mapping[str, Any]) -> list[dict[str, Any]]:
        for failures in range(1, self._policy.attempts + 1):
            try:
                return search_scenes(criteria, self._host, self._reporter, _record)
            except CatalogPauseError as error:
                if failures == self._policy.attempts:
                    raise
                pause = self._policy.delay(failures)
                self._reporter.warning(f"{error} Asking again in {pause:.0f} seconds.")
                self._wait(pause)
        raise AssertionError("no attempt was made")

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            stop_if_canceled(self._reporter)
            time.sleep(min(POLL_SECONDS, seconds))


def _parts(start: date, end: date) -> Iterator[Period]:
    """Cut a period into half years: an answer of the catalog is bounded, and each is cached."""
    first = start
    while first <= end:
        following = date(first.year, 7, 1) if first.month < 7 else date(first.year + 1, 1, 1)
        yield first, min(end, following - timedelta(days=1))
        first = following


def _record(product: Any) -> dict[str, Any]:
    """Return what is kept of a catalog entry, as JSON knows it."""
    properties = product.properties
    orbit = Orbit.of_attributes(entry_attributes(product))
    record = {
        "granule": str(properties["sceneName"]),
        "start": str(properties["startTime"]),
        "processed": str(properties.get("processingDate") or ""),
        "path": int(properties["pathNumber"]),
        "direction": str(properties["flightDirection"]).upper(),
        "burst": str((properties.get("burst") or {}).get("fullBurstID") or ""),
        "frame": properties.get("frameNumber"),
        "polarization": str(properties["polarization"]).upper().partition("+")[0],
        "ring": outline(product),
        "orbit": None if orbit is None else orbit.to_json(),
    }
    # What cannot be used is not kept either.
    _scene(record)
    return record


def _scene(record: Mapping[str, Any]) -> FoundScene:
    """Return a scene of its record.

    Raises
    ------
    ValueError
        If the granule is not one of Sentinel-1, or its entry lacks what a network needs.
    """
    name = record["granule"]
    if parse_granule(name).kind != "SLC":
        raise ValueError(f"{name} is not an SLC of Sentinel-1")
    start = datetime.fromisoformat(record["start"])
    frame = record["frame"]
    return FoundScene(
        granule=name,
        start=start.astimezone(timezone.utc),
        processed=record["processed"],
        path=record["path"],
        ascending={"ASCENDING": True, "DESCENDING": False}[record["direction"]],
        burst=record["burst"],
        frame=None if frame is None else int(frame),
        polarization=record["polarization"],
        ring=tuple((float(lon), float(lat)) for lon, lat in record["ring"]),
        orbit=Orbit.of_json(record["orbit"]),
    )
