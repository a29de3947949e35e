"""How the outputs of a build are cut into chunks, and how much of them is in memory at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..contract import SPATIAL_GROUP
from ..dataset.options import BuildOptions
from ..machine.memory import MOST_THREADS, MemoryBudget
from ..run.reporter import Reporter
from .chunk_uses import Layout
from .chunking import netcdf_chunks, shard_shape, spatial_chunks, temporal_chunks

Chunks = tuple[int, int, int]


@dataclass(frozen=True)
class Layouts:
    """The layouts of a stack.

    Parameters
    ----------
    shape
        Steps, rows and columns of the stack.
    maps, series
        Chunks that serve maps, and those that serve series.
    map_unit, series_unit
        What a thread writes at once, whole chunks or whole shards, so that no two threads write to
        one file.
    sharding
        Whether these are shards.
    budget
        Sizes of blocks and number of threads.
    """

    shape: Chunks
    maps: Chunks
    series: Chunks
    map_unit: Chunks
    series_unit: Chunks
    sharding: bool
    budget: MemoryBudget

    @classmethod
    def of(cls, options: BuildOptions, shape: Chunks, reporter: Reporter) -> Layouts:
        """Choose the layouts; the reporter is warned of chunks that exceed the memory."""
        height, width = shape[1:]
        maps = spatial_chunks(height, width, options.chunk_megabytes)
        series = temporal_chunks(shape[0], height, width, options.chunk_megabytes)
        largest = 4 * max(math.prod(maps), math.prod(series))
        # Workers of a cluster have threads of their own.
        threads = None if options.scheduler is None else MOST_THREADS
        budget = MemoryBudget.of(options.memory_megabytes, largest, threads)
        if not budget.holds(largest):
            reporter.warning(
                f"Chunks of {largest / 1e6:,.0f} MB take more memory than MEMORY "
                f"({options.memory_megabytes:,.0f} MB) allows; lower CHUNK_SIZE or raise MEMORY."
            )
        map_unit, series_unit = (
            shard_shape(chunks, height, width, budget.band_bytes / 1e6)
            if options.sharding
            else chunks
            for chunks in (maps, series)
        )
        return cls(shape, maps, series, map_unit, series_unit, options.sharding, budget)

    @property
    def netcdf(self) -> tuple[int, int]:
        """Rows and columns of a chunk of the NetCDF file."""
        return netcdf_chunks(self.maps)

    def chunks(self, group: str) -> Chunks:
        """Return the chunks of a Zarr group."""
        return self.maps if group == SPATIAL_GROUP else self.series

    def shards(self, group: str) -> tuple[Chunks, tuple[int, int]] | None:
        """Return the shards of a Zarr group, of layers with steps and of those without."""
        if not self.sharding:
            return None
        return self.map_unit if group == SPATIAL_GROUP else self.series_unit, self.map_unit[1:]

    def tell(self, netcdf: bool, groups: tuple[str, ...], reporter: Reporter) -> None:
        """Tell how each output is stored and what that serves."""
        layouts = [Layout("NetCDF", self.shape, (1, *self.netcdf))] if netcdf else []
        for name in groups:
            shards = self.shards(name)
            layouts.append(
                Layout(name, self.shape, self.chunks(name), None if shards is None else shards[0])
            )
        for layout in layouts:
            reporter.info(layout.describe())
