"""Shards of a Zarr store: fewer files, equal values, each shard written by one thread."""

from __future__ import annotations

import itertools
import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from hyp3_stack.core.errors import InvalidParameterError
from hyp3_stack.core.files.chunking import shard_shape, spatial_chunks, temporal_chunks
from hyp3_stack.core.machine.blocks import whole_blocks
from tests.sample_products import SampleStack

from ..running import build

GROUPS = ("spatially_optimized", "temporally_optimized")


def files(folder: Path) -> int:
    return sum(path.is_file() for path in folder.rglob("*"))


@pytest.mark.parametrize("group", GROUPS)
def test_values_are_those_without_shards(stores: dict[bool, Path], group: str) -> None:
    with (
        xr.open_zarr(stores[False], group=group, mask_and_scale=False, chunks=None) as plain,
        xr.open_zarr(stores[True], group=group, mask_and_scale=False, chunks=None) as sharded,
    ):
        assert set(plain.variables) == set(sharded.variables)
        for name in plain.variables:
            np.testing.assert_array_equal(
                sharded[name].values, plain[name].values, err_msg=str(name)
            )


@pytest.mark.parametrize("group", GROUPS)
def test_chunks_stay_and_share_files(stores: dict[bool, Path], group: str) -> None:
    for name in ("unw_phase", "data_mask", "dem"):
        plain = zarr.open_array(stores[False], path=f"{group}/{name}", mode="r")
        sharded = zarr.open_array(stores[True], path=f"{group}/{name}", mode="r")
        assert sharded.chunks == plain.chunks and plain.shards is None
        assert all(
            shard % chunk == 0 for shard, chunk in zip(sharded.shards, sharded.chunks, strict=True)
        )
        assert 4 * math.prod(sharded.shards) <= 16_000_000
        metadata = json.loads((stores[True] / group / name / "zarr.json").read_text())
        assert [codec["name"] for codec in metadata["codecs"]] == ["sharding_indexed"]
        # This grid is small enough for one shard a map, or one for all series.
        assert files(stores[True] / group / name / "c") == (
            6 if sharded.ndim == 3 and group == GROUPS[0] else 1
        )
        assert files(stores[False] / group / name / "c") > 10
    assert files(stores[True]) < files(stores[False]) / 4


def test_consolidated_metadata_tell_of_shards(stores: dict[bool, Path]) -> None:
    for place in (stores[True], stores[True] / GROUPS[0]):
        root = json.loads((place / "zarr.json").read_text())
        assert "sharding_indexed" in json.dumps(root["consolidated_metadata"])


@pytest.mark.parametrize("given", [{}, {"ZARR_FORMAT": "2"}, {"ZARR_FORMAT": 2}])
def test_format_2_has_no_shards(small: SampleStack, tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        build(small.folder, ZARR=tmp_path / "s.zarr", SHARDING=True, **given)
    assert str(caught.value) == (
        "SHARDING is set, but Zarr format 2 has no shards; set ZARR_FORMAT to 3 or leave SHARDING "
        "out."
    )
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InvalidParameterError, match="SHARDING is 'some'.*true or false"):
        build(small.folder, ZARR=tmp_path / "s.zarr", SHARDING="some", ZARR_FORMAT="3")


def test_no_two_blocks_reach_into_one_shard() -> None:
    """Blocks run in threads of their own; each has to hold all of the shards that it touches."""
    numbers = random.Random(11)
    for _ in range(500):
        height, width = (int(10 ** numbers.uniform(0, 3.9)) for _ in range(2))
        steps = int(10 ** numbers.uniform(0, 3))
        megabytes = 10 ** numbers.uniform(-2, 1.5)
        limit = 10 ** numbers.uniform(-1, 2)
        for chunks in (
            spatial_chunks(height, width, megabytes),
            temporal_chunks(steps, height, width, megabytes),
        ):
            shard = shard_shape(chunks, height, width, limit)
            assert shard[0] == chunks[0]
            assert shard[1] % chunks[1] == shard[2] % chunks[2] == 0
            assert shard[1] < height + chunks[1] and shard[2] < width + chunks[2]
            # At the edge a shard may reach beyond the grid by less than a chunk.
            inside = 4 * shard[0] * min(shard[1], height) * min(shard[2], width)
            assert inside <= max(limit * 1e6, 4 * math.prod(chunks))
            most = int(limit * 1e6) // (4 * chunks[0])
            touched: set[tuple[int, int]] = set()
            for rows, columns in whole_blocks((height, width), shard[1:], most):
                assert rows.start % shard[1] == columns.start % shard[2] == 0
                assert rows.stop % shard[1] == 0 or rows.stop == height
                assert columns.stop % shard[2] == 0 or columns.stop == width
                mine = set(
                    itertools.product(
                        range(rows.start // shard[1], -(-rows.stop // shard[1])),
                        range(columns.start // shard[2], -(-columns.stop // shard[2])),
                    )
                )
                assert mine and not mine & touched
                touched |= mine
            assert len(touched) == math.ceil(height / shard[1]) * math.ceil(width / shard[2])
