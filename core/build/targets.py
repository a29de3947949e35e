"""What the pieces of a build share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..files.zarr_store import ZarrGroup
from ..machine.memory import MemoryBudget
from ..pixels.source import StackSource
from ..pixels.survey import Survey
from ..products.product import Product
from ..work.pieces import Receipts


class Sink(Protocol):
    """A file or group that takes blocks."""

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> Receipts:
        """Write a block of whole chunks; return what was written."""


@dataclass(frozen=True)
class Targets:
    """What all pieces of a build share; can be pickled.

    Parameters
    ----------
    source
        Where blocks come from.
    layers
        Layers of the stack.
    survey
        An empty survey; each piece fills a copy.
    maps
        Steps (1), rows and columns of what is written as a whole in groups that serve maps: a chunk
        or a shard.
    series
        Steps (all), rows and columns of the same in groups that serve series.
    budget
        Sizes of blocks and number of threads.
    spools
        Take what a NetCDF file is put together from.
    spatial
        Groups that are chunked by maps.
    temporal
        Groups that are chunked by series.
    """

    source: StackSource
    layers: tuple[StackLayer, ...]
    survey: Survey
    maps: tuple[int, int, int]
    series: tuple[int, int, int]
    budget: MemoryBudget = MemoryBudget()
    spools: tuple[Sink, ...] = ()
    spatial: tuple[ZarrGroup, ...] = ()
    temporal: tuple[ZarrGroup, ...] = ()

    @property
    def near(self) -> ZarrGroup | None:
        """The spatial group to read maps from again, where one lies on a disk.

        Reading and warping products again takes less time than getting maps over a network.
        """
        return next((group for group in self.spatial if not group.is_remote), None)

    @property
    def map_sinks(self) -> Sequence[Sink]:
        """What takes the layers that change with the steps, map by map."""
        return (*self.spools, *self.spatial)

    @property
    def static_sinks(self) -> Sequence[Sink]:
        """What takes the other layers, which are chunked alike in both groups."""
        return (*self.map_sinks, *self.temporal)

    @property
    def threads(self) -> int:
        """Number of threads that pieces may use in this process."""
        return self.budget.threads

    def with_threads(self, threads: int) -> Targets:
        """Return the same for a process with another number of threads."""
        return replace(self, budget=replace(self.budget, threads=threads))

    @property
    def _read(self) -> list[Product]:
        return [item.product for item in self.source.placements if item.stored_step is None]

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Product folders and zips, and the stack that is appended to."""
        paths = [product.location for product in self._read]
        if self.source.stored is not None:
            paths.append(self.source.stored.path)
        return tuple(dict.fromkeys(paths))

    @property
    def raster(self) -> str | None:
        """GDAL path of a layer of one of the products; None where no product is read."""
        product = next(iter(self._read), None)
        return None if product is None else product.layer_path(next(iter(product.layers)))


SERIES = "series"
"""First word of the keys of pieces that read what others have written."""


def is_of_series(key: str) -> bool:
    """Return whether a key is that of a piece that reads what others have written."""
    return key.startswith(f"{SERIES} ")
