"""The least work of a build: read the rasters, compress what a stack holds.

A process of its own, ``python -m tests.benchmarks.bare PRODUCTS INPUTS PASS ...``; it prints the
seconds that this takes without its start. Each pass reads, and compresses for its outputs: series
of pixels need what all rasters hold at once, which is more than memory takes, so that they have to
be read again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio

from tests import checkout  # noqa: F401 - registers the package hyp3_stack

# isort: split
from hyp3_stack.core.files.chunking import spatial_chunks
from hyp3_stack.core.files.netcdf_file import encode_chunk
from hyp3_stack.core.files.zarr_store import chunk_codec
from hyp3_stack.core.machine.blocks import bands, run_blocks
from hyp3_stack.core.products.layers import Layer
from hyp3_stack.core.products.product import gdal_zip
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from hyp3_stack.core.raster.layer_reader import gdal_environment
from hyp3_stack.core.run.reporter import SilentReporter

from .products import LAYERS

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


def rasters(folder: Path, inputs: str) -> Iterator[tuple[str, Layer]]:
    """Return each raster of a folder of products by its path for GDAL, and the raster's layer."""
    product_type, names, _ = INPUTS[inputs]
    for product in sorted(folder.iterdir()):
        is_zip = product.suffix == ".zip"
        inside = f"{gdal_zip(product)}/{product.stem}" if is_zip else str(product)
        for name in names:
            yield f"{inside}/{product.stem}_{name}.tif", PRODUCT_TYPES[product_type].layers[name]


def bare_work(folder: Path, inputs: str, passes: list[str], chunks: Path | None) -> float:
    """Read rasters, compress them once for each form, keep that if asked; return seconds.

    Parameters
    ----------
    folder, inputs
        The products and what they are.
    passes
        Forms of outputs joined by ``+``, for each time that rasters are read.
    chunks
        Folder to keep each chunk in.
    """
    begin = time.perf_counter()
    # Layers that do not change with the steps stand in a stack once, and all groups are given them
    # when they are read to be compared.
    once: set[str] = set()
    every = "+".join(passes).split("+")
    tasks: list[tuple[str, Layer, list[str]]] = []
    for number, together in enumerate(passes):
        forms = together.split("+")
        for path, layer in rasters(folder, inputs):
            copies = forms * (2 * (layer.name in MASKED))
            if not layer.static:
                copies += forms
            elif number == 0 and layer.name not in once:
                copies += every
            if copies or number == 0:
                tasks.append((path, layer, copies))
            if layer.static:
                once.add(layer.name)

    def work(task: tuple[str, Layer, list[str]]) -> None:
        path, layer, copies = task
        with rasterio.open(path) as file:
            _, rows, columns = spatial_chunks(file.height, file.width, CHUNK_MEGABYTES)
            for down in bands(file.height, rows, rows):
                values = file.read(1, window=((down.start, down.stop), (0, file.width)))
                for across in bands(file.width, columns, columns):
                    block = np.ascontiguousarray(values[:, across])
                    for copy, form in enumerate(copies):
                        if form == "zarr":
                            data = chunk_codec(block.itemsize).encode(block)
                        else:
                            data = encode_chunk(block, block.shape, layer) or b""
                        if chunks is not None:
                            place = f"{down.start}.{across.start}.{copy}"
                            (chunks / f"{Path(path).stem}.{place}").write_bytes(data)

    with gdal_environment():
        run_blocks(work, tasks, len(tasks), SilentReporter())
    return time.perf_counter() - begin


def main() -> None:
    """Do the work and print its seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("products", type=Path)
    parser.add_argument("inputs", choices=INPUTS)
    parser.add_argument("passes", nargs="+", help="such as zarr+netcdf")
    parser.add_argument("--chunks", type=Path, help="folder to make and to keep each chunk in")
    given = parser.parse_args()
    if given.chunks is not None:
        given.chunks.mkdir()
    print(bare_work(given.products, given.inputs, given.passes, given.chunks))


if __name__ == "__main__":
    main()
