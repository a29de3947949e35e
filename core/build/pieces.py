"""The pieces of work of a build: what each needs, what it gives back.

A piece can run in any thread or process that reaches the products and the unfinished outputs, and
more than once: it writes whole chunks, always the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from ..dataset.stack_layer import StackLayer
from ..files.receipts import Receipts
from ..files.zarr_store import ZarrGroup
from ..machine.memory import MemoryBudget, Scratch
from ..pixels.source import StackSource
from ..pixels.survey import Survey
from ..run.reporter import Reporter


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
    scratch
        Memory for blocks of whole series.
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
    scratch: Scratch = field(default_factory=Scratch)

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


@dataclass
class PieceResult:
    """What pieces learned from the pixels, and what they have written.

    Parameters
    ----------
    survey
        Coherence, coverage and outline.
    differences
        Largest difference between products, by name of the static layer.
    receipts
        What was written.
    """

    survey: Survey
    differences: dict[str, float] = field(default_factory=dict)
    receipts: Receipts = field(default_factory=dict)

    def merge(self, other: PieceResult) -> None:
        """Add what other pieces learned from the pixels."""
        self.survey.merge(other.survey)
        for name, value in other.differences.items():
            self.differences[name] = max(value, self.differences.get(name, 0.0))


SERIES = "series"
"""First word of the keys of pieces that read what others have written."""


def is_of_series(key: str) -> bool:
    """Return whether a key is that of a piece that reads what others have written."""
    return key.startswith(f"{SERIES} ")


class Piece(Protocol):
    """One piece of work; can be pickled."""

    @property
    def key(self) -> str:
        """A name that no other piece of the build has."""

    def run(self, targets: Targets, reporter: Reporter) -> PieceResult:
        """Do it."""
