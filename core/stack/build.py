"""Writes a stack: one pass for maps, one for series, then a check, then the final names."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import xarray as xr

from ..atomic import complete_or_absent
from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..disk import check_space
from ..errors import InvalidParameterError, OutputError
from ..grid.plan import Plan
from ..grid.reading import gdal_environment
from ..metadata.acquisitions import source_granules
from ..metadata.enrichment import Details, look_up_granules
from ..metadata.extent import outline_attributes
from ..products.layers import SOURCE_FRAME, Layer
from ..products.passes import group_passes
from ..reporter import Reporter, complete, step, stop_if_canceled
from .chunking import spatial_chunks, temporal_chunks
from .dataset import open_stack, stack_layers
from .maps import Sink, write_maps
from .masks import mask_inputs, mask_layers
from .netcdf_file import NetcdfFile
from .reference import ReferencePoint, refer_to_point
from .savings import tell_savings
from .series import write_series
from .source import StackSource, Step
from .space import estimate_bytes
from .survey import Findings, Survey
from .values import ValueOptions
from .verify import verify_stack
from .zarr_store import ZarrGroup, consolidate


@dataclass(frozen=True)
class BuildOptions:
    """What is written and how; see the parameters of ``hyp3:buildstack``."""

    netcdf: Path | None = None
    zarr: Path | None = None
    chunking: str = "both"
    chunk_megabytes: float = 4.0
    zarr_format: int = 2
    static_mode: str = "once"
    values: ValueOptions = field(default=ValueOptions())
    merge_passes: bool = False
    reference_point: str | None = None
    masks: bool = True
    enrich: bool = False
    history: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the Zarr store."""
        both = (SPATIAL_GROUP, TEMPORAL_GROUP)
        return {"spatial": both[:1], "temporal": both[1:], "both": both}[self.chunking]


def build_stack(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, reporter: Reporter
) -> tuple[xr.Dataset, Findings]:
    """Write a stack to NetCDF and/or Zarr.

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
    Canceled
        If the user asked to stop.
    """
    try:
        with gdal_environment(), ExitStack() as outputs:
            return _Build(plan, layers, options, reporter, outputs).run()
    except OSError as error:
        targets = " and ".join(str(path) for path in (options.netcdf, options.zarr) if path)
        raise OutputError(
            f"{targets} cannot be written ({error.strerror or error}); free some space or choose "
            "another folder."
        ) from error


class _Build:
    """One run: what the passes share."""

    def __init__(
        self,
        plan: Plan,
        layers: tuple[Layer, ...],
        options: BuildOptions,
        reporter: Reporter,
        outputs: ExitStack,
    ) -> None:
        self._options = options
        self._reporter = reporter
        self._outputs = outputs
        self._source = StackSource.of(plan.grid, _steps(plan, options), options.values)
        if any(len(step) > 1 for step in self._source.steps):
            layers = (*layers, SOURCE_FRAME)
        if options.masks:
            inputs = mask_inputs(layers)
            self._source = replace(self._source, mask_inputs=inputs)
            layers = (*layers, *mask_layers(inputs))
        self._layers = stack_layers(layers, options.static_mode)
        self._shape = (plan.grid.height, plan.grid.width)
        self._maps = spatial_chunks(*self._shape, options.chunk_megabytes)
        steps = len(self._source.steps)
        self._series = temporal_chunks(steps, *self._shape, options.chunk_megabytes)

    def run(self) -> tuple[xr.Dataset, Findings]:
        self._check_space()
        point = self._refer()
        survey = self._survey()
        dataset = open_stack(
            self._source,
            self._layers,
            self._maps,
            self._options.history,
            point,
            self._details() if self._options.enrich else None,
        )
        netcdf = self._partial(self._options.netcdf)
        store = self._partial(self._options.zarr)
        map_sinks: list[Sink] = []
        groups: dict[str, ZarrGroup] = {}
        if netcdf is not None:
            file = NetcdfFile(netcdf, dataset, self._layers, self._maps)
            self._outputs.enter_context(closing(file))
            map_sinks.append(file)
        if store is not None:
            groups = {name: self._group(store, name, dataset) for name in self._options.groups}
        spatial, temporal = groups.get(SPATIAL_GROUP), groups.get(TEMPORAL_GROUP)
        if spatial is not None:
            map_sinks.append(spatial)
        # Layers without a time dimension are chunked alike in both groups.
        static_sinks = [*map_sinks, *([] if temporal is None else [temporal])]

        maps_end = 95.0 if temporal is None else 55.0 if map_sinks else 5.0
        with step(self._reporter, 0.0, maps_end) as reporter:
            differences = write_maps(
                self._source, self._layers, self._maps, map_sinks, static_sinks, survey, reporter
            )
        if temporal is not None:
            with step(self._reporter, maps_end, 95.0) as reporter:
                write_series(
                    self._source, self._layers, self._series, temporal, spatial, survey, reporter
                )

        findings = survey.findings()
        statistics = {
            name: values for name, values in findings.statistics.items() if name in dataset
        }
        outline = findings.outline
        bounds = outline_attributes(self._source.grid, outline) if outline.size else {}
        for sink in static_sinks:
            sink.finish(differences, statistics, bounds)
        dataset.attrs |= bounds
        for name, values in statistics.items():
            dataset[name].values = values
        if store is not None:
            consolidate(store, tuple(groups), self._options.zarr_format)
        self._reporter.info("Reading the outputs back to check them.")
        self._verify(dataset, netcdf, store)
        complete(self._reporter)
        return dataset, findings

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
        self._source, point = refer_to_point(self._source, wanted, layers, self._reporter)
        self._reporter.info(
            f"All pairs are referred to the pixel at {point.x:.1f}, {point.y:.1f} "
            f"({self._source.grid.crs})."
        )
        return point

    def _check_space(self) -> None:
        size = estimate_bytes(self._source, self._layers)
        needs = []
        if self._options.netcdf is not None:
            needs.append((self._options.netcdf, size))
        if self._options.zarr is not None:
            needs.extend((self._options.zarr, size) for _ in self._options.groups)
        self._reporter.info(f"The outputs take about {sum(n for _, n in needs) / 1e6:,.0f} MB.")
        check_space(needs)
        groups = len(self._options.groups) if self._options.zarr is not None else 0
        netcdf = self._options.netcdf is not None
        tell_savings(self._source, self._layers, netcdf, groups, self._reporter)

    def _partial(self, final: Path | None) -> Path | None:
        return None if final is None else self._outputs.enter_context(complete_or_absent(final))

    def _group(self, store: Path, name: str, dataset: xr.Dataset) -> ZarrGroup:
        stop_if_canceled(self._reporter)
        return ZarrGroup(
            store,
            name,
            dataset,
            self._layers,
            self._maps if name == SPATIAL_GROUP else self._series,
            self._maps[1:],
            self._options.zarr_format,
        )

    def _verify(self, dataset: xr.Dataset, netcdf: Path | None, store: Path | None) -> None:
        if netcdf is not None and self._options.netcdf is not None:
            verify_stack(netcdf, self._options.netcdf, self._source, dataset, self._layers)
        if store is not None and self._options.zarr is not None:
            for group in self._options.groups:
                verify_stack(store, self._options.zarr, self._source, dataset, self._layers, group)


def _steps(plan: Plan, options: BuildOptions) -> list[Step]:
    """Return the products of each step: one, or the frames of a pass."""
    if not options.merge_passes or plan.placements[0].product.name.is_insar:
        return [(placement,) for placement in plan.placements]
    placements = {placement.product.name.text: placement for placement in plan.placements}
    return [
        tuple(placements[frame.name.text] for frame in frames)
        for frames in group_passes([placement.product for placement in plan.placements])
    ]


def check_outputs(options: BuildOptions, inputs: Path) -> None:
    """Check the output paths before any work is done.

    Raises
    ------
    OutputError
        If there is no output, or one would replace something that is not a stack.
    """
    netcdf, zarr = options.netcdf, options.zarr
    if netcdf is None and zarr is None:
        raise OutputError("No output is given; set NETCDF, ZARR or both.")
    given = {"NETCDF": netcdf, "ZARR": zarr}
    # Resolved, because links and ".." give one place several names.
    places = {name: path.resolve() for name, path in given.items() if path is not None}
    if len(places) == 2 and places["NETCDF"] == places["ZARR"]:
        raise OutputError(f"NETCDF and ZARR are both {netcdf}; give them different names.")
    for inner, outer in (("NETCDF", "ZARR"), ("ZARR", "NETCDF")):
        if len(places) == 2 and places[outer] in places[inner].parents:
            raise OutputError(
                f"{inner} is {given[inner]}, which lies in {outer}; give a name outside of it."
            )
    if netcdf is not None and os.path.isdir(netcdf):
        raise OutputError(f"NETCDF is {netcdf}, which is a folder; give a file name ending in .nc.")
    if netcdf is not None and os.path.exists(netcdf) and not _is_netcdf(netcdf):
        raise OutputError(
            f"NETCDF is {netcdf}, which exists and is not a NetCDF file; it is not replaced, so "
            "give another name."
        )
    if zarr is not None and os.path.exists(zarr):
        marks = (".zgroup", ".zattrs", "zarr.json")
        if not zarr.is_dir() or (
            any(zarr.iterdir()) and not any((zarr / mark).exists() for mark in marks)
        ):
            raise OutputError(
                f"ZARR is {zarr}, which exists and is not a Zarr store; it is not replaced, so "
                "give another name."
            )
    for name, place in places.items():
        if place == inputs.resolve() or place in inputs.resolve().parents:
            raise OutputError(
                f"{name} is {given[name]}, which holds the input folder; give another name."
            )


def _is_netcdf(path: Path) -> bool:
    """Tell whether a file is empty or begins as NetCDF-4 or classic files do."""
    with open(path, "rb") as file:
        start = file.read(4)
    return start in (b"", b"\x89HDF") or start.startswith(b"CDF")
