"""What the pieces of a build share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..dataset.stack_layer import StackLayer
from ..machine.memory import MemoryBudget
from ..outputs.output import Sink, Sinks
from ..pixels.source import StackSource
from ..pixels.survey import Survey
from ..products.product import Product


@dataclass(frozen=True)
class Targets:
    """What all pieces of a build share; can be pickled."""

    source: StackSource  # where blocks come from
    layers: tuple[StackLayer, ...]
    survey: Survey  # an empty survey; each piece fills a copy
    # Steps (1), rows and columns of what is written as a whole in groups that serve maps: a chunk
    # or a shard.
    maps: tuple[int, int, int]
    # Steps (all), rows and columns of the same in groups that serve series.
    series: tuple[int, int, int]
    budget: MemoryBudget = MemoryBudget()  # sizes of blocks and number of threads
    sinks: Sinks = Sinks()  # what takes the blocks

    @property
    def static_sinks(self) -> Sequence[Sink]:
        """What takes the other layers, which are chunked alike in both groups."""
        return (*self.sinks.maps, *self.sinks.series)

    @property
    def threads(self) -> int:
        """Number of threads that pieces may use in this process."""
        return self.budget.threads

    def with_threads(self, threads: int) -> Targets:
        """Return the same for a process with another number of threads."""
        return replace(self, budget=replace(self.budget, threads=threads))

    @property
    def _read(self) -> list[Product]:
        return [item.product for item in self.source.placements if item.kept_step is None]

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Product folders and zips, and the stack that is appended to."""
        paths = [product.location for product in self._read]
        if self.source.kept is not None:
            paths.append(self.source.kept.path)
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
