"""Path, direction and outline of scenes from the ASF catalog, in batches and cached."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import requests

from ..errors import RetrievalError
from ..reporter import Reporter
from .connection import NoCredentials, TimeoutAdapter
from .patience import wait_for
from .scene_cache import SceneCache, SceneFacts, cache_folder

BATCH_SIZE = 250
BATCH_SECONDS = 120.0
_METADATA_LEVEL = "METADATA"


def catalog_host() -> str:
    """Return the host of the Common Metadata Repository; ``HYP3_STACK_CMR_URL`` overrides it."""
    from asf_search.constants import INTERNAL

    own = os.environ.get("HYP3_STACK_CMR_URL", "").strip()
    if not own:
        return str(INTERNAL.CMR_HOST)
    return urlsplit(own).netloc or own


def search_granules(names: Sequence[str], host: str, reporter: Reporter) -> list[Any]:
    """Ask the catalog for granules.

    Parameters
    ----------
    names
        At most ``BATCH_SIZE`` granule names.
    host
        See :func:`catalog_host`.
    reporter
        Asked whether to stop.

    Returns
    -------
    list
        ``asf_search`` products, several for some granules.

    Raises
    ------
    RetrievalError
        If the catalog is out of reach.
    Canceled
        The user asked to stop.
    """
    import asf_search

    # A failed search would otherwise be reported to ASF without the user knowing.
    asf_search.REPORT_ERRORS = False
    session = asf_search.ASFSession()
    session.auth = NoCredentials()
    session.mount("https://", TimeoutAdapter(max_retries=0))
    options = asf_search.ASFSearchOptions(host=host, session=session)
    try:
        return list(
            wait_for(
                lambda: asf_search.granule_search(list(names), opts=options),
                reporter,
                BATCH_SECONDS,
                "The ASF catalog",
            )
        )
    except (
        asf_search.ASFSearchError,
        requests.RequestException,
        RetrievalError,
        # asf_search reads the error page of a proxy as if it were the catalog's.
        KeyError,
        ValueError,
    ) as error:
        raise RetrievalError(
            f"The ASF catalog at {host} is out of reach ({type(error).__name__})."
        ) from error


class Catalog:
    """Looks scenes up, and goes on without them when the service is out of reach.

    Parameters
    ----------
    reporter
        Told what happens; asked whether to stop.

    Attributes
    ----------
    reachable : bool
        False after a failed request; nothing is asked any more then.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._host = catalog_host()
        self._cache = SceneCache(cache_folder(), self._host)
        self.reachable = True

    def look_up(self, names: Iterable[str]) -> dict[str, SceneFacts]:
        """Return the facts of all scenes that the cache or the catalog knows.

        Parameters
        ----------
        names
            Granule names; each is asked for once.

        Raises
        ------
        Canceled
            The user asked to stop.
        """
        distinct = list(dict.fromkeys(names))
        known = self._cache.load(distinct)
        missing = [name for name in distinct if name not in known]
        if missing and self.reachable:
            self._reporter.info(f"Looking up {len(missing)} scenes in the ASF catalog.")
        for begin in range(0, len(missing), BATCH_SIZE):
            if not self.reachable:
                break
            found = self._ask(missing[begin : begin + BATCH_SIZE])
            self._cache.store(found)
            known.update(found)
        return known

    def _ask(self, names: Sequence[str]) -> dict[str, SceneFacts]:
        try:
            results = search_granules(names, self._host, self._reporter)
        except RetrievalError as error:
            self.reachable = False
            self._reporter.warning(
                f"{error} Footprints, and directions that the names do not tell, are missing."
            )
            return {}
        wanted = set(names)
        return {
            product.properties["sceneName"]: _facts(product)
            for product in results
            if product.properties.get("sceneName") in wanted
            and not str(product.properties.get("processingLevel")).startswith(_METADATA_LEVEL)
        }


def _facts(product: Any) -> SceneFacts:
    direction = str(product.properties.get("flightDirection") or "").upper()
    path = product.properties.get("pathNumber")
    rings = (product.geometry or {}).get("coordinates") or [[]]
    return SceneFacts(
        path=None if path is None else int(path),
        ascending={"ASCENDING": True, "DESCENDING": False}.get(direction),
        ring=tuple((float(lon), float(lat)) for lon, lat in rings[0]),
    )
