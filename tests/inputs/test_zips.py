"""Products in zips give the stack that their folders give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from hyp3_stack.core.machine.blocks import BAND_BYTES
from tests.sample_products import SampleStack

from ..running import build, samples, zip_product


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    """Two products of more pixels than a thread reads at once."""
    return samples(
        tmp_path_factory,
        products=2,
        rows=2050,
        columns=2050,
        neighbor_zone_share=0,
        layers=("corr", "lv_theta"),
        sidecars=False,
    )


def test_layers_that_are_read_in_parts(large: SampleStack, tmp_path: Path) -> None:
    zips = tmp_path / "zips"
    zips.mkdir()
    for product in large.products:
        zip_product(product.path, zips / f"{product.name}.zip")
    stacks = []
    for name, folder in (("folders", large.folder), ("zips", zips)):
        run = build(
            folder,
            ZARR=tmp_path / f"{name}.zarr",
            CHUNKING="spatial",
        )
        stacks.append(xr.open_zarr(run.zarr, group="spatially_optimized").load())
    expected, found = stacks
    assert expected.lv_theta.nbytes > BAND_BYTES
    for name in ("corr", "lv_theta"):
        np.testing.assert_array_equal(found[name], expected[name])
        assert found[name].attrs == expected[name].attrs
    assert expected.lv_theta.attrs["largest_difference_between_products"] >= 0.0
    assert np.isfinite(expected.lv_theta).mean() > 0.5
