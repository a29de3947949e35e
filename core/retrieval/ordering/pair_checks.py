"""Whether HyP3 can make a product of a pair, also where it would take the order and fail later.

HyP3 takes credits for pairs whose bursts do not lie together, and while the catalog is out of order
it checks no scene at all (its API, version 10.17), so everything is checked here first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import shapely

from ...errors import InvalidParameterError, RetrievalError
from ...grid.antimeridian import split
from ...products.granules import Granule, parse_granule
from ...run.reporter import Reporter
from ...selection.paths import Passage, is_at_node, paths_of_passages
from ..catalog.asf_catalog import Catalog
from ..catalog.catalog_cache import SceneFacts
from ..jobs.job_footprints import scenes_outline
from ..scenes.burst_sets import are_contiguous, burst_of
from .job_requests import JOB_FORMS, JobRequest

LONGEST_PASS = timedelta(minutes=2)
"""Between the first and the last burst of one side."""
_CO_POLARIZED = ("VV", "HH")
_NAMES_SHOWN = 3


def check_frames(where: str, reference: Sequence[Granule], secondary: Sequence[Granule]) -> None:
    """Check two frames by their names.

    Parameters
    ----------
    where
        What to call the pair.
    reference, secondary
        One frame each.

    Raises
    ------
    InvalidParameterError
        If they cannot make an interferogram.
    """
    _check_order(where, reference, secondary)
    shared = set(reference[0].polarizations) & set(secondary[0].polarizations)
    if not shared & set(_CO_POLARIZED):
        raise InvalidParameterError(
            f"{where} has no polarization VV or HH in both frames; delete it."
        )


def check_bursts(where: str, reference: Sequence[Granule], secondary: Sequence[Granule]) -> None:
    """Check bursts by their names; see :func:`check_frames`."""
    _check_order(where, reference, secondary)
    polarizations = {scene.polarizations[0] for scene in (*reference, *secondary)}
    if len(polarizations) > 1 or not polarizations <= set(_CO_POLARIZED):
        raise InvalidParameterError(
            f"{where} has the polarizations {', '.join(sorted(polarizations))}, but a pair is made "
            "of VV alone or HH alone; correct or delete it."
        )
    if _ground(reference) != _ground(secondary):
        raise InvalidParameterError(
            f"{where} has other bursts in its reference than in its secondary; give both the same."
        )
    if len(_ground(reference)) < len(reference):
        raise InvalidParameterError(
            f"{where} has two scenes of one burst on one side; keep the newer one."
        )
    for side in (reference, secondary):
        starts = [scene.start for scene in side if scene.start is not None]
        if max(starts) - min(starts) > LONGEST_PASS:
            raise InvalidParameterError(
                f"{where} has bursts of more than one pass on one side; correct or delete it."
            )
    if not are_contiguous(map(burst_of, reference)):
        raise InvalidParameterError(
            f"{where} has bursts that do not lie together, for which HyP3 takes the credits and "
            "makes no product; choose consecutive bursts in each swath, beginning and ending at "
            "most one apart in neighboring swaths."
        )


def check_ground(requests: Sequence[JobRequest], reporter: Reporter) -> None:
    """Check by the catalog that scenes exist, and that those of a pair see one ground.

    Raises
    ------
    RetrievalError
        If the catalog does not answer.
    InvalidParameterError
        If a pair cannot make a product.
    """
    catalog = Catalog(reporter)
    names = list(dict.fromkeys(name for request in requests for name in request.granules))
    facts = catalog.look_up(names)
    missing = [name for name in names if name not in facts]
    if missing and not catalog.reachable:
        raise RetrievalError(
            "Nothing is ordered while the ASF catalog is out of reach, because neither HyP3 nor "
            f"this program can check that the {len(missing)} scenes exist; try again later."
        )
    if missing:
        shown = ", ".join(missing[:_NAMES_SHOWN])
        more = f" and {len(missing) - _NAMES_SHOWN} more" if len(missing) > _NAMES_SHOWN else ""
        raise InvalidParameterError(
            f"The ASF catalog does not have some scenes of the order ({shown}{more}), perhaps "
            "because they were processed anew; search and plan again."
        )
    for request in requests:
        form = JOB_FORMS.get(request.job_type)
        if form is None:
            continue
        if form.frames:
            _check_frames_on_ground(request, facts)
        elif any(_is_across(facts[name]) for name in request.granules):
            raise InvalidParameterError(
                f"The burst {request.granules[0]} lies across the antimeridian, where HyP3 makes "
                "no pairs of bursts; delete its pairs, or order frames."
            )


def _check_order(where: str, reference: Sequence[Granule], secondary: Sequence[Granule]) -> None:
    last = max(scene.start for scene in reference if scene.start is not None)
    first = min(scene.start for scene in secondary if scene.start is not None)
    if last >= first:
        raise InvalidParameterError(
            f"{where} has a reference of {last:%Y-%m-%d} and a secondary of {first:%Y-%m-%d}, but "
            "the reference has to be the earlier one; swap them, or delete the pair."
        )


def _ground(scenes: Sequence[Granule]) -> set[tuple[int | None, str | None]]:
    return {(scene.burst, scene.swath) for scene in scenes}


def _check_frames_on_ground(request: JobRequest, facts: Mapping[str, SceneFacts]) -> None:
    scenes = [parse_granule(name) for name in request.granules]
    known = [facts[scene.name] for scene in scenes]
    first, second = paths_of_passages(
        [
            Passage(
                scene.path or fact.path,
                scene.start,
                is_at_node([], _latitudes(fact), fact.ascending),
            )
            for scene, fact in zip(scenes, known, strict=True)
        ]
    )
    pair = f"{request.granules[0]} and {request.granules[1]}"
    if first and second and not set(first) & set(second):
        raise InvalidParameterError(
            f"The frames {pair} are of the paths {first[0]} and {second[0]}, but a pair is made on "
            "one path; take it out of the plan."
        )
    outlines = [scenes_outline([fact.ring]) for fact in known]
    areas = [split(outline) for outline in outlines if outline is not None]
    if len(areas) == 2 and shapely.intersection(*areas).area == 0.0:
        raise InvalidParameterError(
            f"The frames {pair} do not overlap, so there is no pair of them; take it out of the "
            "plan."
        )


def _latitudes(fact: SceneFacts) -> tuple[float, float] | None:
    latitudes = [latitude for _, latitude in fact.ring]
    return (min(latitudes), max(latitudes)) if latitudes else None


def _is_across(fact: SceneFacts) -> bool:
    longitudes = [longitude for longitude, _ in fact.ring]
    return bool(longitudes) and max(longitudes) - min(longitudes) > 180.0
