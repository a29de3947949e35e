"""Inverts a written stack: from its pairs to a displacement stack, in one pass over its pixels."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..errors import InputChangedError, InvalidParameterError
from ..files.receipts import files_below
from ..files.verify import Sample
from ..files.written_stack import WrittenStack
from ..grid.lattice import Grid
from ..machine.disk import COMPRESSED
from ..machine.stamps import Stamps, find_change, take_stamps
from ..network.pair_network import PairNetwork
from ..object_store.late_metadata import LateMetadataStore
from ..outputs.output import OutputPlaces, check_outputs_fit, describe_outputs
from ..outputs.publishing import publish_outputs
from ..outputs.unfinished_outputs import UnfinishedOutputs
from ..outputs.workspace import Workspace
from ..products.layers import COHERENCE
from ..run.reporter import Reporter, complete, step
from ..version import plugin_version
from ..work.execution import Executor
from ..work.journal import Journal
from .date_and_pair_statistics import note_statistics
from .displacement import displacement_dataset
from .inversion_blocks import FIXED_BYTES, BlockPlan, InversionTargets, inversion_pieces
from .inversion_request import InversionRequest
from .pair_selection import PairSelection, select_pairs
from .reference_area import AUTO, DEFAULT_RADIUS, ReferenceArea, choose_area, parse_area
from .result_layers import analysis_layers, geometry_layers
from .series_analysis import SeriesAnalysis
from .solver.time_functions import SEASONS, TimeFunctions
from .unwrapping.repair import RepairPlan
from .whole_maps import Survey

_BYTES_OF_AN_AREA = 16
"""For each pixel and pair of the reference area: its phase, that of its pixels, and copies."""

_SEARCHED_PIXELS = 1_500_000
"""So many are searched for a reference area, spread over the stack."""


@dataclass(frozen=True)
class Inverted:
    """What an inversion has made."""

    network: PairNetwork  # acquisitions and pairs
    area: ReferenceArea
    grid: Grid  # grid of the result
    layers: tuple[str, ...]  # names of the variables on y and x, in order
    # What added up over all pixels, see :meth:`.series_analysis.SeriesAnalysis.run`; empty where an
    # earlier run of the same job had written all outputs.
    sums: Mapping[str, NDArray[Any]]
    # What a repair of unwrapping errors did, or would do; None where nobody asked.
    repair: RepairPlan | None


class StackInversion:
    """One run: from an open stack to outputs.

    Raises
    ------
    InvalidParameterError
        If the stack cannot give what is wanted.
    GridError
        If the extent lies outside the stack.
    """

    def __init__(self, stack: WrittenStack, request: InversionRequest, reporter: Reporter) -> None:
        self._stack = stack
        self._request = request
        self._reporter = reporter
        self._stamps = _stamps(stack)
        selection = select_pairs(stack, request.layer, request.start, request.end, request.extent)
        self._check_weights(selection)
        memory = request.outputs.memory_megabytes
        with step(reporter, 0.0, 5.0) as choosing:
            self._area = self._choose_area(selection, BlockPlan.of(selection, memory), choosing)
        phases = self._reference_phases(selection)
        self._selection, phases = self._leave_out(selection, phases)
        network = self._selection.network
        self._report_network(network)
        functions = TimeFunctions(
            network.times, request.degree, SEASONS[request.seasonal], request.steps
        )
        self._analysis = SeriesAnalysis(
            network,
            functions,
            phases,
            request.weights,
            self._selection.looks,
            request.gaps == "linear",
            request.min_coherence,
            request.min_temporal_coherence,
        )
        self._surveyed = 20.0 if request.needs_survey else 5.0
        survey = Survey(stack, self._selection, request, self._area, reporter)
        with step(reporter, 5.0, self._surveyed) as surveying:
            self._repair = survey.plan_repair(phases, surveying)
            corrections = survey.find_corrections(self._analysis, self._repair, surveying)
        self._analysis = replace(self._analysis, corrections=corrections)
        self._made = analysis_layers(functions, corrections.names)
        by_date = sum(item.per_step for item in self._made)
        self._plan = BlockPlan.of(self._selection, memory, corrections=by_date - 1)
        self._carried = geometry_layers(stack)

    @property
    def _layers(self) -> tuple[StackLayer, ...]:
        return (*self._made, *self._carried)

    def run(self, afterward: Callable[[Inverted], None]) -> None:
        """Write the displacement stack.

        Parameters
        ----------
        afterward
            Called when all outputs have their names. A run that is killed before it returns is
            ended by the same job.

        Raises
        ------
        OutputError
            If an output cannot be written, does not fit on its disk, or does not read back right.
        InputChangedError
            If the stack is changed while it is read.
        ClusterError
            If the Dask cluster cannot do the work or is lost.
        Canceled
            If the user asked to stop.
        """

        def finish(made: Inverted | None) -> None:
            afterward(made or self._inverted({}))

        options = self._request.outputs
        publish_outputs(options, self._identity(), self._reporter, self._write, finish)

    def _write(
        self,
        workspace: Workspace,
        note: Path | None,
        executor: Executor,
        remote: LateMetadataStore | None,
    ) -> Inverted:
        options, reporter = self._request.outputs, self._reporter
        grid, network = self._selection.grid, self._selection.network
        layouts = self._plan.layouts((network.date_count, grid.height, grid.width))
        places = OutputPlaces(workspace, remote)
        outputs = UnfinishedOutputs(options.outputs, self._layers, layouts, places, reporter)
        check_outputs_fit(options.outputs, self._estimate_bytes(), workspace, reporter)
        for text in describe_outputs(options.outputs, layouts):
            reporter.info(text)
        dataset = self._describe()
        with Journal(note, self._stamps) as journal:
            if not outputs.begin(journal, dataset, lambda key: False):
                self._fill(outputs, executor, journal)
                self._check_unchanged()
                statistics = note_statistics(dataset, journal.learned.sums)
                outputs.finish(dataset, Additions(statistics), journal)
                outputs.seal(dataset, {})
                reporter.info("Reading the outputs back to check them.")
                outputs.verify(dataset, [_no_pixels(item) for item in self._layers], journal)
                journal.finish(outputs.proofs(journal))
            complete(reporter)
            return self._inverted(journal.learned.sums)

    def _inverted(self, sums: Mapping[str, NDArray[Any]]) -> Inverted:
        network, grid = self._selection.network, self._selection.grid
        names = tuple(item.name for item in self._layers)
        return Inverted(network, self._area, grid, names, sums, self._repair)

    def _fill(self, outputs: UnfinishedOutputs, executor: Executor, journal: Journal) -> None:
        place = self._stack.place
        targets = InversionTargets(
            self._selection,
            self._analysis,
            self._made,
            self._carried,
            self._plan,
            self._repair if self._request.repair != "none" else None,
            place if isinstance(place, Path) else None,
            outputs.sinks(),
        )
        pieces = inversion_pieces(targets)
        rest = [piece for piece in pieces if piece.key not in journal]
        done = 1.0 - len(rest) / len(pieces)
        begin = self._surveyed + (85.0 - self._surveyed) * done
        with step(self._reporter, begin, 85.0) as working:
            executor.run(rest, targets, journal, working, one_by_one=True)

    def _describe(self) -> xr.Dataset:
        request = self._request
        settings = {
            "LAYER": request.layer,
            "REFERENCE_AREA": str(self._area),
            "WEIGHTS": request.weights,
            "GAPS": request.gaps,
            "MIN_COHERENCE": request.min_coherence,
            "MIN_TEMPORAL_COHERENCE": request.min_temporal_coherence,
            "POLYNOMIAL": request.degree,
            "SEASONAL": request.seasonal,
            "STEPS": [str(day) for day in request.steps],
            "REPAIR": request.repair,
            "TROPOSPHERE": request.troposphere,
            "DERAMP": request.deramp,
            "DEM_ERROR": request.dem_error,
        }
        dataset = displacement_dataset(
            self._stack,
            self._selection.pairs.tolist(),
            self._selection.grid,
            self._selection.network,
            self._layers,
            settings,
            request.outputs.history,
        )
        dataset["pair_reference_phase"].values = self._analysis.reference_phase
        if self._repair is not None and self._repair.is_applied:
            dataset.attrs["unwrapping_repair"] = str(self._repair)
        return dataset

    def _check_weights(self, selection: PairSelection) -> None:
        request, name = self._request, self._stack.label
        if not selection.has_coherence and (request.weights != "none" or request.min_coherence):
            what = f"WEIGHTS is {request.weights}"
            remedy = "choose none"
            if request.weights == "none":
                what, remedy = f"MIN_COHERENCE is {request.min_coherence:g}", "leave it out"
            raise InvalidParameterError(
                f"{what}, but {name} has no layer {COHERENCE}; {remedy}, or build the stack with "
                f"{COHERENCE}."
            )
        if request.weights == "variance" and selection.looks is None:
            raise InvalidParameterError(
                f"WEIGHTS is variance, but {name} lacks the number of looks of some pairs "
                "(looks_range, looks_azimuth); choose coherence or none."
            )

    def _choose_area(
        self, selection: PairSelection, plan: BlockPlan, reporter: Reporter
    ) -> ReferenceArea:
        wanted, grid, stack = self._request.reference_area, selection.grid, self._stack
        if wanted is not None and wanted.lower() != AUTO:
            return parse_area(wanted, grid)
        own = [stack.values(f"reference_point_{axis}") for axis in "xy"]
        x, y = (math.nan if value is None else float(value) for value in own)
        if wanted is None and math.isfinite(x) and math.isfinite(y):
            area = ReferenceArea(x, y, DEFAULT_RADIUS * grid.spacing, "stack")
            left, bottom, right, top = grid.bounds
            if left < x < right and bottom < y < top:
                return area
            reporter.warning(
                "The reference point of the stack lies outside of EXTENT, so that another area is "
                "chosen; REFERENCE_AREA chooses one by hand."
            )
        blocks = list(plan.blocks(grid.height, grid.width))
        stride = max(1, len(blocks) * plan.rows * plan.columns // _SEARCHED_PIXELS)
        searched = blocks[stride // 2 :: stride]

        def read(rows: slice, columns: slice) -> tuple[NDArray[Any], NDArray[Any] | None]:
            phase = selection.phase(rows, columns, plan.threads, reporter)
            if not selection.has_coherence:
                return phase, None
            return phase, selection.coherence(rows, columns, plan.threads, reporter)

        return choose_area(grid, searched, read)

    def _reference_phases(self, selection: PairSelection) -> NDArray[np.float64]:
        """Return what is subtracted from each pair; NaN where it has no phase in the area."""
        rows, columns, inside = self._area.pixels(selection.grid)
        self._check_area_fits(selection, inside.size)
        phases = self._area.phases(selection.phase(rows, columns), inside)
        if np.isnan(phases).all():
            raise InvalidParameterError(
                f"No pair has phase in REFERENCE_AREA, {self._area} (x, y and radius in "
                f"{selection.grid.crs}); choose another place, a larger radius, or auto."
            )
        how = {"auto": "the most coherent one", "stack": "that of the stack", "given": "as given"}
        self._reporter.info(
            f"All pairs are referenced to the median of {np.count_nonzero(inside)} pixels around "
            f"{self._area.x:.1f}, {self._area.y:.1f} ({selection.grid.crs}), "
            f"{how[self._area.origin]}."
        )
        return phases

    def _check_area_fits(self, selection: PairSelection, pixels: int) -> None:
        memory = self._request.outputs.memory_megabytes
        need = (FIXED_BYTES + _BYTES_OF_AN_AREA * pixels * selection.pairs.size) / 1e6
        if need > memory:
            raise InvalidParameterError(
                f"REFERENCE_AREA, {self._area} (x, y and radius in {selection.grid.crs}), is so "
                f"large that its {selection.pairs.size:,} pairs take {math.ceil(need):,} MB, but "
                f"MEMORY is {memory:,.0f} MB; choose a smaller radius."
            )

    def _leave_out(
        self, selection: PairSelection, phases: NDArray[np.float64]
    ) -> tuple[PairSelection, NDArray[np.float64]]:
        """Leave out the pairs without phase in the reference area."""
        kept = np.isfinite(phases)
        if not kept.all():
            labels = self._stack.values("pair_label")
            pairs = selection.pairs[~kept]
            names = [str(labels[pair]) if labels is not None else str(pair + 1) for pair in pairs]
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" * (len(names) > 5))
            self._reporter.warning(
                f"Left out: {shown}, without phase in the reference area; another REFERENCE_AREA "
                "keeps those that have phase there."
            )
        return selection.only(kept), phases[kept]

    def _report_network(self, network: PairNetwork) -> None:
        days = network.times.astype("datetime64[D]")
        self._reporter.info(
            f"{network.pair_count} pairs between {network.date_count} dates, {days[0]} to "
            f"{days[-1]}."
        )
        count = network.component_count
        if count > 1:
            parts = [days[network.component_of == number] for number in range(count)]
            listed = ", ".join(f"{part[0]} to {part[-1]}" for part in parts[:5])
            more = f" and {count - 5} more" if count > 5 else ""
            self._reporter.warning(
                f"The network consists of {count} parts without a pair between them ({listed}"
                f"{more}): displacement from one to another is not measured but assumed, as GAPS "
                f"says ({self._request.gaps}); order pairs between them, or choose one by START "
                "and END."
            )

    def _estimate_bytes(self) -> int:
        """Return about how many bytes the layers take."""
        grid, dates = self._selection.grid, self._selection.network.date_count
        depth = sum((dates if item.per_step else 1) for item in self._layers)
        return int(4 * depth * grid.height * grid.width * COMPRESSED)

    def _check_unchanged(self) -> None:
        found = find_change(self._stamps)
        if found is not None:
            raise InputChangedError(
                f"{self._stack.place} was changed by another run or program meanwhile "
                f"({found[1]}); run again to invert what it holds now."
            )

    def _identity(self) -> str:
        """Return a text that is the same for runs whose outputs are the same."""
        stack, options = self._stack, self._request.outputs
        facts = {
            "version": plugin_version(),
            "stack": [stack.text(name) for name in ("id", "date_modified")],
            "stamps": {str(path): item.modified for path, item in self._stamps.items()},
            "pairs": self._selection.pairs.tolist(),
            "grid": str(self._selection.grid),
            "plan": [self._plan.rows, self._plan.columns, self._plan.series],
            "settings": json.loads(self._describe().attrs["hyp3_stack_json"]),
            "outputs": [output.identity for output in options.outputs],
        }
        text = json.dumps(facts, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _no_pixels(item: StackLayer) -> Sample:
    """Return a sample without pixels: what was written is proven by its receipts."""
    nothing = slice(0, 0)
    place = (0, nothing, nothing) if item.per_step else (nothing, nothing)
    return Sample(item, place, np.empty((0, 0), item.layer.dtype))


def _stamps(stack: WrittenStack) -> Stamps:
    """Return the stamps of the files that are read."""
    place = stack.place
    if not isinstance(place, Path):
        return {}
    if not place.is_dir():
        return take_stamps([place])
    folder = place if stack.group is None else place / stack.group
    return take_stamps(folder / name for name in files_below(folder))
