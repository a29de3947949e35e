"""Path, direction and outline of scenes from the ASF catalog, in batches and cached."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
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
from .catalog_cache import SceneCache, SceneFacts, cache_folder

BATCH_SIZE = 250
BATCH_SECONDS = 120.0
_PATHS = range(1, 176)
LIMITS = AnswerLimits(total=64 << 20, answers=40)
"""Of one batch, which has about four pages."""
_METADATA_LEVEL = "METADATA"

Facts = TypeVar("Facts")


class CatalogPauseError(RetrievalError):
    """The catalog is out of reach for a reason that may pass."""


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
    """Ask the catalog for granules; return facts by granule name.

    Parameters
    ----------
    names
        At most ``BATCH_SIZE`` granule names.
    host
        See :func:`catalog_host`.
    read
        Makes the facts that are wanted of an ``asf_search`` product; entries that it cannot read
        count as unknown to the catalog.

    Raises
    ------
    RetrievalError
        If the catalog is out of reach.
    """
    import asf_search

    wanted = set(names)
    found = {}
    ask = partial(asf_search.granule_search, list(names))
    for product in _ask(ask, host, reporter):
        with suppress(*STRANGE):
            name = product.properties.get("sceneName")
            if name in wanted and not _is_metadata(product):
                found[str(name)] = read(product)
    return found


def search_scenes(
    criteria: Mapping[str, Any], host: str, reporter: Reporter, read: Callable[[Any], Facts]
) -> list[Facts]:
    """Ask the catalog for all scenes that fit.

    Parameters
    ----------
    criteria
        Keywords of ``asf_search.search``.
    host, reporter, read
        See :func:`search_granules`.

    Raises
    ------
    CatalogPauseError
        If the catalog is out of reach for a reason that may pass.
    RetrievalError
        If it is out of reach for another one.
    """
    import asf_search

    found = []
    for product in _ask(partial(asf_search.search, **criteria), host, reporter):
        with suppress(*STRANGE):
            if not _is_metadata(product):
                found.append(read(product))
    return found


def _is_metadata(product: Any) -> bool:
    return str(product.properties.get("processingLevel")).startswith(_METADATA_LEVEL)


def _ask(search: Callable[..., Iterable[Any]], host: str, reporter: Reporter) -> list[Any]:
    """Return the products that a search of ``asf_search`` finds."""
    import asf_search

    # A failed search would otherwise be reported to ASF without the user knowing.
    asf_search.REPORT_ERRORS = False
    session = asf_search.ASFSession()
    guard(session, limits=LIMITS)
    options = asf_search.ASFSearchOptions(host=host, session=session)
    try:
        return list(
            wait_for(
                lambda: search(opts=options), reporter, BATCH_SECONDS, f"The ASF catalog at {host}"
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


def _no_answer(host: str, error: BaseException) -> RetrievalError:
    """Return the sentence for an answer that asf_search could not read."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, requests.HTTPError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(error.__cause__, requests.Timeout):
        return _out_of_reach(host, error.__cause__)
    kind: type[RetrievalError] = RetrievalError
    if isinstance(cause, requests.HTTPError) and cause.response is not None:
        answer = cause.response
        said = judge(answer.headers.get("Content-Type", ""), answer.content)
        why = f"HTTP {answer.status_code}{said.quoted}"
        if may_pass(answer.status_code):
            kind = CatalogPauseError
        else:
            why += f"; {ELSEWHERE}"
    else:
        why = f"{type(error).__name__}: something on the way may answer in its place; {ELSEWHERE}"
    return kind(f"The ASF catalog at {host} is out of reach ({why}).")


def _out_of_reach(host: str, error: requests.RequestException) -> RetrievalError:
    return CatalogPauseError(f"The ASF catalog is out of reach: {unreachable(error, host)}")


class Catalog:
    """Looks scenes up, and goes on without them when the service is out of reach.

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
    number = product.properties.get("pathNumber")
    path = None if number is None else int(number)
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


def entry_attributes(product: Any) -> dict[str, Any]:
    """Return the additional attributes of the catalog's entry, as the catalog writes them."""
    return {
        item["Name"]: item["Values"][0]
        for item in product.umm.get("AdditionalAttributes") or ()
        if item.get("Values")
    }
