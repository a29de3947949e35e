"""Writes a stack: maps, then series, then the NetCDF file, a check, and the final names."""

from __future__ import annotations

import json
import math
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import xarray as xr

from ..contract import DEFAULT_MEMORY_MEGABYTES, SPATIAL_GROUP, TEMPORAL_GROUP
from ..disk import check_space
from ..errors import Canceled, ClusterError, InvalidParameterError, OutputError
from ..grid.plan import Plan
from ..grid.reading import gdal_environment
from ..memory import MemoryBudget
from ..metadata.acquisitions import source_granules
from ..metadata.data_access import DataAccess
from ..metadata.enrichment import Details, look_up_granules
from ..metadata.extent import outline_attributes
from ..metadata.layout import Layout
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..object_store.publication import complete_or_invisible
from ..products.layers import SOURCE_FRAME, Layer
from ..products.passes import group_passes
from ..reporter import Reporter, complete, step, stop_if_canceled
from .append import DIFFERENCE, Base, carry_over, open_base, refer_new_steps
from .chunking import netcdf_chunks, shard_shape, spatial_chunks, temporal_chunks
from .dataset import open_stack, stack_layers
from .execution import Executor, Threads
from .identity import build_identity
from .journal import Journal
from .look_vectors import LOOK_VECTORS, check_angles
from .maps import map_pieces
from .masks import mask_inputs, mask_layers
from .netcdf_file import NetcdfSpool, fits_twice, write_netcdf
from .pieces import Targets
from .record import RECORD, stack_record
from .reference import ReferencePoint, refer_to_point
from .savings import tell_savings
from .self_assessment import note_assessment
from .series import series_pieces
from .source import StackSource, Step
from .space import estimate_bytes
from .survey import Findings, Survey
from .values import ValueOptions
from .verify import verify_stack
from .workspace import Workspace
from .zarr_store import (
    ZarrGroup,
    consolidate,
    lay_out_group,
    remove_unfinished_chunks,
)


@dataclass(frozen=True)
class BuildOptions:
    """What is written and how; see the parameters of ``hyp3:buildstack``."""

    netcdf: Path | None = None
    zarr: Path | None = None
    remote: RemoteLocation | None = None
    chunking: str = "both"
    chunk_megabytes: float = 4.0
    zarr_format: int = 2
    sharding: bool = False
    memory_megabytes: float = DEFAULT_MEMORY_MEGABYTES
    static_mode: str = "once"
    values: ValueOptions = field(default=ValueOptions())
    merge_passes: bool = False
    reference_point: str | None = None
    masks: bool = True
    look_vectors: bool = False
    data_access: DataAccess | None = None
    enrich: bool = False
    append: bool = False
    grow: bool = False
    scheduler: str | None = None
    history: str = ""

    @property
    def settings(self) -> dict[str, Any]:
        """Parameters that decide on values, by name, as JSON knows them."""
        bits = asdict(self.values.precision)
        return {
            "SCALE": self.values.scale or "",
            "RESAMPLING": self.values.resampling,
            "KEEP_BITS": json.loads(json.dumps(bits)),
            "STATIC_LAYERS": self.static_mode,
            "MERGE_PASSES": self.merge_passes,
            "REFERENCE_POINT": self.reference_point or "",
            "MASKS": self.masks,
            "LOOK_VECTORS": self.look_vectors,
        }

    def lacks(self, products: frozenset[str]) -> bool:
        """Tell whether one of the outputs is missing or does not hold all of these products."""
        alone = [(self.netcdf, None), (None, self.zarr)]
        bases = [open_base(*files) for files in alone if any(files)]
        return any(base is None or base.names != products for base in bases)

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the Zarr store."""
        both = (SPATIAL_GROUP, TEMPORAL_GROUP)
        return {"spatial": both[:1], "temporal": both[1:], "both": both}[self.chunking]


def build_stack(
    plan: Plan,
    layers: tuple[Layer, ...],
    options: BuildOptions,
    reporter: Reporter,
    base: Base | None = None,
) -> tuple[xr.Dataset, Findings]:
    """Write a stack to NetCDF and/or Zarr, on disk and/or in an object store.

    Parameters
    ----------
    plan
        Grid and placements, these in the order of the steps.
    layers
        Layers to stack.
    options
        Outputs and their layout; at least one output.
    reporter
        Told of progress and asked whether to stop.
    base
        The stack that holds the products that are stored already.

    Returns
    -------
    dataset : Dataset
        The stack as described before writing (lazy).
    findings : Findings
        What was learned from the pixels on the way.

    Raises
    ------
    OutputError
        If an output cannot be written, does not fit on its disk, or does not read back right.
    ProductError
        If a product turns out to be damaged while it is read.
    ClusterError
        If the Dask cluster cannot do the work or is lost.
    Canceled
        If the user asked to stop.
    """
    finals = [path for path in (options.netcdf, options.zarr) if path is not None]
    # What a stopped build left in an object store is removed, so that nothing can go on there.
    identity = _identity(plan, layers, options, base)
    workspace = Workspace(finals, identity, resumable=options.remote is None)
    try:
        with (
            gdal_environment(),
            _executor(options, workspace, reporter) as executor,
            workspace,
        ):
            with ExitStack() as services:
                remote = None
                if options.remote is not None:
                    remote = services.enter_context(complete_or_invisible(options.remote))
                build = _Build(plan, layers, options, reporter, workspace, executor, remote, base)
                made = build.run()
            workspace.publish()
            return made
    except Canceled:
        if workspace.is_kept:
            raise Canceled(
                "The run was canceled; run the same job again to go on from where it stopped."
            ) from None
        raise
    except ClusterError as error:
        if workspace.is_kept:
            raise ClusterError(
                f"{str(error).rstrip('.')}; the same job then goes on where it stopped."
            ) from error
        raise
    except OSError as error:
        targets = " and ".join(map(str, finals)) or str(options.remote)
        what = "run the same job again to go on" if workspace.is_kept else "choose another folder"
        raise OutputError(
            f"{targets} cannot be written ({error.strerror or error}); free some space or {what}."
        ) from error


def _executor(
    options: BuildOptions, workspace: Workspace, reporter: Reporter
) -> AbstractContextManager[Executor]:
    """Return where the pieces run."""
    if options.scheduler is None:
        return nullcontext(Threads())
    # Takes a second, which most builds need not spend.
    from .cluster.cluster import Cluster

    return Cluster(options.scheduler, workspace.folders, reporter)


def _identity(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, base: Base | None
) -> str:
    facts = asdict(replace(options, history="", scheduler=None))
    return build_identity(plan, layers, facts | {"base": None if base is None else base.identity})


class _Build:
    """One run: what its stages share."""

    def __init__(
        self,
        plan: Plan,
        layers: tuple[Layer, ...],
        options: BuildOptions,
        reporter: Reporter,
        workspace: Workspace,
        executor: Executor,
        remote: LateMetadataStore | None,
        base: Base | None,
    ) -> None:
        self._options = options
        self._base = base
        self._product_layers = [layer.name for layer in layers]
        self._reporter = reporter
        self._workspace = workspace
        self._remote = remote
        self._executor = executor
        stored = None if base is None else base.stored(plan.grid)
        self._source = StackSource.of(plan.grid, _steps(plan, options), options.values, stored)
        if any(len(step) > 1 for step in self._source.steps):
            layers = (*layers, SOURCE_FRAME)
        if options.look_vectors:
            check_angles(layers)
            layers = (*layers, *LOOK_VECTORS)
        if options.masks:
            inputs = mask_inputs(layers)
            self._source = replace(self._source, mask_inputs=inputs)
            layers = (*layers, *mask_layers(inputs))
        self._layers = stack_layers(layers, options.static_mode)
        self._shape = (plan.grid.height, plan.grid.width)
        self._maps = spatial_chunks(*self._shape, options.chunk_megabytes)
        steps = len(self._source.steps)
        self._series = temporal_chunks(steps, *self._shape, options.chunk_megabytes)
        largest = 4 * max(math.prod(self._maps), math.prod(self._series))
        self._budget = MemoryBudget.of(options.memory_megabytes, largest)
        if not self._budget.holds(largest):
            reporter.warning(
                f"Chunks of {largest / 1e6:,.0f} MB take more memory than MEMORY "
                f"({options.memory_megabytes:,.0f} MB) allows; lower CHUNK_SIZE or raise MEMORY."
            )
        # What a thread writes at once, so that no two threads write to one file.
        self._map_unit, self._series_unit = (
            shard_shape(chunks, *self._shape, self._budget.band_bytes / 1e6)
            if options.sharding
            else chunks
            for chunks in (self._maps, self._series)
        )

    def run(self) -> tuple[xr.Dataset, Findings]:
        self._check_space()
        self._tell_layouts()
        point = self._refer()
        dataset = open_stack(
            self._source,
            self._layers,
            self._maps,
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
            carry_over(self._base, dataset)
        zarr = self._options.zarr
        if zarr is not None and not self._workspace.output(zarr).is_dir():
            # An earlier attempt was killed when the store had got its name already.
            self._workspace.clear()
        with Journal(self._workspace.note, self._survey()) as journal:
            self._begin(journal, dataset)
            targets = self._targets()
            self._write_blocks(targets, journal)
            findings = self._describe(dataset, targets, journal)
            self._write_netcdf(dataset, journal)
            self._assess(dataset)
            self._reporter.info("Reading the outputs back to check them.")
            self._verify(dataset)
            complete(self._reporter)
        return dataset, findings

    def _begin(self, journal: Journal, dataset: xr.Dataset) -> None:
        """Lay the outputs out, or find those that an earlier attempt laid out."""
        texts = {key: value for key, value in dataset.attrs.items() if isinstance(value, str)}
        if journal.resume():
            # Such as the time of creation, which the groups hold already.
            dataset.attrs.update(journal.texts)
            if self._options.zarr is not None:
                remove_unfinished_chunks(self._workspace.output(self._options.zarr))
            self._reporter.info(
                f"Going on with a build that stopped; {len(journal)} pieces of work are done."
            )
            return
        if self._spool is not None:
            self._spool.folder.mkdir(exist_ok=True)
        for store in self._stores():
            for name in self._options.groups:
                stop_if_canceled(self._reporter)
                lay_out_group(
                    store,
                    name,
                    dataset,
                    self._layers,
                    self._maps if name == SPATIAL_GROUP else self._series,
                    self._maps[1:],
                    self._options.zarr_format,
                    self._shards(name),
                )
        journal.begin(texts)

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
            self._map_unit,
            self._series_unit,
            self._budget,
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

    def _describe(self, dataset: xr.Dataset, targets: Targets, journal: Journal) -> Findings:
        """Add what the pixels told to the dataset and to the Zarr groups."""
        findings = journal.learned.survey.findings()
        statistics = {
            name: values for name, values in findings.statistics.items() if name in dataset
        }
        known = {} if self._base is None else dict(self._base.differences)
        differences = {
            name: {DIFFERENCE: max(value, known.get(name, value))}
            for name, value in (known | journal.learned.differences).items()
        }
        outline = findings.outline
        bounds = outline_attributes(self._source.grid, outline) if outline.size else {}
        for group in (*targets.spatial, *targets.temporal):
            group.finish(differences, statistics, bounds)
        for store in self._stores():
            consolidate(store, self._options.groups, self._options.zarr_format)
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
            self._options.zarr_format,
            self._reporter,
        )

    @property
    def _spool(self) -> NetcdfSpool | None:
        """Where the chunks of the NetCDF file wait."""
        if self._options.netcdf is None:
            return None
        folder = self._workspace.folder(self._options.netcdf) / "chunks"
        return NetcdfSpool(folder, netcdf_chunks(self._maps))

    def _tell_layouts(self) -> None:
        """Tell how each output is stored and what that serves."""
        shape = (len(self._source.steps), *self._shape)
        layouts = []
        if self._options.netcdf is not None:
            layouts.append(Layout("NetCDF", shape, (1, *netcdf_chunks(self._maps))))
        for name in self._options.groups if self._stores() else ():
            chunks = self._maps if name == SPATIAL_GROUP else self._series
            shards = self._shards(name)
            layouts.append(Layout(name, shape, chunks, None if shards is None else shards[0]))
        for layout in layouts:
            self._reporter.info(layout.describe())

    def _shards(self, group: str) -> tuple[tuple[int, int, int], tuple[int, int]] | None:
        if not self._options.sharding:
            return None
        unit = self._map_unit if group == SPATIAL_GROUP else self._series_unit
        return unit, self._map_unit[1:]

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
        names = [name for product in products for name in source_granules(product)]
        return look_up_granules(names, self._reporter)

    def _survey(self) -> Survey:
        layers = [item.layer for item in self._layers if item.per_step]
        return Survey(self._source.grid, layers, len(self._source.steps))

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
            self._source, point = refer_to_point(
                self._source, wanted, layers, self._reporter, self._budget
            )
        else:
            self._source, point = refer_new_steps(self._source, self._base, layers, self._reporter)
        self._reporter.info(
            f"All pairs are referred to the pixel at {point.x:.1f}, {point.y:.1f} "
            f"({self._source.grid.crs})."
        )
        return point

    def _check_space(self) -> None:
        size = estimate_bytes(self._source, self._layers)
        sizes: dict[Path, int] = {}
        if self._options.netcdf is not None:
            sizes[self._options.netcdf] = size
        if self._options.zarr is not None:
            sizes[self._options.zarr] = size * len(self._options.groups)
        remote = 0 if self._remote is None else size * len(self._options.groups)
        needed = (sum(sizes.values()) + remote) / 1e6
        self._reporter.info(f"The outputs take about {needed:,.0f} MB.")
        check_space(
            [
                (path, max(0, need - self._workspace.used_bytes(path)))
                for path, need in sizes.items()
            ]
        )
        groups = len(self._options.groups) * len(self._stores())
        netcdf = self._options.netcdf is not None
        tell_savings(self._source, self._layers, netcdf, groups, self._reporter)

    def _verify(self, dataset: xr.Dataset) -> None:
        netcdf, zarr = self._options.netcdf, self._options.zarr
        if netcdf is not None:
            path = self._workspace.output(netcdf)
            verify_stack(path, netcdf, self._source, dataset, self._layers)
        finals = [final for final in (zarr, self._options.remote) if final is not None]
        for store, final in zip(self._stores(), finals, strict=True):
            for group in self._options.groups:
                verify_stack(store, final, self._source, dataset, self._layers, group)


def _steps(plan: Plan, options: BuildOptions) -> list[Step]:
    """Return the products of each step: one, or the frames of a pass."""
    if not options.merge_passes or plan.placements[0].product.name.is_insar:
        return [(placement,) for placement in plan.placements]
    placements = {placement.product.name.text: placement for placement in plan.placements}
    return [
        tuple(placements[frame.name.text] for frame in frames)
        for frames in group_passes([placement.product for placement in plan.placements])
    ]
