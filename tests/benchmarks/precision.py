"""Sizes of rounded layers: ``python -m tests.benchmarks.precision``, or ``make bench-precision``.

Each layer of generated products is compressed as the stack's files are, exact and with fewer
mantissa bits. The noise of the generated products is that of the real ones, their texture is not:
real layers may compress somewhat better or worse.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from tests import checkout  # noqa: F401 - registers the package hyp3_stack

# isort: split
from hyp3_stack.core.files.netcdf_file import encode_chunk
from hyp3_stack.core.files.zarr_store import chunk_codec
from hyp3_stack.core.pixels.precision import largest_relative_error, round_mantissa
from hyp3_stack.core.products.layers import Layer
from hyp3_stack.core.products.product_types import PRODUCT_TYPES

from .products import sample_products

BITS = (5, 7, 9, 11, 13, 16)
CHUNK = 1000


def chunks(products: list[Path], layer: Layer) -> Iterator[NDArray[np.float32]]:
    """Read a layer in chunks, missing data as NaN."""
    for product in products:
        path = product / f"{product.name}_{layer.name}.tif"
        if not path.exists():
            continue
        with rasterio.open(path) as file:
            values = file.read(1).astype("float32")
            missing = layer.missing if layer.missing is not None else file.nodata
        if missing is not None:
            values[values == missing] = np.nan
        for row in range(0, values.shape[0], CHUNK):
            for column in range(0, values.shape[1], CHUNK):
                block = values[row : row + CHUNK, column : column + CHUNK]
                if np.isfinite(block).any():
                    yield np.ascontiguousarray(block)


def sizes(products: list[Path], layer: Layer) -> dict[int | None, tuple[int, int]]:
    """Return bytes in Zarr and NetCDF by bits kept; None is exact."""
    totals: dict[int | None, tuple[int, int]] = {}
    for block in chunks(products, layer):
        for bits in (None, *BITS):
            values = block.copy()
            if bits is not None:
                round_mantissa(values, bits)
            store, file = totals.get(bits, (0, 0))
            totals[bits] = (
                store + len(chunk_codec(values.itemsize).encode(values)),
                file + len(encode_chunk(values, values.shape, layer) or b""),
            )
    return totals


def main() -> None:
    """Compress the layers of products and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument(
        "--types", nargs="+", default=["INSAR_GAMMA", "RTC_GAMMA"], choices=PRODUCT_TYPES
    )
    given = parser.parse_args()
    for product_type in given.types:
        folder = sample_products(2, given.size, (), product_type)
        products = sorted(path for path in folder.iterdir() if path.is_dir())
        print(f"\n{product_type}: Zarr / NetCDF, percent of the exact size\n")
        print("| layer | " + " | ".join(f"{bits} bits" for bits in BITS) + " |")
        print("|---|" + "---|" * len(BITS))
        limits = (f"{100 * largest_relative_error(bits):.2g} %" for bits in BITS)
        print(f"| largest error | {' | '.join(limits)} |")
        for layer in PRODUCT_TYPES[product_type].layers.values():
            found = {} if layer.is_mask else sizes(products, layer)
            if not found:
                continue
            cells = [
                " / ".join(
                    f"{100 * part / whole:.0f}"
                    for part, whole in zip(found[bits], found[None], strict=True)
                )
                for bits in BITS
            ]
            print(f"| {layer.variable} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
