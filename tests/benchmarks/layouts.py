"""What the two layouts of a Zarr store serve: ``make bench-layouts``.

Times the full series of a pixel and a full map in each layout, in the NetCDF file, and in stores
with the chunks of 100 MB (Zstandard) of the notebook that HyP3 Stack replaces.
Before each read the system is asked to drop the files from its cache, and the array is opened anew.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import netCDF4
import numcodecs
import numpy as np
import zarr

from .jobs import build_job, measure
from .products import FOLDER, sample_products

LAYER = "unw_phase"


@dataclass(frozen=True)
class Layout:
    """One array and how it is opened."""

    name: str
    path: Path
    chunks: tuple[int, ...]
    shape: tuple[int, ...]
    read: Callable[[tuple[object, ...]], np.ndarray]

    @property
    def megabytes(self) -> float:
        return 4 * math.prod(self.chunks) / 1e6

    @property
    def count(self) -> int:
        return math.prod(
            -(-size // part) for size, part in zip(self.shape, self.chunks, strict=True)
        )


def in_zarr(name: str, path: Path) -> Layout:
    """Describe an array of a store."""
    array = zarr.open_array(path, mode="r")
    return Layout(name, path, array.chunks, array.shape,
                  lambda part: np.asarray(zarr.open_array(path, mode="r")[part]))  # fmt: skip


def in_netcdf(name: str, path: Path) -> Layout:
    """Describe the layer of a file."""

    def read(part: tuple[object, ...]) -> np.ndarray:
        with netCDF4.Dataset(path) as file:
            file.set_auto_maskandscale(False)
            return np.asarray(file[LAYER][part])

    with netCDF4.Dataset(path) as file:
        return Layout(name, path, tuple(file[LAYER].chunking()), file[LAYER].shape, read)


def notebook_chunks(steps: int) -> dict[str, tuple[int, int, int]]:
    """Return the chunks that the notebook computes for 100 MB and two polarizations."""
    pixels = 100 * 8_000_000 / 32
    series = math.floor(math.sqrt(pixels // (steps * 2)))
    side = math.floor(math.sqrt(pixels // 2))
    return {"series": (steps, series, series), "maps": (1, side, side)}


def write_notebook_store(source: Path, path: Path, chunks: tuple[int, int, int]) -> None:
    """Copy an array into chunks of another size, a row of chunks at a time."""
    values = zarr.open_array(source, mode="r")
    target = zarr.create_array(
        path, shape=values.shape, dtype="float32", chunks=chunks, zarr_format=2, fill_value=np.nan,
        compressors=numcodecs.Blosc(cname="zstd", clevel=3),
    )  # fmt: skip
    for step in range(0, values.shape[0], chunks[0]):
        for row in range(0, values.shape[1], chunks[1]):
            part = (slice(step, step + chunks[0]), slice(row, row + chunks[1]))
            target[part] = values[part]


def drop_from_cache(path: Path) -> None:
    """Ask the system to forget the content of files; it keeps what is not on disk yet."""
    files = [path] if path.is_file() else [item for item in path.rglob("*") if item.is_file()]
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def milliseconds(layout: Layout, parts: list[tuple[object, ...]]) -> float:
    """Return the median time of reads of different parts."""
    times = []
    for part in parts:
        drop_from_cache(layout.path)
        begin = time.perf_counter()
        layout.read(part)
        times.append(1000.0 * (time.perf_counter() - begin))
    return statistics.median(times)


def table(layouts: list[Layout], reads: int) -> str:
    """Time all layouts and return a table with ratios to the layout made for the purpose."""
    numbers = random.Random(1)
    steps, height, width = layouts[0].shape
    pixels = [(slice(None), numbers.randrange(height), numbers.randrange(width))
              for _ in range(reads)]  # fmt: skip
    maps = [(numbers.randrange(steps), slice(None), slice(None)) for _ in range(reads)]
    found = [(milliseconds(layout, pixels), milliseconds(layout, maps)) for layout in layouts]
    best_series, best_map = found[1][0], found[0][1]
    lines = [
        "| layout | chunk | MB | chunks | series (ms) | map (ms) "
        "| series against ours | map against ours |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for layout, (series, whole) in zip(layouts, found, strict=True):
        shape = " x ".join(map(str, layout.chunks))
        lines.append(
            f"| {layout.name} | {shape} | {layout.megabytes:.1f} | {layout.count} | {series:.1f} "
            f"| {whole:.0f} | {series / best_series:.1f} | {whole / best_map:.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Build a stack, copy it into the notebook's layouts, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=30)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--reads", type=int, default=9)
    parser.add_argument("--options", nargs="*", default=[], help="such as CHUNK_SIZE=8")
    given = parser.parse_args()
    products = sample_products(given.products, given.size, (LAYER,))
    options = dict(option.split("=", 1) for option in given.options)
    with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
        folder = Path(temporary)
        measure(
            build_job("stack", products, folder, LAYERS=LAYER, NETCDF="stack.nc",
                      ZARR="stack.zarr", **options),
            folder,
        )  # fmt: skip
        maps = folder / "stack.zarr" / "spatially_optimized" / LAYER
        series = folder / "stack.zarr" / "temporally_optimized" / LAYER
        layouts = [in_zarr("spatially_optimized", maps), in_zarr("temporally_optimized", series)]
        layouts.append(in_netcdf("NetCDF", folder / "stack.nc"))
        for kind, chunks in notebook_chunks(given.products).items():
            path = folder / f"{kind}.zarr"
            write_notebook_store(maps, path, chunks)
            layouts.append(in_zarr(f"notebook, {kind}", path))
        os.sync()
        print(f"{given.products} maps of {layouts[0].shape[1]} x {layouts[0].shape[2]} pixels, "
              f"medians of {given.reads} reads\n")  # fmt: skip
        print(table(layouts, given.reads))


if __name__ == "__main__":
    main()
