"""What a build asks of each of its outputs, whatever the format and wherever it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import xarray as xr
from numpy.typing import NDArray

from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..files.chunking import Layout, Layouts
from ..files.verify import Sample
from ..machine.disk import check_space
from ..object_store.late_metadata import LateMetadataStore
from ..object_store.location import RemoteLocation
from ..run.reporter import Reporter
from ..work.pieces import Receipt, Receipts
from .workspace import Workspace


@dataclass(frozen=True)
class OutputPlaces:
    """Where outputs are written until they are complete."""

    workspace: Workspace  # hidden folders beside the outputs on a disk
    remote: LateMetadataStore | None = None  # the store in an object store, if one is written


class Output(Protocol):
    """A form in which the user wants a stack; a new format is one class more."""

    @property
    def final(self) -> Path | RemoteLocation:
        """Where readers are going to find it."""

    @property
    def parameter(self) -> str:
        """The parameter that asks for it, under which a task returns it as well."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of a store, each a whole stack; empty for a file."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """What is the same for outputs that hold the same at the same place, in any run."""

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""

    def writer(
        self, places: OutputPlaces, layers: Sequence[StackLayer], layouts: Layouts
    ) -> OutputWriter:
        """Return what writes it."""


class Sink(Protocol):
    """A file or group that takes blocks; can be pickled."""

    def write(
        self, item: StackLayer, steps: slice, rows: slice, columns: slice, block: NDArray[Any]
    ) -> Receipts:
        """Write a block of whole chunks, or shards; those without data take no space.

        What was written is returned, by names that begin with the label of the output.

        Parameters
        ----------
        steps, rows, columns
            Position of the block; ``steps`` counts only where the layer changes with the steps.
        block
            Shape (steps, rows, columns) or (rows, columns).
        """


@runtime_checkable
class ReadableSink(Sink, Protocol):
    """One from which blocks can be read again."""

    def read(
        self, item: StackLayer, step: int, rows: slice, columns: slice, out: NDArray[Any]
    ) -> None:
        """Read a part of a map of a layer that changes with the steps."""


@dataclass(frozen=True)
class Sinks:
    """What takes the blocks of one or more outputs."""

    maps: tuple[Sink, ...] = ()  # take blocks of one step
    series: tuple[Sink, ...] = ()  # take blocks of all steps
    # The one of ``maps`` to read series from, if that takes less time than reading products.
    near: ReadableSink | None = field(default=None, repr=False)

    def __or__(self, other: Sinks) -> Sinks:
        """Return those of both."""
        return Sinks(
            (*self.maps, *other.maps), (*self.series, *other.series), self.near or other.near
        )


class OutputWriter(Protocol):
    """Writes an output, in the order of these methods.

    Receipts are those of this output alone, by names without its label.
    """

    @property
    def label(self) -> str:
        """First part of the names of the chunks of this output in receipts of pieces."""

    @property
    def place(self) -> Path | LateMetadataStore:
        """Where it is written."""

    def lay_out(self, dataset: xr.Dataset, reporter: Reporter) -> None:
        """Write all but the blocks of layers; blocks that are there stay."""

    def sinks(self) -> Sinks:
        """Open what takes blocks."""

    def keeps_blocks(self) -> bool:
        """Return whether :meth:`finish` leaves blocks as they are, so that it can be repeated."""

    def finish(self, dataset: xr.Dataset, additions: Additions, reporter: Reporter) -> None:
        """Add what is known only after all blocks were read, which the dataset has already."""

    def seal(self, attributes: Mapping[str, str]) -> None:
        """Add the last attributes of the stack, and what lists all that is there for readers."""

    def verify(
        self,
        dataset: xr.Dataset,
        samples: Sequence[Sample],
        receipts: Mapping[str, Receipt],
        reporter: Reporter,
    ) -> None:
        """Read it again and raise an `OutputError` at the first difference."""


@runtime_checkable
class LastingWriter(OutputWriter, Protocol):
    """One whose work lasts when a run is stopped, so that the next one goes on with it."""

    def is_laid_out(self) -> bool:
        """Return whether an earlier attempt has laid it out, and nothing has gone since."""

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are missing or not as noted; what is not noted is removed."""

    def renumber(self, numbers: Mapping[int, int]) -> None:
        """Give the chunks of single steps that an earlier attempt has written other numbers.

        Parameters
        ----------
        numbers
            New numbers by those before, in order. All other chunks are removed.
        """

    def proof(self, receipts: Mapping[str, Receipt]) -> Any:
        """Return what proves it besides receipts once it is complete, as JSON knows it."""

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        """Return whether it is what was proven, under its hidden or final name."""


def output_sizes(outputs: Sequence[Output], size: int) -> list[tuple[Path | RemoteLocation, int]]:
    """Return about how many bytes each output takes; ``size``: all layers, stored once."""
    return [(output.final, size * max(1, len(output.groups))) for output in outputs]


def check_outputs_fit(
    outputs: Sequence[Output], size: int, workspace: Workspace, reporter: Reporter
) -> None:
    """Report what outputs take, and check that it fits; what an earlier attempt wrote is there.

    Parameters
    ----------
    size
        Bytes of all layers, stored once.

    Raises
    ------
    OutputError
        If a disk is too small.
    """
    sizes = output_sizes(outputs, size)
    reporter.info(f"The outputs take about {sum(need for _, need in sizes) / 1e6:,.0f} MB.")
    check_space(
        [
            (final, max(0, need - workspace.used_bytes(final)))
            for final, need in sizes
            if isinstance(final, Path)
        ]
    )


def describe_outputs(outputs: Sequence[Output], layouts: Layouts) -> list[str]:
    """Return a sentence on each way in which layers are stored."""
    found = [layout.describe() for output in outputs for layout in output.describe(layouts)]
    return list(dict.fromkeys(found))
