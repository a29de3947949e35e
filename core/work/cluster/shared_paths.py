"""What a worker has to see: the inputs and the folders of the unfinished outputs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from rasterio.errors import RasterioError
from rasterio.windows import Window

from ...machine.atomic import LOCK
from ...raster.layer_reader import gdal_environment


@dataclass(frozen=True)
class SharedPaths:
    """Paths that have to mean the same on all workers and here."""

    inputs: tuple[Path, ...]  # folders and files that are read
    raster: str | None  # GDAL path of one of the rasters; None where none is read
    folders: tuple[Path, ...]  # where the outputs are written; the build holds a lock file in each

    def obstacle(self, mark: str) -> str:
        """Return what this process does not see, as the end of a sentence; nothing if all is well.

        Parameters
        ----------
        mark
            Name of a file to leave in each folder of the outputs: seen elsewhere, it shows that the
            folder is the same one.
        """
        return next(self._obstacles(mark), "")

    def _obstacles(self, mark: str) -> Iterator[str]:
        for path in self.inputs:
            if not path.exists():
                yield f"does not see {path}"
        if self.raster is not None:
            try:
                with gdal_environment(), rasterio.open(self.raster) as file:
                    file.read(1, window=Window(0, 0, 1, 1))
            except RasterioError as error:
                yield f"cannot read {self.raster} ({error})"
        if self.hidden_folder is not None:
            yield f"does not see the folder {self.hidden_folder} of the outputs"
        for folder in self.folders:
            try:
                (folder / mark).touch()
            except OSError as error:
                yield f"cannot write into {folder} ({error.strerror or error})"

    @property
    def hidden_folder(self) -> Path | None:
        """The first folder of the outputs whose lock file this process does not see."""
        return next((path for path in self.folders if not os.path.exists(path / LOCK)), None)


async def check_worker_paths(paths: SharedPaths, prefix: str, dask_worker: Any) -> tuple[str, str]:
    """Look for everything, in a worker: return the mark that it left and the obstacle.

    Parameters
    ----------
    paths
        What to look for.
    prefix
        Begin of the mark's name.
    dask_worker
        Given by Dask.
    """
    mark = f"{prefix}-{dask_worker.id}"
    # A disk that hangs must not keep the worker from its own duties.
    return mark, await asyncio.to_thread(paths.obstacle, mark)


def path_error(address: str, obstacle: str) -> str:
    """Return the sentence on a worker that does not see what it needs."""
    return (
        f"The Dask worker {address} {obstacle}; all workers need the products and the outputs on "
        "one shared file system, under the same names."
    )
