"""Pairs of a plan layer, which users may have edited, as jobs to be ordered."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from ...errors import InvalidParameterError
from ...products.granules import Granule, parse_granule
from ...run.parameters import shown
from ...run.vector_layer import Feature
from .job_requests import JOB_FORMS, JobForm, JobRequest, pair_request
from .pair_checks import check_bursts, check_frames

PLAN_COLUMNS = ("job_type", "reference", "secondary")
"""Columns of a plan layer that an order needs; ``rank`` counts where it is there."""
_LAST = float("inf")
_SHAPEFILE_TEXT = 254
"""Characters of the longest text in a Shapefile; no list of whole names has as many."""


def planned_requests(
    features: Sequence[Feature], options: Mapping[str, str | float | bool]
) -> list[JobRequest]:
    """Return the jobs of a plan, those of the lowest rank first, each once.

    Parameters
    ----------
    features
        Of the plan layer, see :data:`core.retrieval.ordering.plan_layer.PLAN_FIELDS`. What a pair
        consists of is taken from the names of its scenes alone.
    options
        Of the jobs, by the names of the service.

    Raises
    ------
    InvalidParameterError
        If a pair is not one that HyP3 can make; the message names it.
    """
    ranked = sorted(enumerate(features, start=1), key=lambda item: (_rank(item[1]), item[0]))
    requests: dict[str, JobRequest] = {}
    for number, feature in ranked:
        request = _request(number, feature, options)
        requests.setdefault(request.key, request)
    return list(requests.values())


def pair_label(request: JobRequest) -> str:
    """Return what to call a job in messages: its type and days."""
    scenes = [parse_granule(name) for name in request.granules]
    days = sorted({f"{scene.start:%Y-%m-%d}" for scene in scenes if scene.start})
    return f"{request.job_type} {' to '.join(days) or 'job'}"


def _rank(feature: Feature) -> float:
    try:
        rank = float(feature.text("rank"))
    except ValueError:
        return _LAST
    return _LAST if math.isnan(rank) else rank


def _request(
    number: int, feature: Feature, options: Mapping[str, str | float | bool]
) -> JobRequest:
    job_type = feature.text("job_type")
    texts = [feature.text(column) for column in PLAN_COLUMNS[1:]]
    if any(len(text) == _SHAPEFILE_TEXT for text in texts):
        raise InvalidParameterError(
            f"Pair {number} of INPUT has names that were cut after {_SHAPEFILE_TEXT} characters, "
            "as Shapefiles do; take the layer that Plan pairs has made, or save it as GeoPackage."
        )
    sides = list(map(_names, texts))
    try:
        request = pair_request(job_type, sides[0], sides[1], options)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"Pair {number} of INPUT cannot be ordered: {error}") from None
    form = JOB_FORMS[job_type]
    where = f"Pair {number} of INPUT ({pair_label(request)})"
    reference, secondary = (_scenes(where, names, form) for names in sides)
    (check_frames if form.frames else check_bursts)(where, reference, secondary)
    return request


def _names(text: str) -> list[str]:
    return [name for name in re.split(r"[,\s]+", text) if name]


def _scenes(where: str, names: Sequence[str], form: JobForm) -> list[Granule]:
    """Return what the names of one side say, or refuse them."""
    if not 1 <= len(names) <= form.most_scenes:
        most = "one scene" if form.most_scenes == 1 else f"1 to {form.most_scenes} bursts"
        raise InvalidParameterError(
            f"{where} has {len(names)} scenes on one side, but it has to be {most}; correct or "
            "delete it."
        )
    scenes = [parse_granule(name) for name in names]
    for scene in scenes:
        is_burst = scene.burst is not None
        if (
            scene.kind != "SLC"
            or scene.mode != "IW"
            or scene.start is None
            or is_burst is form.frames
        ):
            kind = "an IW SLC frame" if form.frames else "an IW burst"
            raise InvalidParameterError(
                f"{where} names {shown(scene.name)}, which is not the name of {kind} of "
                "Sentinel-1; correct or delete it."
            )
    if len(set(names)) < len(names):
        raise InvalidParameterError(f"{where} names a scene twice on one side; correct it.")
    return scenes
