"""Blocks of layers that other programs stored in chunks of any size."""

from concurrent.futures import ThreadPoolExecutor

import h5py
import numpy as np
import pytest
import zarr
from numcodecs import Delta

from hyp3_stack.core.files.stack_blocks import LARGE_CHUNK, StackBlocks
from tests.running import traced_peak

SIDE = 4100
CHUNK = 4 * SIDE**2


def write_zarr(path, filters):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    layer = group.create_array(
        "layer", shape=(2, SIDE, SIDE), chunks=(1, SIDE, SIDE), dtype="float32", filters=filters
    )
    for step in range(2):
        layer[step] = step + 1.0


def write_netcdf(path):
    with h5py.File(path, "w") as file:
        chunks = (1, SIDE, SIDE)
        options = {"chunks": chunks, "compression": "gzip", "compression_opts": 1}
        layer = file.create_dataset("layer", (2, SIDE, SIDE), "float32", **options)
        for step in range(2):
            layer[step] = step + 1.0


WRITERS = {
    "s.nc": write_netcdf,
    "plain.zarr": lambda path: write_zarr(path, ()),
    "filtered.zarr": lambda path: write_zarr(path, (Delta("<f4"),)),
}


@pytest.mark.parametrize("name", WRITERS)
def test_large_chunks_are_decompressed_one_at_a_time(tmp_path, name):
    """Whatever the number of threads; each takes what is stored, too, and a copy at most."""
    WRITERS[name](tmp_path / name)
    blocks = StackBlocks(tmp_path / name, None)
    assert blocks.array("layer").chunk_bytes == CHUNK > LARGE_CHUNK
    rows = columns = slice(100, 103)
    with ThreadPoolExecutor(4) as pool, traced_peak() as peak:
        found = list(pool.map(lambda n: blocks.read("layer", [n % 2], rows, columns), range(4)))
        assert peak() < 3.5 * CHUNK
    for number, block in enumerate(found):
        np.testing.assert_array_equal(block, np.full((1, 3, 3), number % 2 + 1.0))
