"""The stages of a build: lay out, write maps and series, describe, assess, check."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import xarray as xr

from ..append.append import refer_new_steps
from ..append.base import DIFFERENCE, Base
from ..append.carry_over import carry_over, check_kept
from ..contract import RECORD, SPATIAL_GROUP, TEMPORAL_GROUP
from ..dataset.dataset import open_stack
from ..dataset.options import BuildOptions
from ..dataset.record import stack_record
from ..errors import UNREADABLE, InvalidParameterError, OutputError, StoreError
from ..files.chunking import Layouts
from ..files.netcdf_file import NETCDF, NetcdfSpool, failing_chunks, fits_twice, write_netcdf
from ..files.receipts import failing_chunk_files, other_files, places
from ..files.space import check_outputs
from ..files.verify import take_samples, verify_chunks, verify_stack
from ..files.workspace import Workspace
from ..files.zarr_layout import lay_out_stores
from ..files.zarr_store import (
    NEAR,
    REMOTE,
    ZarrGroup,
    consolidate,
    is_laid_out,
    remove_unfinished_chunks,
)
from ..grid.plan import Plan
from ..machine.atomic import remove
from ..machine.notes import Note
from ..machine.stamps import Stamp
from ..metadata.geospatial import outline_attributes
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.objects import Objects
from ..object_store.proof import failing_objects
from ..pixels.reference_point import ReferencePoint, reference_to_point
from ..pixels.survey import Findings, Survey
from ..products.layers import Layer
from ..retrieval.catalog.enrichment import Details, look_up_granules
from ..run.reporter import Reporter, StepReporter, complete, step, stop_if_canceled
from ..work.execution import Executor
from ..work.journal import Journal
from ..work.pieces import Receipts
from .maps import map_pieces
from .self_assessment import note_assessment
from .series import series_pieces
from .stack_contents import stack_contents
from .targets import Targets, is_of_series


def _size_and_time(path: Path) -> list[int]:
    """Return what a new name does not change of a file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


class Build:
    """One run: what its stages share.

    Parameters
    ----------
    plan, layers, options, reporter, base
        As for :func:`core.build.build.build_stack`.
    workspace
        Where unfinished outputs are.
    note
        Where the build notes what is done.
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
        note: Note,
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
        self._remote = remote
        self._executor = executor
        self._source, self._layers = stack_contents(plan, layers, options, base)
        grid = plan.grid
        shape = (len(self._source.steps), grid.height, grid.width)
        self._layouts = Layouts.of(options, shape, reporter)

    def run(self) -> tuple[xr.Dataset, Findings]:
        """Write and check all outputs under their temporary names."""
        check_outputs(self._source, self._layers, self._options, self._workspace, self._reporter)
        groups, has_netcdf = self._options.groups, self._options.netcdf is not None
        for text in self._options.values.precision.describe(item.layer for item in self._layers):
            self._reporter.info(text)
        self._layouts.tell(has_netcdf, groups if self._stores() else (), self._reporter)
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
            if self._begin(journal, dataset):
                complete(self._reporter)
                return dataset, self._findings(journal)
            targets = self._targets()
            self._write_blocks(targets, journal)
            findings = self._describe(dataset, targets, journal)
            self._write_netcdf(dataset, journal)
            self._assess(dataset)
            if self._options.scheduler is not None:
                # A worker that is lost in the middle of a chunk leaves its temporary file.
                self._remove_unfinished_chunks()
            for store in self._stores():
                consolidate(store, self._options.groups, self._options.zarr_format)
            self._reporter.info("Reading the outputs back to check them.")
            self._verify(dataset, journal)
            journal.finish(self._facts(journal))
            complete(self._reporter)
        return dataset, findings

    def _begin(self, journal: Journal, dataset: xr.Dataset) -> bool:
        """Lay the outputs out, or find those that an earlier attempt laid out.

        Returns whether that attempt had completed them, so that they only need their names.
        """
        try:
            goes_on = journal.resume()
            if goes_on and journal.finished is not None and self._stands(journal):
                self._reporter.info(
                    "Going on with a build that stopped when its outputs were complete; only their "
                    "names were missing."
                )
                return True
            journal.finished = None
            if goes_on and not self._is_laid_out():
                raise OutputError("What a build that stopped has left is damaged")
        except OutputError as error:
            if isinstance(error, StoreError):
                raise
            self._reporter.info(f"{error}; starting over.")
            goes_on = False
        if goes_on:
            self._remove_unfinished_chunks()
            before = len(journal)
            journal.doubt(self._remove_failing(journal.receipts), is_of_series)
            # The catalog may tell more now, or less.
            self._lay_out(dataset)
            lost = before - len(journal)
            damaged = f", {lost} were damaged since and are done again" if lost else ""
            self._reporter.info(
                f"Going on with a build that stopped; {len(journal)} pieces of work are done"
                f"{damaged}."
            )
            return False
        if self._remote is not None:
            self._remote.withdraw()
        # A note that was of no use may have left outputs behind, and one may tell of damaged ones.
        journal.start_over()
        self._workspace.clear()
        if self._spool is not None:
            self._spool.folder.mkdir(exist_ok=True)
        self._lay_out(dataset)
        journal.begin()
        return False

    def _facts(self, journal: Journal) -> dict[str, Any]:
        """Return what proves complete outputs beside the receipts of chunks, as JSON knows it."""
        facts: dict[str, Any] = {}
        if self._options.netcdf is not None:
            facts[NETCDF] = _size_and_time(self._workspace.output(self._options.netcdf))
        if self._options.zarr is not None:
            store = self._workspace.output(self._options.zarr)
            chunks = places(journal.receipts).get(NEAR, {})
            facts[NEAR] = other_files(store, chunks)
        if self._remote is not None:
            documents = itertools.chain.from_iterable(self._remote.documents())
            facts[REMOTE] = {key: content.decode() for key, content in documents}
        return facts

    def _stands(self, journal: Journal) -> bool:
        """Return whether outputs that were complete still are, under whichever name."""
        netcdf, zarr, facts = self._options.netcdf, self._options.zarr, journal.finished or {}
        receipts = places(journal.receipts)
        quiet = StepReporter(self._reporter, 0.0, 0.0)
        try:
            if netcdf is not None:
                file, chunks = self._workspace.place(netcdf), receipts.get(NETCDF, {})
                if _size_and_time(file) != facts[NETCDF]:
                    return False
                if failing_chunks(file, self._layers, chunks, quiet):
                    return False
            if zarr is not None:
                store = self._workspace.place(zarr)
                others = {name: (size, value, "") for name, (size, value, _) in facts[NEAR].items()}
                written = receipts.get(NEAR, {}) | others
                if failing_chunk_files(store, self._arrays, written, quiet):
                    return False
            if self._remote is not None:
                written = receipts.get(REMOTE, {})
                if failing_objects(self._remote.location, self._arrays, written):
                    return False
                documents = facts[REMOTE].items()
                self._remote.restore({key: text.encode() for key, text in documents})
        except StoreError:
            raise
        except UNREADABLE:
            return False
        return True

    def _inputs(self) -> dict[Path, Stamp]:
        """Return the stamps of all files that are read."""
        inputs: dict[Path, Stamp] = {} if self._base is None else dict(self._base.stamps)
        for placement in self._source.placements:
            inputs |= placement.product.stamps
        return inputs

    @property
    def _arrays(self) -> list[str]:
        """Names of the arrays of layers in a store."""
        return [f"{group}/{item.name}" for group in self._options.groups for item in self._layers]

    def _remove_failing(self, receipts: Receipts) -> set[str]:
        """Remove what is not as it was noted, and return the names of those chunks.

        Those of a NetCDF file are looked for in the spool. What a piece wrote that is not noted is
        removed as well: it is done again.
        """
        named, quiet = places(receipts), StepReporter(self._reporter, 0.0, 0.0)
        found: dict[str, set[str]] = {}
        if self._spool is not None:
            found[NETCDF] = self._spool.failing(named.get(NETCDF, {}), quiet)
        if self._options.zarr is not None:
            store = self._workspace.output(self._options.zarr)
            written = named.get(NEAR, {})
            found[NEAR] = failing_chunk_files(store, self._arrays, written, quiet)
            for name in found[NEAR]:
                remove(store / name)
        if self._options.remote is not None:
            written = named.get(REMOTE, {})
            found[REMOTE] = failing_objects(self._options.remote, self._arrays, written)
            Objects(self._options.remote).remove(sorted(found[REMOTE]))
        return {f"{place}/{name}" for place, names in found.items() for name in names}

    def _is_laid_out(self) -> bool:
        """Return whether what a note on a disk tells of is still there."""
        groups, zarr = self._options.groups, self._options.zarr
        return (self._spool is None or self._spool.folder.is_dir()) and (
            zarr is None or is_laid_out(self._workspace.output(zarr), groups, self._layers)
        )

    def _remove_unfinished_chunks(self) -> None:
        if self._options.zarr is not None:
            remove_unfinished_chunks(self._workspace.output(self._options.zarr))

    def _lay_out(self, dataset: xr.Dataset) -> None:
        stores, groups, form = self._stores(), self._options.groups, self._options.zarr_format
        lay_out_stores(stores, groups, dataset, self._layers, self._layouts, form, self._reporter)

    def _targets(self) -> Targets:
        """Open what takes blocks."""
        groups = {
            name: tuple(ZarrGroup(store, name, self._layers) for store in self._stores())
            for name in self._options.groups
        }
        return Targets(
            self._source,
            self._layers,
            self._survey(),
            self._layouts.map_unit,
            self._layouts.series_unit,
            self._layouts.budget,
            spools=() if self._spool is None else (self._spool,),
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
        targets.scratch.clear()

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

    def _write_netcdf(self, dataset: xr.Dataset, journal: Journal) -> None:
        if self._options.netcdf is None or self._spool is None:
            return
        keep = fits_twice(self._spool)
        if not keep:
            journal.forget()
        path = self._workspace.output(self._options.netcdf)
        with step(self._reporter, 85.0, 97.0) as reporter:
            write_netcdf(path, dataset, self._layers, self._spool, keep, reporter)

    def _assess(self, dataset: xr.Dataset) -> None:
        """Note in the outputs what their assessment finds."""
        stop_if_canceled(self._reporter)
        netcdf = self._options.netcdf
        dataset.attrs |= note_assessment(
            None if netcdf is None else self._workspace.output(netcdf),
            self._stores(),
            self._options.groups,
            self._reporter,
        )

    @property
    def _spool(self) -> NetcdfSpool | None:
        """Where the chunks of the NetCDF file wait."""
        if self._options.netcdf is None:
            return None
        folder = self._workspace.folder(self._options.netcdf) / "chunks"
        return NetcdfSpool(folder, self._layouts.netcdf)

    def _stores(self) -> list[Path | LateMetadataStore]:
        """Return the unfinished Zarr stores, that on disk first."""
        zarr = self._options.zarr
        stores: list[Path | LateMetadataStore] = (
            [] if zarr is None else [self._workspace.output(zarr)]
        )
        return stores if self._remote is None else [*stores, self._remote]

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

    def _verify(self, dataset: xr.Dataset, journal: Journal) -> None:
        """Read the outputs again: coordinates, attributes, samples of layers, and all chunks."""
        netcdf, zarr = self._options.netcdf, self._options.zarr
        samples = take_samples(self._source, dataset, self._layers)
        if netcdf is not None:
            verify_stack(self._workspace.output(netcdf), netcdf, dataset, samples)
        finals = [final for final in (zarr, self._options.remote) if final is not None]
        for store, final in zip(self._stores(), finals, strict=True):
            for group in self._options.groups:
                verify_stack(store, final, dataset, samples, group)
        receipts = places(journal.receipts)
        quiet = StepReporter(self._reporter, 97.0, 99.0)
        if netcdf is not None:
            written = receipts.get(NETCDF, {})
            bad = failing_chunks(self._workspace.output(netcdf), self._layers, written, quiet)
            verify_chunks(netcdf, bad)
        if zarr is not None:
            store = self._workspace.output(zarr)
            bad = failing_chunk_files(store, self._arrays, receipts.get(NEAR, {}), quiet)
            verify_chunks(zarr, bad)
        if self._options.remote is not None:
            written = receipts.get(REMOTE, {})
            bad = failing_objects(self._options.remote, self._arrays, written)
            verify_chunks(self._options.remote, bad)
