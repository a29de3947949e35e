"""The outputs of one run while they have hidden names: laid out, filled, checked, found again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xarray as xr

from ..dataset.options import BuildOptions
from ..dataset.stack_layer import StackLayer
from ..errors import UNREADABLE, OutputError
from ..files.chunking import Layouts
from ..files.netcdf_file import NETCDF, NetcdfSpool, failing_chunks, fits_twice, write_netcdf
from ..files.receipts import failing_chunk_files, failing_objects, other_files, places
from ..files.verify import Sample, verify_chunks, verify_stack
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
from ..machine.atomic import remove
from ..object_store.late_metadata import LateMetadataStore
from ..run.reporter import Reporter, StepReporter, step
from ..work.journal import Journal
from ..work.pieces import Receipts


class UnfinishedOutputs:
    """NetCDF file and Zarr stores of one run, before they get their names.

    Parameters
    ----------
    options
        Which outputs there are.
    layers
        Layers of the stack.
    layouts
        How they are cut into chunks.
    workspace
        Where unfinished outputs are.
    remote
        The store in an object store, if one is written.
    reporter
        Told of progress and asked whether to stop.
    """

    def __init__(
        self,
        options: BuildOptions,
        layers: Sequence[StackLayer],
        layouts: Layouts,
        workspace: Workspace,
        remote: LateMetadataStore | None,
        reporter: Reporter,
    ) -> None:
        self._options = options
        self._layers = tuple(layers)
        self._layouts = layouts
        self._workspace = workspace
        self._remote = remote
        self._reporter = reporter

    @property
    def spool(self) -> NetcdfSpool | None:
        """Where the chunks of the NetCDF file wait."""
        if self._options.netcdf is None:
            return None
        folder = self._workspace.folder(self._options.netcdf) / "chunks"
        return NetcdfSpool(folder, self._layouts.netcdf)

    def stores(self) -> list[Path | LateMetadataStore]:
        """Return the unfinished Zarr stores, that on disk first."""
        zarr = self._options.zarr
        stores: list[Path | LateMetadataStore] = (
            [] if zarr is None else [self._workspace.output(zarr)]
        )
        return stores if self._remote is None else [*stores, self._remote]

    def begin(
        self,
        journal: Journal,
        dataset: xr.Dataset,
        reads_others: Callable[[str], bool],
    ) -> bool:
        """Lay the outputs out, or find those that an earlier attempt laid out.

        Parameters
        ----------
        journal
            What was noted of that attempt.
        dataset
            The stack as described.
        reads_others
            See :meth:`core.work.journal.Journal.doubt`.

        Returns
        -------
        bool
            Whether that attempt had completed the outputs, so that they only need their names.
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
            self._reporter.info(f"{error}; starting over.")
            goes_on = False
        if goes_on:
            self.remove_unfinished_chunks()
            before = len(journal)
            journal.doubt(self._remove_failing(journal.receipts), reads_others)
            # The catalog may tell more now, or less.
            self._lay_out(dataset)
            lost = before - len(journal)
            damaged = f", {lost} were damaged since and are done again" if lost else ""
            self._reporter.info(
                f"Going on with a build that stopped; {len(journal)} pieces of work are done"
                f"{damaged}."
            )
            return False
        # A note that was of no use may have left outputs behind, and one may tell of damaged ones.
        journal.start_over()
        self._workspace.clear()
        if self.spool is not None:
            self.spool.folder.mkdir(exist_ok=True)
        self._lay_out(dataset)
        journal.begin()
        return False

    def open_groups(self) -> dict[str, tuple[ZarrGroup, ...]]:
        """Open the groups of all stores for writing, by their name."""
        return {
            name: tuple(ZarrGroup(store, name, self._layers) for store in self.stores())
            for name in self._options.groups
        }

    def write_netcdf(self, dataset: xr.Dataset, journal: Journal) -> None:
        """Put the NetCDF file together, if there is one."""
        if self._options.netcdf is None or self.spool is None:
            return
        keep = fits_twice(self.spool)
        if not keep:
            journal.forget()
        path = self._workspace.output(self._options.netcdf)
        with step(self._reporter, 85.0, 97.0) as reporter:
            write_netcdf(path, dataset, self._layers, self.spool, keep, reporter)

    def remove_unfinished_chunks(self) -> None:
        """Remove the temporary files of writers that were killed or lost."""
        if self._options.zarr is not None:
            remove_unfinished_chunks(self._workspace.output(self._options.zarr))

    def consolidate(self) -> None:
        """Gather the metadata of all stores."""
        for store in self.stores():
            consolidate(store, self._options.groups, self._options.zarr_format)

    def verify(self, dataset: xr.Dataset, samples: Sequence[Sample], journal: Journal) -> None:
        """Read the outputs again: coordinates, attributes, samples of layers, and all chunks."""
        netcdf, zarr = self._options.netcdf, self._options.zarr
        if netcdf is not None:
            verify_stack(self._workspace.output(netcdf), netcdf, dataset, samples)
        finals = [final for final in (zarr, self._options.remote) if final is not None]
        for store, final in zip(self.stores(), finals, strict=True):
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
            bad = failing_objects(self._options.remote, self._arrays, written, quiet)
            verify_chunks(self._options.remote, bad)

    def facts(self, journal: Journal) -> dict[str, Any]:
        """Return what proves complete outputs beside the receipts of chunks, as JSON knows it."""
        facts: dict[str, Any] = {}
        if self._options.netcdf is not None:
            facts[NETCDF] = _size_and_time(self._workspace.output(self._options.netcdf))
        if self._options.zarr is not None:
            store = self._workspace.output(self._options.zarr)
            chunks = places(journal.receipts).get(NEAR, {})
            facts[NEAR] = other_files(store, chunks)
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
        except UNREADABLE:
            return False
        return True

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
        if self.spool is not None:
            found[NETCDF] = self.spool.failing(named.get(NETCDF, {}), quiet)
        if self._options.zarr is not None:
            store = self._workspace.output(self._options.zarr)
            written = named.get(NEAR, {})
            found[NEAR] = failing_chunk_files(store, self._arrays, written, quiet)
            for name in found[NEAR]:
                remove(store / name)
        return {f"{place}/{name}" for place, names in found.items() for name in names}

    def _is_laid_out(self) -> bool:
        """Return whether what a note on a disk tells of is still there."""
        groups, zarr = self._options.groups, self._options.zarr
        return (self.spool is None or self.spool.folder.is_dir()) and (
            zarr is None or is_laid_out(self._workspace.output(zarr), groups, self._layers)
        )

    def _lay_out(self, dataset: xr.Dataset) -> None:
        stores, groups, form = self.stores(), self._options.groups, self._options.zarr_format
        lay_out_stores(stores, groups, dataset, self._layers, self._layouts, form, self._reporter)


def _size_and_time(path: Path) -> list[int]:
    """Return what a new name does not change of a file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
