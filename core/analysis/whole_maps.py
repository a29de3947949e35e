"""What has to be known of the whole map before blocks of it are inverted.

Repair needs the islands of the maps of all pairs; corrections of dates need displacement at points
all over the grid. Both are read only if they are asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import InvalidParameterError
from ..files.written_stack import WrittenStack
from ..machine.blocks import thread_count
from ..products.layers import HEIGHTS, LOOK_ELEVATION
from ..run.reporter import Reporter, step
from .corrections import Corrections
from .date_corrections import fit_height_delays, fit_ramps
from .height_error import HeightErrorFit, baseline_history
from .inversion_request import InversionRequest
from .island_survey import survey_islands
from .pair_selection import PairSelection
from .reference_area import ReferenceArea
from .series_analysis import SeriesAnalysis
from .solver.time_functions import TimeFunctions
from .unwrapping.repair import RepairPlan, plan_repair

Numbers = NDArray[np.float64]

_FEWEST_POINTS = 100
"""For a surface through them."""

_SIGNED = ("perpendicular_baseline",)

_POINTS = 30_000
_TILE = 128
_TILES = 150


@dataclass(frozen=True)
class Points:
    """Displacement at points that are spread over the grid."""

    # Shape (points,).
    row: Numbers
    column: Numbers
    displacement: Numbers  # meters, shape (N, points)
    height: Numbers  # meters, 0 where heights are not asked for; shape (points,)
    without_height: int  # number of points that were left out because their height is not known


def survey_points(
    selection: PairSelection,
    analysis: SeriesAnalysis,
    repair: RepairPlan | None,
    with_heights: bool,
    threads: int,
    reporter: Reporter,
) -> Points:
    """Invert points in tiles that are spread over the grid; those with gaps are left out.

    Parameters
    ----------
    analysis
        Makes displacement of them, without corrections.
    repair
        What is taken off the phase first.
    with_heights
        Whether heights are needed.
    threads
        Threads that read a tile.
    """
    tiles = _tiles(selection)
    least_gaps = analysis.network.component_count - 1
    pixels = sum((down.stop - down.start) * (across.stop - across.start) for down, across in tiles)
    distance = max(1, math.ceil(math.sqrt(pixels / _POINTS)))
    parts: list[tuple[NDArray[Any], ...]] = []
    without_height = 0
    for number, place in enumerate(tiles):
        with step(reporter, 100 * number / len(tiles), 100 * (number + 1) / len(tiles)) as reading:
            phase = selection.phase(*place, threads, reading)
        if repair is not None:
            repair.apply(phase, *place)
        coherence = None
        if analysis.needs_coherence:
            coherence = selection.coherence(*place, threads)[:, ::distance, ::distance]
            coherence = coherence.reshape(len(coherence), -1)
        phase = phase[:, ::distance, ::distance]
        rows, columns = (np.arange(side.start, side.stop, distance) for side in place)
        row, column = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
        values, _ = analysis.run(phase.reshape(len(phase), -1), coherence)
        height = np.zeros(row.size)
        if with_heights:
            height = selection.geometry(HEIGHTS, *place)[::distance, ::distance].ravel()
        # Across a gap displacement is assumed, and a slope of the assumption is no slope.
        kept = (values["mask"] == 0) & (values["gap_count"] == least_gaps)
        without_height += int(np.count_nonzero(kept & np.isnan(height)))
        kept &= ~np.isnan(height)
        parts.append((row[kept], column[kept], values["displacement"][:, kept], height[kept]))
    row, column, displacement, height = (
        np.concatenate(pieces, axis=-1).astype(float) for pieces in zip(*parts, strict=True)
    )
    return Points(row, column, displacement, height, without_height)


def _tiles(selection: PairSelection) -> list[tuple[slice, slice]]:
    """Return rows and columns of tiles, which are whole chunks where these are small."""
    grid = selection.grid
    _, high, wide = selection.chunks
    high, wide = min(high, _TILE), min(wide, _TILE)
    counts = math.ceil(grid.height / high), math.ceil(grid.width / wide)
    every = max(1, math.ceil(math.sqrt(math.prod(counts) / _TILES)))
    down, across = (range(min(every // 2, count - 1), count, every) for count in counts)
    return [
        (
            slice(row * high, min((row + 1) * high, grid.height)),
            slice(column * wide, min((column + 1) * wide, grid.width)),
        )
        for row in down
        for column in across
    ]


class Survey:
    """Finds repair and corrections of a run.

    Raises
    ------
    InvalidParameterError
        If the stack lacks a layer that is needed.
    """

    def __init__(
        self,
        stack: WrittenStack,
        selection: PairSelection,
        request: InversionRequest,
        area: ReferenceArea,
        reporter: Reporter,
    ) -> None:
        self._stack = stack
        self._selection = selection
        self._request = request
        self._area = area
        self._reporter = reporter
        # Before any map is read.
        if request.troposphere == "height":
            self._need("TROPOSPHERE is height", HEIGHTS)
        if request.dem_error:
            self._need("DEM_ERROR is yes", LOOK_ELEVATION)

    def plan_repair(self, phases: Numbers, reporter: Reporter) -> RepairPlan | None:
        """Find what a repair takes off, for the report also what it would; None where nobody asks.

        Parameters
        ----------
        phases
            What is subtracted from each pair, radians; shape (M,).
        """
        request, selection = self._request, self._selection
        if not request.needs_survey:
            return None
        wanted = request.repair != "none"
        stack = self._stack
        if stack.group == TEMPORAL_GROUP and isinstance(stack.place, Path):
            if (stack.place / SPATIAL_GROUP).is_dir():
                selection = replace(selection, blocks=selection.blocks.of_group(SPATIAL_GROUP))
        row, column = self._reference_pixel()
        islands = survey_islands(
            selection,
            phases,
            (round(row), round(column)),
            request.outputs.memory_megabytes,
            thread_count(),
            reporter,
            next((path.parent for path in request.outputs.files.values()), None),
        )
        network = selection.network
        pairs = np.stack([network.reference, network.secondary], axis=1)
        plan = plan_repair(pairs, islands, request.repair if wanted else "both")
        plan = replace(plan, is_applied=wanted)
        self._reporter.info(str(plan))
        return plan

    def find_corrections(
        self, analysis: SeriesAnalysis, repair: RepairPlan | None, reporter: Reporter
    ) -> Corrections:
        """Find what is taken off the displacement.

        Parameters
        ----------
        analysis
            Makes displacement, without corrections.
        repair
            What is taken off the phase, if it is.

        Raises
        ------
        InvalidParameterError
            If the stack lacks what a correction needs.
        """
        request = self._request
        found = Corrections()
        if request.dem_error:
            found = self._with_height_error(found, analysis.functions)
        by_height = request.troposphere == "height"
        if not (by_height or request.deramp != "none"):
            return found
        if repair is not None and not repair.is_applied:
            repair = None
        selection, threads = self._selection, thread_count()
        points = survey_points(selection, analysis, repair, by_height, threads, reporter)
        series = points.displacement
        if points.row.size < _FEWEST_POINTS <= points.row.size + points.without_height:
            raise InvalidParameterError(
                f"TROPOSPHERE is height, but of the points with displacement that were tried "
                f"{points.without_height} have no data in the layer {HEIGHTS}, and only "
                f"{points.row.size} have; leave it out, or build the stack with heights."
            )
        if points.row.size < _FEWEST_POINTS:
            raise InvalidParameterError(
                f"TROPOSPHERE and DERAMP need displacement without gaps at {_FEWEST_POINTS} points "
                f"and more, but of those tried only {points.row.size} have it; lower "
                "MIN_TEMPORAL_COHERENCE or MIN_COHERENCE, or leave both out."
            )
        if by_height:
            place = points.row, points.column, points.height
            delays = fit_height_delays(*place, series, self._reference_height())
            self._reporter.info(
                f"Displacement goes with height, so that a delay is taken off, on "
                f"{np.count_nonzero(delays.applied)} of {series.shape[0]} dates."
            )
            series = series - delays.surfaces(points.height)
            found = replace(found, delays=delays.surfaces)
        if request.deramp != "none":
            reference = self._reference_pixel()
            ramps = fit_ramps(request.deramp, points.row, points.column, series, reference)
            found = replace(found, ramps=ramps)
        return found

    def _with_height_error(self, found: Corrections, functions: TimeFunctions) -> Corrections:
        stack, network, pairs = self._stack, self._selection.network, self._selection.pairs
        known = {
            name: stack.values(name)
            for name in ("perpendicular_baseline", "earth_radius", "spacecraft_height")
        }
        for name, values in known.items():
            if values is None or not _are_known(name, values[pairs]):
                raise InvalidParameterError(
                    f"DEM_ERROR is yes, but {stack.label} lacks {name} of some pairs; leave it out."
                )
        baselines, radius, height = (
            values[pairs] for values in known.values() if values is not None
        )
        history = baseline_history(network, baselines)
        fit = HeightErrorFit(history, functions.design)
        orbit = float(np.mean(radius)), float(np.mean(height))
        return replace(found, height_error=fit, orbit=orbit)

    def _need(self, what: str, layer: str) -> None:
        if layer not in self._stack.layers:
            raise InvalidParameterError(
                f"{what}, but {self._stack.label} has no layer {layer}; leave it out, or build "
                f"the stack with {layer}."
            )

    def _reference_height(self) -> float:
        """Return the median height of the reference area."""
        rows, columns, inside = self._area.pixels(self._selection.grid)
        heights = self._selection.geometry(HEIGHTS, rows, columns)[inside]
        if np.isnan(heights).all():
            raise InvalidParameterError(
                f"TROPOSPHERE is height, but in REFERENCE_AREA, {self._area}, the layer {HEIGHTS} "
                "has no data; choose another area, or leave TROPOSPHERE out."
            )
        return float(np.nanmedian(heights))

    def _reference_pixel(self) -> tuple[float, float]:
        """Return row and column of the middle of the reference area, within the grid."""
        grid, area = self._selection.grid, self._area
        row = (grid.top - area.y) / grid.spacing - 0.5
        column = (area.x - grid.left) / grid.spacing - 0.5
        return (
            float(np.clip(row, 0, grid.height - 1)),
            float(np.clip(column, 0, grid.width - 1)),
        )


def _are_known(name: str, values: Numbers) -> bool:
    """Return whether numbers of pairs are finite; radius and height are positive as well."""
    return bool(np.isfinite(values).all() and (name in _SIGNED or (values > 0.0).all()))
