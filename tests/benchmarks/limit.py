"""How near a build comes to the limit: ``make bench-limit``.

The limit reads every raster once and compresses what a stack holds, with the same codecs and the
same threads, and does nothing else: no grid, no warping, no files, no check. In place of the two
masks of a step its water mask or its map of layover and shadow is compressed twice. Both are
processes of their own; the table also tells what the limit takes where it does keep each chunk in a
file, and what its work takes without its start.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio

from tests import conftest  # noqa: F401 - registers the package hyp3_stack

# isort: split
from hyp3_stack.core.blocks import bands, run_blocks
from hyp3_stack.core.grid.reading import gdal_environment
from hyp3_stack.core.products.layers import LAYERS as TABLES
from hyp3_stack.core.products.layers import Layer
from hyp3_stack.core.reporter import SilentReporter
from hyp3_stack.core.stack import netcdf_file, zarr_store
from hyp3_stack.core.stack.chunking import spatial_chunks

from .jobs import build_job, repeat, seconds
from .products import LAYERS, ROOT, sample_products
from .run import Contender

CHUNK_MEGABYTES = 4.0
RTC_LAYERS = ("VV", "VH", "dem", "inc_map", "ls_map")
INPUTS = {
    "interferograms": ("INSAR_GAMMA", LAYERS, False),
    "interferograms in zips": ("INSAR_GAMMA", LAYERS, True),
    "backscatter": ("RTC_GAMMA", RTC_LAYERS, False),
}
"""Type and layers of products, and whether they are zips."""

MASKED = ("water_mask", "ls_map")
"""What stands in for the two masks of a step."""

OUTPUTS = {
    "Zarr, maps": ({"ZARR": "stack.zarr", "CHUNKING": "spatial"}, ["zarr"]),
    "Zarr, both": ({"ZARR": "stack.zarr"}, ["zarr", "zarr"]),
    "NetCDF": ({"NETCDF": "stack.nc"}, ["netcdf"]),
    "all": ({"ZARR": "stack.zarr", "NETCDF": "stack.nc"}, ["zarr", "zarr", "netcdf"]),
}


def rasters(folder: Path, inputs: str) -> Iterator[tuple[str, Layer]]:
    """Return each raster of a folder of products by its path for GDAL, and the raster's layer."""
    product_type, names, _ = INPUTS[inputs]
    for product in sorted(folder.iterdir()):
        inside = f"/vsizip/{product}/{product.stem}" if product.suffix == ".zip" else str(product)
        for name in names:
            yield f"{inside}/{product.stem}_{name}.tif", TABLES[product_type][name]


def bare_work(folder: Path, inputs: str, forms: list[str], chunks: Path | None) -> float:
    """Read all rasters, compress them once for each form, keep that if asked; return seconds."""
    begin = time.perf_counter()
    # Layers that do not change with the steps stand in a stack once.
    once: set[str] = set()
    tasks: list[tuple[str, Layer, int]] = []
    for path, layer in rasters(folder, inputs):
        tasks.append((path, layer, (layer.name not in once) + 2 * (layer.name in MASKED)))
        if layer.static:
            once.add(layer.name)

    def work(task: tuple[str, Layer, int]) -> None:
        path, layer, copies = task
        with rasterio.open(path) as file:
            _, rows, columns = spatial_chunks(file.height, file.width, CHUNK_MEGABYTES)
            for down in bands(file.height, rows, rows):
                values = file.read(1, window=((down.start, down.stop), (0, file.width)))
                for across in bands(file.width, columns, columns):
                    block = np.ascontiguousarray(values[:, across])
                    for copy, form in enumerate(forms * copies):
                        if form == "zarr":
                            data = zarr_store.compressed(block)
                        else:
                            data = netcdf_file.compressed(block, layer)
                        if chunks is not None:
                            place = f"{down.start}.{across.start}.{copy}"
                            (chunks / f"{Path(path).stem}.{place}").write_bytes(data)

    with gdal_environment():
        run_blocks(work, tasks, len(tasks), SilentReporter())
    return time.perf_counter() - begin


def work_alone(command: list[str], runs: int) -> float:
    """Return the median of what processes of the limit tell of their work."""
    times = []
    for _ in range(runs):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        times.append(json.loads(done.stdout))
    return float(np.median(times))


def main() -> None:
    """Run builds and limits in turn and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=30)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--inputs", default="interferograms", choices=INPUTS)
    parser.add_argument("--outputs", nargs="+", default=list(OUTPUTS)[:2], choices=OUTPUTS)
    parser.add_argument("--share", type=float, default=0.0, help="share in the other UTM zone")
    parser.add_argument("--bare", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--chunks", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        folder, inputs, *forms = given.bare
        if given.chunks is not None:
            given.chunks.mkdir()
        print(bare_work(Path(folder), inputs, forms, given.chunks))
        return
    product_type, layers, zipped = INPUTS[given.inputs]
    products = sample_products(
        given.products, given.size, layers, product_type, given.share, zipped
    )
    print(f"{given.products} {given.inputs} x {len(layers)} layers x {given.size}^2 pixels")
    print(
        "| | build (s) | limit (s) | limit with files (s) | limit's work (s) "
        "| build / limit | build / limit with files |"
    )
    print("|---|---|---|---|---|---|---|")
    for name in given.outputs:
        parameters, forms = OUTPUTS[name]
        bare = [sys.executable, "-m", "tests.benchmarks.limit"]
        bare += ["--bare", str(products), given.inputs, *forms]
        with tempfile.TemporaryDirectory(dir=products.parent) as temporary:
            folder = Path(temporary)
            chunks = folder / "chunks"
            costs = repeat(
                [
                    build_job("build", products, folder, LAYERS=",".join(layers), **parameters),
                    Contender("limit", bare, ()),
                    Contender("files", [*bare, "--chunks", str(chunks)], (chunks,)),
                ],
                folder,
                given.runs,
            )
        ours, limit, files = (seconds(costs[key]) for key in ("build", "limit", "files"))
        work = work_alone(bare, given.runs)
        print(
            f"| {name} | {ours:.1f} | {limit:.1f} | {files:.1f} | {work:.1f} "
            f"| {ours / limit:.2f} | {ours / files:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
