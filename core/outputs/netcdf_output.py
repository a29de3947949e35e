"""A stack as a NetCDF file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import netCDF4
import xarray as xr

from ..dataset.findings import Additions
from ..dataset.stack_layer import StackLayer
from ..files.chunking import Layout, Layouts
from ..files.netcdf_file import (
    NETCDF,
    NetcdfSpool,
    failing_chunks,
    fits_twice,
    plain_errors,
    write_netcdf,
)
from ..files.verify import Sample, verify_chunks, verify_stack
from ..run.reporter import Reporter
from ..work.pieces import Receipt
from .output import OutputPlaces, OutputWriter, Sinks
from .workspace import Workspace


@dataclass(frozen=True)
class NetcdfOutput:
    """A NetCDF-4 file; see :class:`.output.Output`."""

    final: Path

    parameter: ClassVar[str] = "NETCDF"
    groups: ClassVar[tuple[str, ...]] = ()

    @property
    def identity(self) -> tuple[Any, ...]:
        """What is the same for outputs that hold the same at the same place."""
        return self.parameter, str(self.final)

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""
        return [Layout("NetCDF", layouts.shape, (1, *layouts.netcdf))]

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""
        return f'NETCDF:"{self.final}":{variable}'

    def writer(
        self, places: OutputPlaces, layers: Sequence[StackLayer], layouts: Layouts
    ) -> OutputWriter:
        """Return what writes it."""
        return _NetcdfWriter(self.final, places.workspace, layers, layouts.netcdf)


class _NetcdfWriter:
    """See :class:`.output.OutputWriter`; chunks wait in a folder until all are there."""

    label = NETCDF

    def __init__(
        self,
        final: Path,
        workspace: Workspace,
        layers: Sequence[StackLayer],
        chunks: tuple[int, int],
    ) -> None:
        self._final = final
        self._layers = layers
        self._workspace = workspace
        self._spool = NetcdfSpool(workspace.folder(final) / "chunks", chunks)
        self.place = workspace.output(final)

    def is_laid_out(self) -> bool:
        return self._spool.folder.is_dir()

    def lay_out(self, dataset: xr.Dataset, reporter: Reporter) -> None:
        """Make the folder of the chunks; the file is laid out when it is put together."""
        self._spool.folder.mkdir(exist_ok=True)

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        return self._spool.failing(receipts, reporter)

    def renumber(self, numbers: Mapping[int, int]) -> None:
        self._spool.renumber([item.name for item in self._layers if item.per_step], numbers)

    def sinks(self) -> Sinks:
        return Sinks(maps=(self._spool,))

    def keeps_blocks(self) -> bool:
        """Return whether the disk has room for the chunks and for the file."""
        return fits_twice(self._spool)

    def finish(self, dataset: xr.Dataset, additions: Additions, reporter: Reporter) -> None:
        keep = self.keeps_blocks()
        write_netcdf(self.place, dataset, self._layers, self._spool, keep, reporter)

    def seal(self, attributes: Mapping[str, str]) -> None:
        if attributes:
            with plain_errors(self.place), netCDF4.Dataset(self.place, "a") as file:
                file.setncatts(attributes)

    def verify(
        self,
        dataset: xr.Dataset,
        samples: Sequence[Sample],
        receipts: Mapping[str, Receipt],
        reporter: Reporter,
    ) -> None:
        verify_stack(self.place, self._final, dataset, samples)
        bad = failing_chunks(self.place, self._layers, receipts, reporter)
        verify_chunks(self._final, bad)

    def proof(self, receipts: Mapping[str, Receipt]) -> list[int]:
        return _size_and_time(self.place)

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        file = self._workspace.place(self._final)
        return _size_and_time(file) == proof and not failing_chunks(
            file, self._layers, receipts, reporter
        )


def _size_and_time(path: Path) -> list[int]:
    """Return what a new name does not change of a file."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
