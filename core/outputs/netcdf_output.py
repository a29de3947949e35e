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
from ..files.netcdf_file import NETCDF, NetcdfSpool, failing_chunks, fits_twice, write_netcdf
from ..files.verify import Sample, verify_chunks, verify_stack
from ..files.workspace import Workspace
from ..run.reporter import Reporter
from ..work.pieces import Receipt
from .output import Places, Sinks


@dataclass(frozen=True)
class NetcdfOutput:
    """A NetCDF-4 file; see :class:`core.outputs.output.Output`."""

    path: Path

    parameter: ClassVar[str] = "NETCDF"
    groups: ClassVar[tuple[str, ...]] = ()

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
        return (self.parameter, self.name)

    def estimate(self, size: int) -> int:
        """Return about how many bytes it takes."""
        return size

    def describe(self, layouts: Layouts) -> list[Layout]:
        """Return how the layers that change with the steps are stored."""
        return [Layout("NetCDF", layouts.shape, (1, *layouts.netcdf))]

    def source(self, variable: str) -> str:
        """Return how GDAL names a variable."""
        return f'NETCDF:"{self.path}":{variable}'

    def writer(
        self, places: Places, layers: Sequence[StackLayer], layouts: Layouts
    ) -> NetcdfWriter:
        """Return what writes it."""
        return NetcdfWriter(self.path, places.workspace, layers, layouts.netcdf)


class NetcdfWriter:
    """Writes a NetCDF file; see :class:`core.outputs.output.OutputWriter`.

    Its chunks wait in a folder until all are there.

    Parameters
    ----------
    final
        The file to be.
    workspace
        Where it is written until then.
    layers
        Layers of the stack.
    chunks
        Rows and columns of a chunk.
    """

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
        """Return whether the folder of the chunks is there."""
        return self._spool.folder.is_dir()

    def lay_out(self, dataset: xr.Dataset, reporter: Reporter) -> None:
        """Make the folder of the chunks; the file is laid out when it is put together."""
        self._spool.folder.mkdir(exist_ok=True)

    def remove_failing(self, receipts: Mapping[str, Receipt], reporter: Reporter) -> set[str]:
        """Return the chunks that are missing or not as noted."""
        return self._spool.failing(receipts, reporter)

    def renumber(self, steps: Mapping[int, int]) -> None:
        """Give the chunks of single steps other numbers."""
        self._spool.renumber([item.name for item in self._layers if item.per_step], steps)

    def sinks(self) -> Sinks:
        """Return what takes blocks."""
        return Sinks(maps=(self._spool,))

    def keeps_blocks(self) -> bool:
        """Return whether the disk has room for the chunks and for the file."""
        return fits_twice(self._spool)

    def finish(self, dataset: xr.Dataset, additions: Additions, reporter: Reporter) -> None:
        """Put the file together."""
        keep = self.keeps_blocks()
        write_netcdf(self.place, dataset, self._layers, self._spool, keep, reporter)

    def seal(self, attributes: Mapping[str, str]) -> None:
        """Add the last attributes of the stack."""
        with netCDF4.Dataset(self.place, "a") as file:
            file.setncatts(attributes)

    def verify(
        self,
        dataset: xr.Dataset,
        samples: Sequence[Sample],
        receipts: Mapping[str, Receipt],
        reporter: Reporter,
    ) -> None:
        """Read it again."""
        verify_stack(self.place, self._final, dataset, samples)
        verify_chunks(self._final, failing_chunks(self.place, self._layers, receipts, reporter))

    def proof(self, receipts: Mapping[str, Receipt]) -> list[int]:
        """Return size and time of the file, which a new name does not change."""
        return _size_and_time(self.place)

    def stands(self, proof: Any, receipts: Mapping[str, Receipt], reporter: Reporter) -> bool:
        """Return whether the file is the one that was proven."""
        file = self._workspace.place(self._final)
        return _size_and_time(file) == proof and not failing_chunks(
            file, self._layers, receipts, reporter
        )


def _size_and_time(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
