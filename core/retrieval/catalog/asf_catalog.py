"""Path, direction and outline of scenes from the ASF catalog, in batches and cached."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests

from ...errors import RetrievalError
from ...run.reporter import Reporter
from ..service.answers import judge
from ..service.connection import AnswerLimits, guard
from ..service.json_fields import STRANGE
from ..service.retries import wait_for
from ..service.service_failures import ELSEWHERE, may_pass, unreachable
from .scene_cache import SceneCache, SceneFacts, cache_folder

BATCH_SIZE = 250
BATCH_SECONDS = 120.0
_PATHS = range(1, 176)
LIMITS = AnswerLimits(total=64 << 20, answers=40)
"""Of one batch, which has about four pages."""
_METADATA_LEVEL = "METADATA"

Facts = TypeVar("Facts")


def catalog_host() -> str:
    """Return the host of the Common Metadata Repository; ``HYP3_STACK_CMR_URL`` overrides it."""
    from asf_search.constants import INTERNAL

    own = os.environ.get("HYP3_STACK_CMR_URL", "").strip()
    if not own:
        return str(INTERNAL.CMR_HOST)
    return urlsplit(own).netloc or own


def search_granules(
    names: Sequence[str], host: str, reporter: Reporter, read: Callable[[Any], Facts]
) -> dict[str, Facts]:
    """Ask the catalog for granules.

    Parameters
    ----------
    names
        At most ``BATCH_SIZE`` granule names.
    host
        See :func:`catalog_host`.
    reporter
        Asked whether to stop.
    read
        Makes the facts that are wanted of an ``asf_search`` product; entries that it cannot read
        count as unknown to the catalog.

    Returns
    -------
    dict
        Facts by granule name.

    Raises
    ------
    RetrievalError
        If the catalog is out of reach.
    Canceled
        If the user asked to stop.
    """
    import asf_search

    # A failed search would otherwise be reported to ASF without the user knowing.
    asf_search.REPORT_ERRORS = False
    session = asf_search.ASFSession()
    guard(session, limits=LIMITS)
    options = asf_search.ASFSearchOptions(host=host, session=session)
    try:
        results = list(
            wait_for(
                lambda: asf_search.granule_search(list(names), opts=options),
                reporter,
                BATCH_SECONDS,
                f"The ASF catalog at {host}",
            )
        )
    except (requests.HTTPError, requests.JSONDecodeError, asf_search.ASFSearchError) as error:
        raise _no_answer(host, error) from None
    except requests.RequestException as error:
        raise _out_of_reach(host, error) from None
    except STRANGE as error:
        # asf_search reads whatever JSON arrives as if it were the catalog's.
        raise _no_answer(host, error) from None
    finally:
        # A search that is left behind in its thread ends with its next request.
        session.close()
    wanted = set(names)
    found = {}
    for product in results:
        try:
            name, level = (
                product.properties.get("sceneName"),
                product.properties.get("processingLevel"),
            )
            if name in wanted and not str(level).startswith(_METADATA_LEVEL):
                found[str(name)] = read(product)
        except STRANGE:
            continue
    return found


def _no_answer(host: str, error: BaseException) -> RetrievalError:
    """Return the sentence for an answer that asf_search could not read."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, requests.HTTPError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(error.__cause__, requests.Timeout):
        return _out_of_reach(host, error.__cause__)
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        answer = cause.response
        said = judge(answer.headers.get("Content-Type", ""), answer.content)
        why = f"HTTP {answer.status_code}{said.quoted}"
        if not may_pass(answer.status_code):
            why += f"; {ELSEWHERE}"
    else:
        why = f"{type(error).__name__}: something on the way may answer in its place; {ELSEWHERE}"
    return RetrievalError(f"The ASF catalog at {host} is out of reach ({why}).")


def _out_of_reach(host: str, error: requests.RequestException) -> RetrievalError:
    return RetrievalError(f"The ASF catalog is out of reach: {unreachable(error, host)}")


class Catalog:
    """Looks scenes up, and goes on without them when the service is out of reach.

    Parameters
    ----------
    reporter
        Takes warnings; asked whether to stop.

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
            If the user asked to stop.
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
            return search_granules(names, self._host, self._reporter, _facts)
        except RetrievalError as error:
            self.reachable = False
            self._reporter.warning(
                f"{error} Footprints, and directions that are not in the names, are missing."
            )
            return {}


def _facts(product: Any) -> SceneFacts:
    direction = str(product.properties.get("flightDirection") or "").upper()
    told = product.properties.get("pathNumber")
    path = None if told is None else int(told)
    return SceneFacts(
        path=path if path in _PATHS else None,
        ascending={"ASCENDING": True, "DESCENDING": False}.get(direction),
        ring=outline(product),
    )


def outline(product: Any) -> tuple[tuple[float, float], ...]:
    """Return the outer ring of an ``asf_search`` product in degrees, empty where there is none."""
    rings = (product.geometry or {}).get("coordinates") or [[]]
    ring = tuple((float(lon), float(lat)) for lon, lat in rings[0])
    if not all(map(math.isfinite, chain.from_iterable(ring))):
        raise ValueError("an outline without end")
    return ring
