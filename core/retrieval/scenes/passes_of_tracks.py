"""Scenes by track and pass: one polarization, and the newest of each that was processed twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ...products.granules import parse_granule
from ...selection.paths import Passage, is_at_node, paths_of_passages
from .found_scenes import FoundScene

_APART = timedelta(minutes=10)
"""Between two scenes of different passes; one pass over any area takes less."""


@dataclass(frozen=True)
class TrackPasses:
    """The scenes of one track."""

    # Relative orbit, and whether the satellite flew north.
    path: int
    ascending: bool
    polarization: str  # ``VV`` or ``HH``
    # Scenes by the UTC day on which their pass began, in order.
    passes: dict[date, list[FoundScene]]
    superseded: tuple[str, ...]  # names of scenes that were processed again later


def passes_of_tracks(scenes: Sequence[FoundScene]) -> list[TrackPasses]:
    """Sort scenes into tracks and passes, whatever their order.

    Parameters
    ----------
    scenes
        Around the ascending node, where the number of the path steps, one track has two of them.
    """
    ordered = sorted(scenes, key=lambda scene: (scene.start, scene.granule))
    passages = [
        Passage(scene.path, scene.start, is_at_node(*_place(scene), scene.ascending))
        for scene in ordered
    ]
    tracks: dict[tuple[int, bool], list[FoundScene]] = {}
    for scene, paths in zip(ordered, paths_of_passages(passages), strict=True):
        tracks.setdefault((paths[0], scene.ascending), []).append(scene)
    return [_track(path, ascending, tracks[path, ascending]) for path, ascending in sorted(tracks)]


def _place(scene: FoundScene) -> tuple[list[int], tuple[float, float] | None]:
    burst = parse_granule(scene.granule).burst
    latitudes = [latitude for _, latitude in scene.ring]
    return ([] if burst is None else [burst]), (
        (min(latitudes), max(latitudes)) if latitudes else None
    )


def _track(path: int, ascending: bool, scenes: list[FoundScene]) -> TrackPasses:
    counts = Counter(scene.polarization for scene in scenes)
    polarization = max(sorted(counts, reverse=True), key=lambda name: counts[name])
    newest: dict[tuple[date, str], FoundScene] = {}
    superseded = []
    for day, scene in _days([scene for scene in scenes if scene.polarization == polarization]):
        key = day, scene.burst or f"{parse_granule(scene.granule).platform} {scene.start}"
        other = newest.get(key)
        if other is not None:
            old, scene = sorted((other, scene), key=lambda one: (one.processed, one.granule))
            superseded.append(old.granule)
        newest[key] = scene
    passes: dict[date, list[FoundScene]] = {}
    for (day, _), scene in newest.items():
        passes.setdefault(day, []).append(scene)
    return TrackPasses(path, ascending, polarization, passes, tuple(superseded))


def _days(scenes: Sequence[FoundScene]) -> list[tuple[date, FoundScene]]:
    """Return each scene with the day on which its pass began; passes may last over midnight."""
    found = []
    for number, scene in enumerate(scenes):
        if number == 0 or scene.start - scenes[number - 1].start > _APART:
            begin = scene.start
        found.append((begin.date(), scene))
    return found
