"""The tracks over an area, ranked, in frames or bursts by its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...errors import InvalidParameterError, NoProductsError
from ...run.reporter import Reporter
from ...selection.paths import neighbors
from ..service.retries import RetryPolicy
from .burst_sets import contiguous_superset
from .found_scenes import PATIENCE, FoundScene, Period, SceneSearch
from .passes_of_tracks import TrackPasses, passes_of_tracks
from .scene_layer import ASCENDING, DESCENDING
from .search_area import SearchArea
from .track import Track, burst_track, bursts_over, frame_track

AUTO = "auto"
FRAMES, MULTI_BURST = "INSAR_GAMMA", "INSAR_ISCE_MULTI_BURST"
MOST_BURSTS = 15
"""Of a multi-burst job."""
_MOST_BURST_AREA = 60_000e6
"""Square meters; 15 bursts cover 25,000 square kilometers at most, so larger areas need frames."""


@dataclass(frozen=True)
class TrackChoice:
    """Which tracks are wanted, and for which jobs."""

    job_type: str = AUTO  # ``auto``, or one that makes pairs
    paths: frozenset[int] = frozenset()  # relative orbits; empty for all
    direction: str = "any"  # ``any``, ``ascending`` or ``descending``

    def takes(self, track: TrackPasses) -> bool:
        """Return whether a track is wanted; at the node, either of its numbers does."""
        names = {track.path}
        if any(scene.path != track.path for held in track.passes.values() for scene in held):
            names.add(neighbors(track.path)[1])
        is_direction = self.direction in ("any", _direction(track.ascending))
        return is_direction and (not self.paths or bool(names & self.paths))


def search_tracks(
    area: SearchArea,
    period: Period,
    choice: TrackChoice,
    reporter: Reporter,
    policy: RetryPolicy = PATIENCE,
) -> list[Track]:
    """Search the catalog for the tracks over an area, the best one first.

    Raises
    ------
    InvalidParameterError
        If the area needs more bursts than a job takes, though bursts are wanted.
    NoProductsError
        If there is no scene.
    RetrievalError
        If the catalog stays out of reach.
    """
    search = SceneSearch(period, reporter, policy)
    made: list[Track] = []
    if choice.job_type != FRAMES and (
        choice.job_type != AUTO or area.plane.area <= _MOST_BURST_AREA
    ):
        made = _burst_tracks(search, area, choice, reporter)
    if not made and choice.job_type in (AUTO, FRAMES):
        reporter.info("Searching the ASF catalog for frames over the area.")
        tracks = _wanted(search.frames(area), choice)
        made = [item for item in (frame_track(one, area, FRAMES) for one in tracks) if item]
    if not made:
        raise NoProductsError(
            "The ASF catalog has no IW SLC scene of Sentinel-1 over the area between "
            f"{period[0]} and {period[1]}; change the period, or check the area and its CRS."
        )
    return sorted(made, key=lambda track: track.rank)


def _burst_tracks(
    search: SceneSearch, area: SearchArea, choice: TrackChoice, reporter: Reporter
) -> list[Track]:
    """Return the tracks in bursts; none where frames have to do, if the job type is left open."""
    is_open = choice.job_type == AUTO
    job_type = MULTI_BURST if is_open else choice.job_type
    reporter.info("Searching the ASF catalog for bursts over the area.")
    tracks = _wanted(search.bursts(area), choice)
    made: list[Track] = []
    refused: list[str] = []
    most_refused = 0.0
    for track in tracks:
        bursts = bursts_over(track, area)
        if job_type == MULTI_BURST and bursts:
            bursts = contiguous_superset(bursts)
        reason = _refusal(track, bursts, job_type)
        if reason:
            refused.append(f"path {track.path}, {_direction(track.ascending)}: {reason}")
            seen = burst_track(track, bursts, area, job_type)
            most_refused = max([most_refused, *(item.share for item in seen.dates)])
        elif bursts:
            full = _with_missing(search, track, bursts)
            made.append(burst_track(full, bursts, area, job_type))
    if refused and not made and not is_open:
        raise InvalidParameterError(
            f"HyP3 cannot pair the bursts over the area ({'; '.join(refused)}); give a smaller "
            f"one, or JOB_TYPE={FRAMES}."
        )
    for reason in refused:
        reporter.info(f"Not in bursts, {reason}.")
    if is_open and most_refused > max((track.common_cover for track in made), default=0.0):
        return []
    return made


def _refusal(track: TrackPasses, bursts: Sequence[str], job_type: str) -> str:
    """Return why HyP3 would not pair the bursts of a track, or nothing."""
    if any(_is_across(scene) for scenes in track.passes.values() for scene in scenes):
        return "HyP3 does not pair bursts across the antimeridian"
    if job_type == MULTI_BURST and len(bursts) > MOST_BURSTS:
        return f"the area needs {len(bursts)} bursts, but a job takes {MOST_BURSTS} at most"
    return ""


def _with_missing(search: SceneSearch, track: TrackPasses, bursts: Sequence[str]) -> TrackPasses:
    """Return a track with the bursts beside the area that the others can only be joined by."""
    held = [scene for scenes in track.passes.values() for scene in scenes]
    missing = sorted(set(bursts) - {scene.burst for scene in held})
    if not missing:
        return track
    more = search.named_bursts(missing, track.polarization)
    for other in passes_of_tracks([*held, *more]):
        if (other.path, other.ascending) == (track.path, track.ascending):
            return replace(other, superseded=(*track.superseded, *other.superseded))
    return track


def _is_across(scene: FoundScene) -> bool:
    longitudes = [longitude for longitude, _ in scene.ring]
    return bool(longitudes) and max(longitudes) - min(longitudes) > 180


def _direction(ascending: bool) -> str:
    return ASCENDING if ascending else DESCENDING


def _wanted(scenes: Sequence[FoundScene], choice: TrackChoice) -> list[TrackPasses]:
    """Return the tracks that were asked for.

    Raises
    ------
    NoProductsError
        If there is none; the message names those that there are.
    """
    tracks = passes_of_tracks(scenes)
    wanted = [track for track in tracks if choice.takes(track)]
    if tracks and not wanted:
        there = ", ".join(f"{one.path} {_direction(one.ascending)}" for one in tracks)
        raise NoProductsError(
            f"No track over the area fits PATHS and DIRECTION; there are: {there}."
        )
    return wanted
