"""A stack as a Zarr store, on a disk or in an object store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..errors import OutputError
from ..files.chunk_files import renumber_chunks
from ..files.chunking import Layout, Layouts
from ..files.receipts import failing_chunk_files, other_files
from ..files.verify import Sample, verify_chunks, verify_stack
from ..files.workspace import Workspace
from ..files.zarr_layout import lay_out_store
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
from ..object_store.location import RemoteLocation
from ..object_store.proof import failing_objects
from ..run.reporter import Reporter
from ..work.pieces import Receipt
from .output import Output, Places, Sinks

_GROUPS = (SPATIAL_GROUP, TEMPORAL_GROUP)


@dataclass(frozen=True)
class ZarrOutput:
    """A Zarr store on a disk; see :class:`core.outputs.output.Output`.

    Parameters
    ----------
    path
        Its folder.
    groups
        Names of its groups: that which serves maps, that which serves series, or both.
    zarr_format
        2 or 3.
    """

    path: Path
    groups: tuple[str, ...]
    zarr_format: int = 2

    parameter: ClassVar[str] = "ZARR"

    @property
    def final(self) -> Path:
        """Its path."""
        return self.path

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What is the same for outputs that hold the same at the same place."""
        return (self.parameter, self.name, *self.groups, self.zarr_format)

    def estimate(self, size: int) -> int:
        """Return about how many bytes it takes."""
        return size * len(self.groups)

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""
        return layouts.of_groups(self.groups)

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""
        return f"{self.path}/{self.groups[0]}/{variable}"

    def writer(self, places: Places, layers: Sequence[StackLayer], layouts: Layouts) -> ZarrWriter:
        """Return what writes it."""
        return _FolderWriter(self, places.workspace, layers, layouts)


@dataclass(frozen=True)
class RemoteZarrOutput:
    """A Zarr store in an object store; see :class:`core.outputs.output.Output`.

    Parameters
    ----------
    location
        Its place.
    groups, zarr_format
        As those of :class:`ZarrOutput`.
    """

    location: RemoteLocation
    groups: tuple[str, ...]
    zarr_format: int = 2

    parameter: ClassVar[str] = "ZARR_URL"
    path: ClassVar[Path | None] = None

    @property
    def final(self) -> RemoteLocation:
        """Its place."""
        return self.location

    @property
    def name(self) -> str:
        """Its address."""
        return self.location.url

    @property
    def identity(self) -> tuple[Any, ...]:
        """What is the same for outputs that hold the same at the same place."""
        return (self.parameter, self.name, *self.groups, self.zarr_format)

    def estimate(self, size: int) -> int:
        """Return about how many bytes it takes."""
        return size * len(self.groups)

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""
        return layouts.of_groups(self.groups)

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""
        return f"{self.location.gdal_path}/{self.groups[0]}/{variable}"

    def writer(self, places: Places, layers: Sequence[StackLayer], layouts: Layouts) -> ZarrWriter:
        """Return what writes it."""
        if places.remote is None:
            raise ValueError("a store in an object store has to be open")
        return _RemoteWriter(self, places.remote, layers, layouts)


def with_groups(outputs: Sequence[Output], groups: Sequence[str]) -> tuple[Output, ...]:
    """Return outputs whose stores have these groups as well."""
    return tuple(
        replace(output, groups=tuple(name for name in _GROUPS if name in {*output.groups, *groups}))
        if isinstance(output, (ZarrOutput, RemoteZarrOutput))
        else output
        for output in outputs
    )


class ZarrWriter(ABC):
    """Writes a Zarr store; see :class:`core.outputs.output.OutputWriter`.

    Parameters
    ----------
    final
        Path or place that the store is going to have.
    place
        Folder of the unfinished store, or the store.
    output
        What the user wants.
    layers, layouts
        Layers of the stack, and how they are cut into chunks.
    """

    label: ClassVar[str]

    def __init__(
        self,
        final: Path | RemoteLocation,
        place: Path | LateMetadataStore,
        output: ZarrOutput | RemoteZarrOutput,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        self.place = place
        self._final = final
        self._names = output.groups
        self._format = output.zarr_format
        self._layers = layers
        self._layouts = layouts
        self._groups: dict[str, ZarrGroup] = {}

    @property
    def _arrays(self) -> list[str]:
        """Names of the arrays of layers."""
        return [f"{group}/{item.name}" for group in self._names for item in self._layers]

    @abstractmethod
    def is_laid_out(self) -> bool:
        """Return whether an earlier attempt has laid it out, and nothing has gone since."""

    def lay_out(self, dataset: xr.Dataset, reporter: Reporter) -> None:
        """Write all groups but for the blocks of layers; blocks that are there stay."""
        lay_out_store(
            self.place, self._names, dataset, self._layers, self._layouts, self._format, reporter
        )

    def sinks(self) -> Sinks:
        """Open what takes blocks."""
        self._groups = {name: ZarrGroup(self.place, name, self._layers) for name in self._names}
        maps, series = (
            tuple(group for name, group in self._groups.items() if name == wanted)
            for wanted in _GROUPS
        )
        return Sinks(maps, series, self._readable(maps))

    def _readable(self, maps: Sequence[ZarrGroup]) -> ZarrGroup | None:
        """Return the group to read from again."""
        return next(iter(maps), None)

    def keeps_blocks(self) -> bool:
        """Return true: nothing moves."""
        return True

    def finish(self, dataset: xr.Dataset, additions: Additions, reporter: Reporter) -> None:
        """Add what is known only after all blocks were read."""
        for group in self._groups.values():
            group.add(additions)

    def seal(self, attributes: Mapping[str, str]) -> None:
        """Add the last attributes of the stack, and gather the metadata."""
        for group in self._groups.values():
            group.add(Additions(of_stack=attributes))
        consolidate(self.place, self._names, self._format)

    def verify(
        self,
        dataset: xr.Dataset,
        samples: Sequence[Sample],
        receipts: Mapping[str, Receipt],
        reporter: Reporter,
    ) -> None:
        """Read it again."""
        for group in self._names:
            verify_stack(self.place, self._final, dataset, samples, group)
        verify_chunks(self._final, self._failing(receipts, reporter))

    @abstractmethod
    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are missing, not as noted, or too many."""

    @abstractmethod
    def renumber(self, steps: Mapping[int, int]) -> None:
        """Give the chunks of single steps other numbers."""

    @abstractmethod
    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are missing or not as noted; what is not noted is removed."""

    @abstractmethod
    def proof(self, receipts: Mapping[str, Receipt]) -> Any:
        """Return what proves it besides receipts once it is complete."""

    @abstractmethod
    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        """Return whether it is what was proven."""


class _FolderWriter(ZarrWriter):
    label = NEAR
    place: Path

    def __init__(
        self,
        output: ZarrOutput,
        workspace: Workspace,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        super().__init__(output.path, workspace.output(output.path), output, layers, layouts)
        self._path = output.path
        self._workspace = workspace

    def is_laid_out(self) -> bool:
        return is_laid_out(self.place, self._names, self._layers)

    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return failing_chunk_files(self.place, self._arrays, receipts, reporter)

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        remove_unfinished_chunks(self.place)
        found = self._failing(receipts, reporter)
        for name in found:
            remove(self.place / name)
        return found

    def renumber(self, steps: Mapping[int, int]) -> None:
        for group in self._names:
            for item in self._layers:
                is_of_step = item.per_step and group == SPATIAL_GROUP
                renumber_chunks(self.place / group / item.name, steps if is_of_step else {})

    def seal(self, attributes: Mapping[str, str]) -> None:
        # A worker that is lost in the middle of a chunk leaves its temporary file.
        remove_unfinished_chunks(self.place)
        super().seal(attributes)

    def proof(self, receipts: Mapping[str, Receipt]) -> Any:
        return other_files(self.place, receipts)

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        others = {name: (size, value, "") for name, (size, value, _) in proof.items()}
        store = self._workspace.place(self._path)
        written = {**receipts, **others}
        return not failing_chunk_files(store, self._arrays, written, reporter)


class _RemoteWriter(ZarrWriter):
    """Writes to an object store, where a run that was stopped leaves nothing."""

    label = REMOTE
    place: LateMetadataStore

    def __init__(
        self,
        output: RemoteZarrOutput,
        store: LateMetadataStore,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        super().__init__(output.location, store, output, layers, layouts)
        self._location = output.location

    def is_laid_out(self) -> bool:
        return False

    def _readable(self, maps: Sequence[ZarrGroup]) -> None:
        """Return none: warping products again takes less time than a way over a network."""
        return

    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return failing_objects(self._location, self._arrays, receipts)

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return set(receipts)

    def renumber(self, steps: Mapping[int, int]) -> None:
        raise OutputError("Objects cannot get other names")

    def proof(self, receipts: Mapping[str, Receipt]) -> None:
        return

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        return False
