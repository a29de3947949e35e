"""The stages of a build: lay out, write maps and series, describe, assess, check."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from ..append.append import refer_new_steps
from ..append.base import DIFFERENCE, Base
from ..append.carry_over import carry_over, check_kept
from ..contract import RECORD, SPATIAL_GROUP, TEMPORAL_GROUP
from ..dataset.dataset import open_stack
from ..dataset.options import BuildOptions
from ..dataset.record import stack_record
from ..errors import InvalidParameterError
from ..files.chunking import Layouts
from ..files.space import check_outputs
from ..files.verify import take_samples
from ..files.workspace import Workspace
from ..grid.plan import Plan
from ..machine.stamps import Stamp
from ..metadata.geospatial import outline_attributes
from ..object_store.late_metadata import LateMetadataStore
from ..outputs.unfinished_outputs import UnfinishedOutputs
from ..pixels.reference_point import ReferencePoint, reference_to_point
from ..pixels.survey import Findings, Survey
from ..products.layers import Layer
from ..retrieval.catalog.enrichment import Details, look_up_granules
from ..run.reporter import Reporter, complete, step, stop_if_canceled
from ..work.execution import Executor
from ..work.journal import Journal
from .maps import map_pieces
from .self_assessment import note_assessment
from .series import series_pieces
from .stack_contents import stack_contents
from .targets import Targets, is_of_series


class Build:
    """One run: what its stages share.

    Parameters
    ----------
    plan, layers, options, reporter, base
        As for :func:`core.build.build.build_stack`.
    workspace
        Where unfinished outputs are.
    note
        File in which the build notes what is done; None for a build that always starts over.
    executor
        Where the pieces run.
    remote
        The store in an object store, if one is written.
    """

    def __init__(
        self,
        plan: Plan,
        layers: tuple[Layer, ...],
        options: BuildOptions,
        reporter: Reporter,
        workspace: Workspace,
        note: Path | None,
        executor: Executor,
        remote: LateMetadataStore | None,
        base: Base | None,
    ) -> None:
        self._options = options
        self._base = base
        self._product_layers = [layer.name for layer in layers]
        self._reporter = reporter
        self._workspace = workspace
        self._note = note
        self._executor = executor
        self._source, self._layers = stack_contents(plan, layers, options, base)
        grid = plan.grid
        shape = (len(self._source.steps), grid.height, grid.width)
        self._layouts = Layouts.of(options, shape, reporter)
        self._outputs = UnfinishedOutputs(
            options, self._layers, self._layouts, workspace, remote, reporter
        )

    def run(self) -> tuple[xr.Dataset, Findings]:
        """Write and check all outputs under their temporary names."""
        check_outputs(self._source, self._layers, self._options, self._workspace, self._reporter)
        groups, has_netcdf = self._options.groups, self._options.netcdf is not None
        for text in self._options.values.precision.describe(item.layer for item in self._layers):
            self._reporter.info(text)
        has_stores = bool(self._outputs.stores())
        self._layouts.tell(has_netcdf, groups if has_stores else (), self._reporter)
        point = self._refer()
        dataset = open_stack(
            self._source,
            self._layers,
            self._options.history,
            point,
            self._details() if self._options.enrich else None,
        )
        if self._options.data_access is not None:
            dataset.attrs |= self._options.data_access.attributes
        dataset.attrs[RECORD] = stack_record(
            self._source.placements,
            self._options.settings,
            self._product_layers,
            [item.name for item in self._layers],
        )
        if self._base is not None:
            carry_over(self._base, dataset, self._options.enrich, self._reporter)
        with Journal(self._note, self._inputs()) as journal:
            if self._outputs.begin(journal, dataset, is_of_series):
                complete(self._reporter)
                return dataset, self._findings(journal)
            targets = self._targets()
            self._write_blocks(targets, journal)
            findings = self._describe(dataset, targets, journal)
            self._outputs.write_netcdf(dataset, journal)
            self._assess(dataset)
            if self._options.scheduler is not None:
                # A worker that is lost in the middle of a chunk leaves its temporary file.
                self._outputs.remove_unfinished_chunks()
            self._outputs.consolidate()
            self._reporter.info("Reading the outputs back to check them.")
            samples = take_samples(self._source, dataset, self._layers)
            self._outputs.verify(dataset, samples, journal)
            journal.finish(self._outputs.facts(journal))
            complete(self._reporter)
        return dataset, findings

    def _inputs(self) -> dict[Path, Stamp]:
        """Return the stamps of all files that are read."""
        inputs: dict[Path, Stamp] = {} if self._base is None else dict(self._base.stamps)
        for placement in self._source.placements:
            inputs |= placement.product.stamps
        return inputs

    def _targets(self) -> Targets:
        """Open what takes blocks."""
        groups, spool = self._outputs.open_groups(), self._outputs.spool
        return Targets(
            self._source,
            self._layers,
            self._survey(),
            self._layouts.map_unit,
            self._layouts.series_unit,
            self._layouts.budget,
            spools=() if spool is None else (spool,),
            spatial=groups.get(SPATIAL_GROUP, ()),
            temporal=groups.get(TEMPORAL_GROUP, ()),
        )

    def _write_blocks(self, targets: Targets, journal: Journal) -> None:
        maps_end = 85.0 if not targets.temporal else 50.0 if targets.map_sinks else 5.0
        stages = [(map_pieces(targets), 0.0, maps_end, False)]
        if targets.temporal:
            stages.append((series_pieces(targets), maps_end, 85.0, True))
        for pieces, begin, end, one_by_one in stages:
            rest = [piece for piece in pieces if piece.key not in journal]
            # What is done already counts as progress.
            begin += (end - begin) * (1.0 - len(rest) / max(len(pieces), 1))
            with step(self._reporter, begin, end) as reporter:
                self._executor.run(rest, targets, journal, reporter, one_by_one)

    def _describe(self, dataset: xr.Dataset, targets: Targets, journal: Journal) -> Findings:
        """Add what the pixels told to the dataset and to the Zarr groups."""
        findings = self._findings(journal)
        statistics = {
            name: values for name, values in findings.statistics.items() if name in dataset
        }
        known = {}
        if self._base is not None:
            check_kept(self._base, self._source, statistics)
            known = dict(self._base.differences)
        differences = {
            name: {DIFFERENCE: max(value, known.get(name, value))}
            for name, value in (known | journal.learned.maxima).items()
        }
        outline = findings.outline
        bounds = outline_attributes(self._source.grid, outline) if outline.size else {}
        for group in (*targets.spatial, *targets.temporal):
            group.finish(differences, statistics, bounds)
        dataset.attrs |= bounds
        for name, attributes in differences.items():
            dataset[name].attrs |= attributes
        for name, values in statistics.items():
            dataset[name].values = values
        return findings

    def _assess(self, dataset: xr.Dataset) -> None:
        """Note in the outputs what their assessment finds."""
        stop_if_canceled(self._reporter)
        netcdf = self._options.netcdf
        dataset.attrs |= note_assessment(
            None if netcdf is None else self._workspace.output(netcdf),
            self._outputs.stores(),
            self._options.groups,
            self._reporter,
        )

    def _details(self) -> Details:
        """Ask the catalog for the sources of all products."""
        products = [placement.product for placement in self._source.placements]
        names = [name for product in products for name in product.source_granules]
        return look_up_granules(names, self._reporter)

    def _survey(self) -> Survey:
        layers = [item.layer for item in self._layers if item.per_step]
        return Survey(self._source.grid, layers, len(self._source.steps))

    def _findings(self, journal: Journal) -> Findings:
        survey = self._survey()
        survey.restore(journal.learned.sums)
        return survey.findings()

    def _refer(self) -> ReferencePoint | None:
        """Refer all pairs to one point, if the user wants it."""
        wanted = self._options.reference_point
        if wanted is None:
            return None
        if not self._source.placements[0].product.name.is_insar:
            raise InvalidParameterError(
                "REFERENCE_POINT is for interferograms; leave it out for backscatter."
            )
        layers = [item.layer for item in self._layers]
        if self._base is None:
            self._source, point = reference_to_point(
                self._source, wanted, layers, self._reporter, self._layouts.budget
            )
        else:
            self._source, point = refer_new_steps(self._source, self._base, layers)
        self._reporter.info(
            f"All pairs are referenced to the pixel at {point.x:.1f}, {point.y:.1f} "
            f"({self._source.grid.crs})."
        )
        return point
