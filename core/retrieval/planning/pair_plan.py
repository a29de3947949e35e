"""From scenes to the pairs of one network for each ground, priced and ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import shapely

from ...errors import InvalidParameterError, NoProductsError, RetrievalError
from ..catalog.state_vectors import Vector
from ..ordering.job_requests import JOB_FORMS, pair_request
from ..ordering.plan_layer import PlannedPair
from ..ordering.prices import Prices
from ..scenes.burst_sets import are_contiguous
from ..scenes.scene_layer import Scene
from ..scenes.search_area import SearchArea
from .date_baselines import ground_point, perpendicular_baselines
from .pair_rules import BRIDGE, PairRules, PlannedNetwork

ALL_MONTHS = frozenset(range(1, 13))
_SHOWN = 10
"""Names that a message shows."""


@dataclass(frozen=True)
class PlanOptions:
    """What is planned."""

    rules: PairRules = PairRules()  # of each network
    months: frozenset[int] = ALL_MONTHS  # months of the dates that are used, 1 to 12
    # Tracks that are planned; empty for the one that covers most.
    paths: frozenset[int] = frozenset()
    least_cover: float = 0.9  # share of what the best date covers, from which on a date is used


@dataclass(frozen=True)
class Stack:
    """Scenes of one ground by date: what one network is planned for."""

    # Those of all its scenes.
    job_type: str
    path: int
    direction: str
    ground: str  # the frame or burst, or how many bursts
    # Scenes by UTC day, in order; those of a multi-burst in the order of its bursts.
    passes: Mapping[date, tuple[Scene, ...]]

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"path {self.path}{f', {self.direction}' if self.direction else ''}, {self.ground}"


@dataclass(frozen=True)
class StackPlan:
    """A stack and its network."""

    stack: Stack
    network: PlannedNetwork

    @property
    def unknown(self) -> int:
        """Number of dates whose baselines are not known."""
        return int(np.isnan(np.diagonal(self.network.baselines)).sum())


@dataclass
class PairPlan:
    """Everything that was planned."""

    stacks: list[StackPlan] = field(default_factory=list)  # networks of each stack
    # Of all networks, those to be ordered first at the beginning.
    pairs: list[PlannedPair] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # sentences on what was not used, and why

    @property
    def credits(self) -> float | None:
        """Price of all pairs, None where the prices are not known."""
        prices = [pair.credits for pair in self.pairs]
        return None if None in prices else sum(price for price in prices if price is not None)

    @property
    def open_pairs(self) -> list[PlannedPair]:
        """Pairs that no triangle checks."""
        return [pair for pair in self.pairs if pair.triangles == 0]

    @property
    def date_count(self) -> int:
        """Number of dates of all networks."""
        return sum(len(item.network.days) for item in self.stacks)


def plan_pairs(scenes: Sequence[Scene], options: PlanOptions, prices: Prices | None) -> PairPlan:
    """Plan the pairs of scenes; the same scenes give the same plan, whatever their order.

    Parameters
    ----------
    scenes
        Of one or more tracks.
    prices
        Of the service; None where they are not known.

    Raises
    ------
    InvalidParameterError
        If scenes cannot make a network, or options do not fit them.
    NoProductsError
        If no dates are left.
    """
    plan = PairPlan()
    ranked = []
    for stack in _stacks(scenes, options, plan.left_out):
        days = list(stack.passes)
        orbits = [[scene.orbit for scene in held] for held in stack.passes.values()]
        baselines = perpendicular_baselines(orbits, _target(stack))
        network = PlannedNetwork(days, baselines, options.rules)
        plan.stacks.append(StackPlan(stack, network))
        ranked += [(stack, network, pair) for pair in network.pairs]
    ranked.sort(key=_first_ordered)
    plan.pairs = [
        _planned(stack, network, pair, rank, prices)
        for rank, (stack, network, pair) in enumerate(ranked, start=1)
    ]
    return plan


def _first_ordered(
    item: tuple[Stack, PlannedNetwork, tuple[int, int]],
) -> tuple[bool, int, int, int, str]:
    """Sort bridges first, then the newest: the first jobs of an order run first."""
    stack, network, (first, second) = item
    return (
        network.rule_of[first, second] != BRIDGE,
        -network.days[second].toordinal(),
        -network.days[first].toordinal(),
        stack.path,
        stack.ground,
    )


def _planned(
    stack: Stack, network: PlannedNetwork, pair: tuple[int, int], rank: int, prices: Prices | None
) -> PlannedPair:
    first, second = (network.days[position] for position in pair)
    sides = [tuple(scene.granule for scene in stack.passes[day]) for day in (first, second)]
    baseline = float(network.baselines[pair])
    return PlannedPair(
        job_type=stack.job_type,
        reference=sides[0],
        secondary=sides[1],
        reference_date=first,
        secondary_date=second,
        perpendicular_baseline=None if np.isnan(baseline) else baseline,
        path=stack.path,
        direction=stack.direction,
        rule=network.rule_of[pair],
        rank=rank,
        triangles=network.triangle_counts[pair],
        credits=None if prices is None else job_price(prices, stack.job_type, sides[0]),
    )


def job_price(prices: Prices, job_type: str, names: Sequence[str]) -> float | None:
    """Return the price of a pair with the default options; None where the service has none."""
    try:
        return prices.of(job_type, pair_request(job_type, names, names, {}).parameters)
    except RetrievalError:
        return None


def _stacks(scenes: Sequence[Scene], options: PlanOptions, left_out: list[str]) -> list[Stack]:
    tracks: dict[tuple[int, str, str], list[Scene]] = {}
    for scene in scenes:
        if scene.job_type not in JOB_FORMS:
            raise InvalidParameterError(
                f"The scene {scene.granule} of INPUT has the job type {scene.job_type}, but pairs "
                f"are made by: {', '.join(JOB_FORMS)}."
            )
        tracks.setdefault((scene.path, scene.direction, scene.job_type), []).append(scene)
    chosen = _chosen_tracks(tracks, options.paths, left_out)
    stacks = []
    for path, direction, job_type in chosen:
        held = sorted(tracks[path, direction, job_type], key=lambda scene: scene.granule)
        days = _days(held, options, left_out)
        form = JOB_FORMS[job_type]
        if form.most_scenes > 1:
            stacks.append(_burst_stack(path, direction, job_type, days, left_out))
        else:
            for ground in sorted({scene.ground for scenes in days.values() for scene in scenes}):
                passes = {
                    day: tuple(scene for scene in scenes if scene.ground == ground)[-1:]
                    for day, scenes in sorted(days.items())
                }
                passes = {day: scenes for day, scenes in passes.items() if scenes}
                stacks.append(Stack(job_type, path, direction, ground or "one frame", passes))
    return [stack for stack in stacks if _is_long_enough(stack, left_out, len(stacks))]


def _is_long_enough(stack: Stack, left_out: list[str], count: int) -> bool:
    """Return whether a stack has a pair; a single one that has none is refused by its network."""
    if len(stack.passes) > 1 or count == 1:
        return True
    left_out.append(f"{stack.label}: it has one date only")
    return False


def _chosen_tracks(
    tracks: Mapping[tuple[int, str, str], Sequence[Scene]],
    paths: frozenset[int],
    left_out: list[str],
) -> list[tuple[int, str, str]]:
    """Return the tracks of some paths, or the one that covers most, then that of most dates."""
    if paths:
        chosen = sorted(track for track in tracks if track[0] in paths)
        missing = sorted(paths - {track[0] for track in chosen})
        if missing:
            there = ", ".join(map(str, sorted({track[0] for track in tracks})))
            raise InvalidParameterError(
                f"PATHS names {', '.join(map(str, missing))}, but INPUT has scenes of: {there}."
            )
        return chosen

    def rank(track: tuple[int, str, str]) -> tuple[float, int, tuple[int, str, str]]:
        cover = max((scene.date_cover or 0.0 for scene in tracks[track]), default=0.0)
        return -round(cover, 2), -len({scene.day for scene in tracks[track]}), track

    best, *others = sorted(tracks, key=rank)
    left_out += [
        f"path {path}, {direction}: only one track is planned unless PATHS names more"
        for path, direction, _ in others
    ]
    return [best]


def _days(
    scenes: Sequence[Scene], options: PlanOptions, left_out: list[str]
) -> dict[date, list[Scene]]:
    """Return the scenes of the dates that fit season and cover."""
    days: dict[date, list[Scene]] = {}
    for scene in scenes:
        days.setdefault(scene.day, []).append(scene)
    label = f"path {scenes[0].path}"
    off_season = sorted(day for day in days if day.month not in options.months)
    if off_season:
        left_out.append(f"{label}: {len(off_season)} dates outside the months of SEASONS")
    # A cover that the layer does not have is no reason to leave a date out.
    cover = {
        day: max(1.0 if scene.date_cover is None else scene.date_cover for scene in days[day])
        for day in days
    }
    least = options.least_cover * max(cover.values())
    thin = sorted(day for day in set(days) - set(off_season) if cover[day] < least)
    if thin:
        left_out.append(f"{label}: dates that cover too little of the area: {_list(thin)}")
    return {day: days[day] for day in sorted(set(days) - {*off_season, *thin})}


def _burst_stack(
    path: int,
    direction: str,
    job_type: str,
    days: Mapping[date, Sequence[Scene]],
    left_out: list[str],
) -> Stack:
    """Return the stack of all bursts of a track, without dates that lack one."""
    counts = Counter(scene.ground for scenes in days.values() for scene in scenes)
    bursts = sorted(counts, key=lambda name: (name[4:10], name))
    most = JOB_FORMS[job_type].most_scenes
    try:
        is_sound = are_contiguous(bursts)
    except ValueError as error:
        raise InvalidParameterError(
            f"In INPUT, {error}, as frame_or_burst of {job_type} jobs has to be; search again."
        ) from None
    if len(bursts) > most or not is_sound:
        raise InvalidParameterError(
            f"The {len(bursts)} bursts of path {path} in INPUT cannot be one job: they have to be "
            f"at most {most}, consecutive in each subswath, and begin and end at most one apart in "
            "neighboring subswaths; delete all scenes of some bursts, or search again."
        )
    passes, partial = {}, []
    for day, scenes in sorted(days.items()):
        held = {scene.ground: scene for scene in scenes}
        if len(held) == len(bursts):
            passes[day] = tuple(held[name] for name in bursts)
        else:
            partial.append(day)
    if partial:
        rare = [name for name in bursts if counts[name] < len(days)]
        left_out.append(
            f"path {path}: dates without some bursts ({_list(rare)}): {_list(partial)}; delete the "
            "scenes of these bursts to use the dates"
        )
    if not passes:
        raise NoProductsError(
            f"No date of path {path} has all {len(bursts)} bursts of INPUT; delete the scenes of "
            f"those that are often missing: {_list(sorted(bursts, key=lambda n: counts[n])[:3])}."
        )
    number = f"{len(bursts)} burst{'' if len(bursts) == 1 else 's'}"
    return Stack(job_type, path, direction, number, passes)


def stack_area(stack: Stack) -> SearchArea | None:
    """Return the area of interest as far as the scenes of the newest date show it.

    None where the layer has neither the area nor footprints.
    """
    newest = stack.passes[max(stack.passes)]
    prints = [scene.footprint for scene in newest if scene.footprint is not None]
    ground = shapely.union_all(prints) if prints else None
    texts = Counter(scene.area for held in stack.passes.values() for scene in held if scene.area)
    try:
        area = shapely.from_wkt(texts.most_common(1)[0][0]) if texts else None
        if area is not None and ground is not None:
            seen = shapely.intersection(area, ground)
            area = seen if seen.area else area
        outline = ground if area is None else area
        return None if outline is None else SearchArea(outline)
    except (shapely.errors.ShapelyError, InvalidParameterError):
        return None


def _target(stack: Stack) -> Vector | None:
    area = stack_area(stack)
    return None if area is None else ground_point(*area.center)


def _list(items: Sequence[object]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(map(str, items[:_SHOWN])) + more
