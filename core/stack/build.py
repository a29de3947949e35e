"""Writes a stack: one pass for maps, one for series, then a check, then the final names."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..errors import OutputError
from ..grid.plan import Plan
from ..grid.reading import gdal_environment
from ..products.layers import Layer
from ..reporter import Reporter, step, stop_if_canceled
from ..atomic import complete_or_absent
from ..blocks import BAND_BYTES, bands, run_blocks
from .chunking import spatial_chunks, temporal_chunks
from .dataset import StackLayer, open_stack, stack_layers
from .netcdf_file import NetcdfFile
from .source import StackSource
from .space import check_space, estimate_bytes
from .verify import verify_stack
from .zarr_store import ZarrGroup, consolidate

_TILE_BYTES = 256_000_000
"""Largest block of whole series that is put together in memory."""


@dataclass(frozen=True)
class BuildOptions:
    """What is written and how; see the parameters of ``hyp3:buildstack``."""

    netcdf: Path | None = None
    zarr: Path | None = None
    chunking: str = "both"
    chunk_megabytes: float = 4.0
    zarr_format: int = 2
    static_mode: str = "once"
    resampling: str = "auto"
    history: str = ""

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups of the Zarr store."""
        both = (SPATIAL_GROUP, TEMPORAL_GROUP)
        return {"spatial": both[:1], "temporal": both[1:], "both": both}[self.chunking]


class Sink(Protocol):
    """A file or group that takes blocks."""

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> None:
        """Write a block of whole chunks."""

    def finish(self, attributes: dict[str, dict[str, Any]]) -> None:
        """Add attributes known only at the end."""


@dataclass
class _Differences:
    """Largest difference between products in each static layer, gathered from threads."""

    largest: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, difference: float | None) -> None:
        if difference is not None:
            with self._lock:
                self.largest[name] = max(difference, self.largest.get(name, 0.0))

    def attributes(self) -> dict[str, dict[str, Any]]:
        return {
            name: {"largest_difference_between_products": value}
            for name, value in self.largest.items()
        }


def build_stack(
    plan: Plan, layers: tuple[Layer, ...], options: BuildOptions, reporter: Reporter
) -> xr.Dataset:
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
    Dataset
        The stack as described before writing (lazy).

    Raises
    ------
    OutputError
        If an output cannot be written, does not fit on its disk, or does not read back right.
    ProductError
        If a product turns out to be damaged while it is read.
    Canceled
        If the user asked to stop.
    """
    with gdal_environment(), ExitStack() as outputs:
        return _Build(plan, layers, options, reporter, outputs).run()


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
        self._source = StackSource.of(plan, options.resampling)
        self._layers = stack_layers(layers, options.static_mode)
        self._steps = len(plan.placements)
        grid = plan.grid
        self._shape = (grid.height, grid.width)
        self._maps = spatial_chunks(*self._shape, options.chunk_megabytes)
        self._series = temporal_chunks(self._steps, *self._shape, options.chunk_megabytes)
        self._differences = _Differences()

    def run(self) -> xr.Dataset:
        dataset = open_stack(self._source, self._layers, self._maps, self._options.history)
        self._check_space()
        netcdf = self._partial(self._options.netcdf)
        store = self._partial(self._options.zarr)
        map_sinks: list[Sink] = []
        static_sinks: list[Sink] = []
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
        static_sinks = [*map_sinks, *([temporal] if temporal is not None else [])]

        share = 55.0 if temporal is not None and map_sinks else 0.0 if temporal is not None else 95.0
        with step(self._reporter, 0.0, max(share, 5.0)) as reporter:
            self._write_maps(map_sinks, static_sinks, reporter)
        if temporal is not None:
            with step(self._reporter, max(share, 5.0), 95.0) as reporter:
                self._write_series(temporal, spatial, reporter)

        for sink in static_sinks:
            sink.finish(self._differences.attributes())
        if store is not None:
            consolidate(store, tuple(groups), self._options.zarr_format)
        self._reporter.info("Reading the outputs back to check them.")
        self._verify(dataset, netcdf, store)
        stop_if_canceled(self._reporter)
        return dataset

    def _check_space(self) -> None:
        size = estimate_bytes(self._source, self._layers)
        needs = []
        if self._options.netcdf is not None:
            needs.append((self._options.netcdf, size))
        if self._options.zarr is not None:
            needs.extend((self._options.zarr, size) for _ in self._options.groups)
        self._reporter.info(f"The outputs take about {sum(n for _, n in needs) / 1e6:,.0f} MB.")
        check_space(needs)

    def _partial(self, final: Path | None) -> Path | None:
        return None if final is None else self._outputs.enter_context(complete_or_absent(final))

    def _group(self, store: Path, name: str, dataset: xr.Dataset) -> ZarrGroup:
        return ZarrGroup(
            store,
            name,
            dataset,
            self._layers,
            self._maps if name == SPATIAL_GROUP else self._series,
            self._maps[1:],
            self._options.zarr_format,
        )

    def _map_blocks(self) -> list[tuple[slice, slice]]:
        """Cut the grid into blocks of whole chunks, each small enough for one thread."""
        _, chunk_rows, chunk_columns = self._maps
        height, width = self._shape
        columns = list(bands(width, chunk_columns, BAND_BYTES // 4 // chunk_rows))
        most_rows = BAND_BYTES // 4 // columns[0].stop
        return [
            (rows, column) for rows in bands(height, chunk_rows, most_rows) for column in columns
        ]

    def _write_maps(self, sinks: list[Sink], static_sinks: list[Sink], reporter: Reporter) -> None:
        """Write everything that is chunked by single maps: static layers too."""
        blocks = self._map_blocks()
        tasks: list[tuple[StackLayer, int, list[tuple[slice, slice]]]] = [
            (item, number, blocks)
            for item in self._layers
            if item.per_step and sinks
            for number in range(self._steps)
            if self._source.has(item.layer, number)
        ]
        tasks += [
            (item, 0, [block]) for item in self._layers if not item.per_step for block in blocks
        ]

        def work(task: tuple[StackLayer, int, list[tuple[slice, slice]]]) -> None:
            item, number, parts = task
            if item.per_step:
                self._write_map(item, number, parts, sinks)
            else:
                self._write_static(item, *parts[0], static_sinks)

        run_blocks(work, tasks, len(tasks), reporter)

    def _write_map(
        self, item: StackLayer, number: int, parts: list[tuple[slice, slice]], sinks: list[Sink]
    ) -> None:
        """Write one layer of one step, through one open file."""
        with self._source.reader(item.layer, number) as reader:
            for rows, columns in parts:
                stop_if_canceled(self._reporter)
                if self._source.touches(number, rows, columns):
                    block = reader.read(rows, columns)[np.newaxis]
                    for sink in sinks:
                        sink.write(item, slice(number, number + 1), rows, columns, block)

    def _write_static(
        self, item: StackLayer, rows: slice, columns: slice, sinks: list[Sink]
    ) -> None:
        block, difference = self._source.read_static(item.layer, rows, columns)
        self._differences.add(item.name, difference)
        for sink in sinks:
            sink.write(item, slice(0, 1), rows, columns, block)

    def _write_series(
        self, temporal: ZarrGroup, spatial: ZarrGroup | None, reporter: Reporter
    ) -> None:
        """Write what is chunked by whole series, from the maps just written where there are any.

        Those are already warped and masked, so the products need not be read and warped again.
        """
        tiles = [
            (item, rows, columns)
            for item in self._layers
            if item.per_step
            for rows, columns in self._series_tiles(item)
        ]
        for number, (item, rows, columns) in enumerate(tiles):
            shape = (self._steps, rows.stop - rows.start, columns.stop - columns.start)
            tile = np.empty(shape, item.layer.dtype)
            steps = list(bands(self._steps, 1, 1))

            def gather(
                steps: slice,
                item: StackLayer = item,
                rows: slice = rows,
                columns: slice = columns,
                tile: NDArray[Any] = tile,
            ) -> None:
                if spatial is not None:
                    tile[steps] = spatial.read(item, steps, rows, columns)
                else:
                    tile[steps] = self._source.read(item.layer, steps.start, rows, columns)

            def scatter(
                part: tuple[slice, slice],
                item: StackLayer = item,
                rows: slice = rows,
                columns: slice = columns,
                tile: NDArray[Any] = tile,
            ) -> None:
                inner = tile[
                    :,
                    part[0].start - rows.start : part[0].stop - rows.start,
                    part[1].start - columns.start : part[1].stop - columns.start,
                ]
                temporal.write(item, slice(0, self._steps), *part, inner)

            parts = [
                (slice(rows.start + row.start, rows.start + row.stop), 
                 slice(columns.start + column.start, columns.start + column.stop))
                for row in bands(shape[1], self._series[1], self._series[1])
                for column in bands(shape[2], self._series[2], self._series[2])
            ]
            with step(reporter, 100.0 * number / len(tiles), 100.0 * (number + 1) / len(tiles)) as r:
                with step(r, 0.0, 60.0) as gathering:
                    run_blocks(gather, steps, len(steps), gathering)
                with step(r, 60.0, 100.0) as scattering:
                    run_blocks(scatter, parts, len(parts), scattering)

    def _series_tiles(self, item: StackLayer) -> Iterator[tuple[slice, slice]]:
        height, width = self._shape
        _, chunk_rows, chunk_columns = self._series
        itemsize = np.dtype(item.layer.dtype).itemsize
        pixels = _TILE_BYTES // (itemsize * self._steps)
        most_columns = max(chunk_columns, min(width, pixels // chunk_rows))
        columns = list(bands(width, chunk_columns, most_columns))
        wide = columns[0].stop
        for rows in bands(height, chunk_rows, max(chunk_rows, pixels // wide)):
            for column in columns:
                yield rows, column

    def _verify(self, dataset: xr.Dataset, netcdf: Path | None, store: Path | None) -> None:
        if netcdf is not None and self._options.netcdf is not None:
            verify_stack(netcdf, self._options.netcdf, self._source, dataset, self._layers)
        if store is not None and self._options.zarr is not None:
            for group in self._options.groups:
                verify_stack(
                    store, self._options.zarr, self._source, dataset, self._layers, group
                )


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
    if netcdf is not None and netcdf == zarr:
        raise OutputError(f"NETCDF and ZARR are both {netcdf}; give them different names.")
    if netcdf is not None and netcdf.is_dir():
        raise OutputError(f"NETCDF is {netcdf}, which is a folder; give a file name ending in .nc.")
    if zarr is not None and zarr.exists():
        marks = (".zgroup", ".zattrs", "zarr.json")
        if not zarr.is_dir() or (
            any(zarr.iterdir()) and not any((zarr / mark).exists() for mark in marks)
        ):
            raise OutputError(
                f"ZARR is {zarr}, which exists and is not a Zarr store; it is not replaced, so "
                "give another name."
            )
    for name, path in (("NETCDF", netcdf), ("ZARR", zarr)):
        if path is not None and (path == inputs or path in inputs.parents):
            raise OutputError(
                f"{name} is {path}, which holds the input folder; give another name."
            )


