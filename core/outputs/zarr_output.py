"""A stack as a Zarr store, on a disk or in an object store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import xarray as xr

from ..contract import SPATIAL_GROUP, TEMPORAL_GROUP
from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..files.chunk_files import renumber_chunks
from ..files.chunking import Layout, Layouts
from ..files.receipts import failing_chunk_files, failing_objects, other_files
from ..files.verify import Sample, verify_chunks, verify_stack
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
from ..run.reporter import Reporter
from ..work.pieces import Receipt
from .output import Output, OutputPlaces, OutputWriter, Sinks

GROUPS = (SPATIAL_GROUP, TEMPORAL_GROUP)
"""Groups of stores: chunked to serve maps, and to serve series."""


@dataclass(frozen=True)
class ZarrOutput:
    """A Zarr store; see :class:`.output.Output`."""

    final: Path | RemoteLocation  # its folder, or its place in an object store
    groups: tuple[str, ...] = GROUPS  # names of its groups
    zarr_format: int = 2  # 2 or 3

    @property
    def parameter(self) -> str:
        """The parameter that asks for it."""
        return "ZARR" if isinstance(self.final, Path) else "ZARR_URL"

    @property
    def identity(self) -> tuple[Any, ...]:
        """What is the same for outputs that hold the same at the same place."""
        return self.parameter, str(self.final), self.groups, self.zarr_format

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""
        return layouts.of_groups(self.groups)

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""
        place = self.final if isinstance(self.final, Path) else self.final.gdal_path
        return f"{place}/{self.groups[0]}/{variable}"

    def writer(
        self, places: OutputPlaces, layers: Sequence[StackLayer], layouts: Layouts
    ) -> OutputWriter:
        """Return what writes it."""
        if isinstance(self.final, Path):
            return _FolderWriter(self, self.final, places, layers, layouts)
        if places.remote is None:
            raise ValueError("a store in an object store has to be open")
        return _RemoteWriter(self, places.remote, layers, layouts)


def with_groups(outputs: Sequence[Output], groups: Sequence[str]) -> tuple[Output, ...]:
    """Return outputs whose stores have these groups as well."""
    return tuple(
        replace(output, groups=tuple(name for name in GROUPS if name in {*output.groups, *groups}))
        if isinstance(output, ZarrOutput)
        else output
        for output in outputs
    )


class _ZarrWriter:
    """What both kinds of stores share; see :class:`.output.OutputWriter`."""

    def __init__(
        self,
        output: ZarrOutput,
        place: Path | LateMetadataStore,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        self._output = output
        self._store = place
        self._layers = layers
        self._layouts = layouts
        self._groups: dict[str, ZarrGroup] = {}

    @property
    def _arrays(self) -> list[str]:
        """Names of the arrays of layers."""
        return [f"{group}/{item.name}" for group in self._output.groups for item in self._layers]

    def lay_out(self, dataset: xr.Dataset, reporter: Reporter) -> None:
        groups, form = self._output.groups, self._output.zarr_format
        lay_out_store(self._store, groups, dataset, self._layers, self._layouts, form, reporter)

    def sinks(self) -> Sinks:
        names = self._output.groups
        self._groups = {name: ZarrGroup(self._store, name, self._layers) for name in names}
        maps, series = (
            tuple(group for name, group in self._groups.items() if name == wanted)
            for wanted in GROUPS
        )
        # Warping products again takes less time than getting maps over a network.
        return Sinks(maps, series, next((group for group in maps if not group.is_remote), None))

    def keeps_blocks(self) -> bool:
        return True

    def finish(self, dataset: xr.Dataset, additions: Additions, reporter: Reporter) -> None:
        for group in self._groups.values():
            group.add(additions)

    def seal(self, attributes: Mapping[str, str]) -> None:
        for group in self._groups.values():
            group.add(Additions(of_stack=attributes))
        consolidate(self._store, self._output.groups, self._output.zarr_format)

    def verify(
        self,
        dataset: xr.Dataset,
        samples: Sequence[Sample],
        receipts: Mapping[str, Receipt],
        reporter: Reporter,
    ) -> None:
        for group in self._output.groups:
            verify_stack(self._store, self._output.final, dataset, samples, group)
        verify_chunks(self._output.final, self._failing(receipts, reporter))

    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are missing, not as noted, or too many."""
        raise NotImplementedError


class _FolderWriter(_ZarrWriter):
    label: ClassVar[str] = NEAR

    def __init__(
        self,
        output: ZarrOutput,
        final: Path,
        places: OutputPlaces,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        self.place = places.workspace.output(final)
        super().__init__(output, self.place, layers, layouts)
        self._final = final
        self._workspace = places.workspace

    def is_laid_out(self) -> bool:
        return is_laid_out(self.place, self._output.groups, self._layers)

    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return failing_chunk_files(self.place, self._arrays, receipts, reporter)

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        remove_unfinished_chunks(self.place)
        found = self._failing(receipts, reporter)
        for name in found:
            remove(self.place / name)
        return found

    def renumber(self, numbers: Mapping[int, int]) -> None:
        for group in self._output.groups:
            for item in self._layers:
                is_of_step = item.per_step and group == SPATIAL_GROUP
                renumber_chunks(self.place / group / item.name, numbers if is_of_step else {})

    def seal(self, attributes: Mapping[str, str]) -> None:
        # A worker that is lost in the middle of a chunk leaves its temporary file.
        remove_unfinished_chunks(self.place)
        super().seal(attributes)

    def proof(self, receipts: Mapping[str, Receipt]) -> Any:
        return other_files(self.place, receipts)

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        others = {name: (size, value, "") for name, (size, value, _) in proof.items()}
        store = self._workspace.place(self._final)
        return not failing_chunk_files(store, self._arrays, {**receipts, **others}, reporter)


class _RemoteWriter(_ZarrWriter):
    """What is in an object store does not last when a run is stopped: the next one starts over."""

    label: ClassVar[str] = REMOTE

    def __init__(
        self,
        output: ZarrOutput,
        store: LateMetadataStore,
        layers: Sequence[StackLayer],
        layouts: Layouts,
    ) -> None:
        super().__init__(output, store, layers, layouts)
        self.place = store

    def _failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return failing_objects(self.place.location, self._arrays, receipts, reporter)
