"""A track over an area: its scenes, what each date covers, and how it ranks among others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import shapely
from shapely.geometry.base import BaseGeometry

from ...grid.antimeridian import split
from ..jobs.job_footprints import scenes_outline
from .found_scenes import FoundScene
from .passes_of_tracks import TrackPasses
from .scene_layer import ASCENDING, DESCENDING, Scene
from .search_area import SearchArea

LEAST_COVER = 0.9
"""Share of what the best date covers, from which on a date is used."""
_NEGLIGIBLE = 1e-3
"""Share of the area that may be lost where fewer frames or bursts do as well."""
_SAME_FRAME = 0.5
"""Overlap from which on two frames of different dates show one ground, as ASF's own tool counts."""


@dataclass(frozen=True)
class DateCover:
    """What a pass covers."""

    day: date  # UTC day on which it began
    share: float  # of the area, 0 to 1
    missing: tuple[str, ...]  # frames or bursts of the track that it lacks


@dataclass(frozen=True)
class Track:
    """One path over the area, in the frames or bursts that a network would use."""

    # Those of all its scenes.
    path: int
    direction: str
    job_type: str
    polarization: str
    grounds: tuple[str, ...]  # its frames or bursts
    scenes: tuple[Scene, ...]  # in the order of time
    dates: tuple[DateCover, ...]  # in the same order
    common_cover: float  # share of the area that all dates cover that can be used
    superseded: tuple[str, ...]  # names of scenes that were processed again later

    @property
    def usable(self) -> tuple[DateCover, ...]:
        """Dates that a network can use, see :func:`usable_days`."""
        days = usable_days({item.day: item for item in self.dates}, self.job_type)
        return tuple(item for item in self.dates if item.day in days)

    @property
    def longest_gap(self) -> int:
        """Days of the longest time between two dates that can be used."""
        days = [item.day for item in self.usable]
        return max(((b - a).days for a, b in zip(days, days[1:], strict=False)), default=0)

    @property
    def rank(self) -> tuple[float, int, int, int]:
        """Sorts the track that covers most first, then that of most dates and shortest gaps."""
        cover = round(self.common_cover, 2)
        return -cover, -len(self.usable), self.longest_gap, self.path


def usable_days(dates: Mapping[date, DateCover], job_type: str) -> set[date]:
    """Return the days that a network can use.

    Those of multi-bursts have all bursts, because both sides of a pair need the same; those of
    others cover nearly as much of the area as the best one.
    """
    if job_type == "INSAR_ISCE_MULTI_BURST":
        return {day for day, item in dates.items() if not item.missing}
    best = max((item.share for item in dates.values()), default=0.0)
    return {day for day, item in dates.items() if item.share >= LEAST_COVER * best}


Grounds = dict[str, BaseGeometry]
"""Frames or bursts by name, on the plane of the area."""


def bursts_over(track: TrackPasses, area: SearchArea) -> tuple[str, ...]:
    """Return the ids of the bursts that it takes to cover as much of the area as all of them do."""
    newest = {scene.burst: scene for day in sorted(track.passes) for scene in track.passes[day]}
    return _needed({name: area.project_ring(scene.ring) for name, scene in newest.items()}, area)


def burst_track(
    track: TrackPasses, bursts: Sequence[str], area: SearchArea, job_type: str
) -> Track:
    """Return a track in some bursts."""
    chosen = {
        day: {scene.burst: scene for scene in scenes if scene.burst in bursts}
        for day, scenes in track.passes.items()
    }
    return _track(track, tuple(bursts), chosen, area, job_type)


def frame_track(track: TrackPasses, area: SearchArea, job_type: str) -> Track | None:
    """Return a track in frames, None where it does not see the area.

    Frames move along the path over the years, so those of the pass that covers most with the fewest
    frames say what the others are compared with.
    """
    planes = {
        scene.granule: area.project_ring(scene.ring)
        for scenes in track.passes.values()
        for scene in scenes
    }
    found = []
    for day, scenes in track.passes.items():
        names = _needed({scene.granule: planes[scene.granule] for scene in scenes}, area)
        share = area.share(shapely.union_all([planes[name] for name in names]))
        found.append((round(share, 2), -len(names), day, names))
    share, _, day, names = max(found)
    if share == 0:
        return None
    best = sorted((scene for scene in track.passes[day] if scene.granule in names), key=_begin)
    grounds = {
        f"{track.path:03d}_{number if scene.frame is None else f'{scene.frame:04d}'}": planes[
            scene.granule
        ]
        for number, scene in enumerate(best, start=1)
    }
    chosen = {day: _on_grounds(scenes, planes, grounds) for day, scenes in track.passes.items()}
    return _track(track, tuple(grounds), chosen, area, job_type)


def _begin(scene: FoundScene) -> tuple[str, str]:
    return scene.start.isoformat(), scene.granule


def _on_grounds(
    scenes: Sequence[FoundScene], planes: Mapping[str, BaseGeometry], grounds: Grounds
) -> dict[str, FoundScene]:
    """Return the frame of a pass that shows most of each ground."""
    best: dict[str, tuple[float, FoundScene]] = {}
    for scene in sorted(scenes, key=_begin):
        plane = planes[scene.granule]
        overlaps = {
            name: float(shapely.intersection(plane, ground).area / min(plane.area, ground.area))
            for name, ground in grounds.items()
            if plane.area
        }
        name = max(overlaps, key=lambda name: overlaps[name], default="")
        if name and overlaps[name] >= max(_SAME_FRAME, best.get(name, (0.0,))[0]):
            best[name] = overlaps[name], scene
    return {name: scene for name, (_, scene) in best.items()}


def _needed(grounds: Grounds, area: SearchArea) -> tuple[str, ...]:
    """Return the fewest frames or bursts that cover nearly as much of the area as all of them."""
    parts = {name: shapely.intersection(ground, area.plane) for name, ground in grounds.items()}
    kept = dict(sorted(parts.items(), key=lambda item: (item[1].area, item[0])))
    whole = shapely.union_all(list(kept.values())).area
    for name in list(kept):
        rest = [part for other, part in kept.items() if other != name]
        if whole - shapely.union_all(rest).area <= _NEGLIGIBLE * area.plane.area:
            del kept[name]
    return tuple(sorted(kept))


def _track(
    track: TrackPasses,
    grounds: tuple[str, ...],
    chosen: Mapping[date, Mapping[str, FoundScene]],
    area: SearchArea,
    job_type: str,
) -> Track:
    direction = ASCENDING if track.ascending else DESCENDING
    text = area.text()
    scenes: list[Scene] = []
    dates: dict[date, DateCover] = {}
    covered: dict[date, BaseGeometry] = {}
    for day in sorted(chosen):
        if not chosen[day]:
            continue
        planes = {name: area.project_ring(scene.ring) for name, scene in chosen[day].items()}
        covered[day] = shapely.union_all(list(planes.values()))
        share = round(area.share(covered[day]), 4)
        dates[day] = DateCover(day, share, tuple(name for name in grounds if name not in planes))
        scenes += [
            Scene(
                granule=scene.granule,
                job_type=job_type,
                day=day,
                start=scene.start,
                path=track.path,
                direction=direction,
                ground=name,
                polarization=scene.polarization,
                cover=round(area.share(planes[name]), 4),
                date_cover=share,
                area=text,
                orbit=scene.orbit,
                footprint=_footprint(scene.ring),
            )
            for name, scene in sorted(chosen[day].items())
        ]
    used = usable_days(dates, job_type)
    common = area.plane if used else shapely.Polygon()
    for day in sorted(used):
        common = shapely.intersection(common, covered[day])
    return Track(
        path=track.path,
        direction=direction,
        job_type=job_type,
        polarization=track.polarization,
        grounds=grounds,
        scenes=tuple(scenes),
        dates=tuple(dates.values()),
        common_cover=round(area.share(common), 4),
        superseded=track.superseded,
    )


def _footprint(ring: Sequence[tuple[float, float]]) -> BaseGeometry | None:
    outline = scenes_outline([ring])
    return None if outline is None else split(outline)
