"""What the peers' programs share: their arguments and the list of products."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

CHUNK = 1024
FORMATS = ("zarr", "netcdf", "netcdf-defaults")
"""The last takes odc-stac about ten minutes: xarray's own encoding, compressed."""


@dataclass(frozen=True)
class Task:
    """One peer's run."""

    folder: Path
    output: Path
    form: str
    epsg: int
    left: float
    top: float
    spacing: float
    width: int
    height: int
    layers: tuple[str, ...]

    def products(self) -> list[Path]:
        """Return the product folders in order of time, which is that of their names."""
        return sorted(path for path in self.folder.iterdir() if path.is_dir())


def read_task() -> Task:
    """Read the command line that ``tests.benchmarks.run`` gives to every peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--form", choices=FORMATS, required=True)
    parser.add_argument("--epsg", type=int, required=True)
    parser.add_argument("--grid", type=float, nargs=5, required=True)
    parser.add_argument("--layers", nargs="+", required=True)
    given = parser.parse_args()
    left, top, spacing, width, height = given.grid
    return Task(
        given.folder,
        given.output,
        given.form,
        given.epsg,
        left,
        top,
        spacing,
        int(width),
        int(height),
        tuple(given.layers),
    )
