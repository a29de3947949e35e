"""Products in zips give the stack that their folders give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr

from hyp3_stack.core.machine.blocks import BAND_BYTES

from ..running import build, copy_products, samples, zip_product


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two products of more pixels than a thread reads at once: small ones, repeated."""
    small = samples(
        tmp_path_factory,
        products=2,
        rows=205,
        columns=205,
        neighbor_zone_share=0,
        layers=("corr", "lv_theta"),
        sidecars=False,
    )
    copies = copy_products(small, tmp_path_factory.mktemp("large"))
    for path in (path for folder in copies for path in folder.glob("*.tif")):
        with rasterio.open(path) as file:
            values, profile, tags = np.tile(file.read(1), (11, 11)), file.profile, file.tags()
        profile |= {"height": values.shape[0], "width": values.shape[1]}
        with rasterio.open(path, "w", **profile) as file:
            file.update_tags(**tags)
            file.write(values, 1)
    return copies


def test_layers_that_are_read_in_parts(large: list[Path], tmp_path: Path) -> None:
    zips = tmp_path / "zips"
    zips.mkdir()
    for path in large:
        zip_product(path, zips / f"{path.name}.zip")
    stacks = []
    for folder in (large[0].parent, zips):
        run = build(folder, NETCDF=tmp_path / f"{folder.name}.nc")
        with xr.open_dataset(run.netcdf) as stack:
            stacks.append(stack.load())
    expected, found = stacks
    assert expected.lv_theta.nbytes > BAND_BYTES
    for name in ("corr", "lv_theta"):
        np.testing.assert_array_equal(found[name], expected[name])
        assert str(found[name].attrs) == str(expected[name].attrs)
    assert expected.lv_theta.attrs["largest_difference_between_products"] >= 0.0
    assert np.isfinite(expected.lv_theta).mean() > 0.5
