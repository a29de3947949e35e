"""What a stack holds stays, whatever is appended and whichever products are gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from tests.sample_products import SampleStack

from ..running import build, samples
from .test_append import assert_same, in_steps, netcdf, one_group, passes

pytestmark = pytest.mark.slow

PER_PAIR = {"STATIC_LAYERS": "per_pair", "LOOK_VECTORS": True}
ROUNDED = {"KEEP_BITS": "lv_theta=4,lv_phi=4", "LOOK_VECTORS": True}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> SampleStack:
    return samples(
        tmp_path_factory,
        products=4,
        rows=70,
        columns=75,
        noise=False,
        neighbor_zone_share=0.0,
        layers=("unw_phase", "corr", "lv_theta", "lv_phi"),
    )


def copy(stack: SampleStack, numbers: list[int], folder: Path) -> Path:
    for number in numbers:
        path = stack.products[number].path
        shutil.copytree(path, folder / path.name)
    return folder


@pytest.mark.parametrize("options", [PER_PAIR, ROUNDED], ids=["per pair", "rounded"])
def test_look_vectors_stay(network: SampleStack, tmp_path: Path, options: dict[str, Any]) -> None:
    """Also where the angles are kept with each pair, or are rounded."""
    build(network.folder, **netcdf(tmp_path / "whole"), **options)
    run, _ = in_steps(network, tmp_path, [[0, 1], [2, 3]], GROW=True, **options)
    names = [f"look_vector_{axis}" for axis in "xyz"]
    with (
        xr.open_dataset(run.netcdf) as found,
        xr.open_dataset(tmp_path / "whole" / "s.nc") as whole,
    ):
        for name in names:
            assert found[name].notnull().sum() == whole[name].notnull().sum() > 2_500
            # Where products differ, those that were there first count.
            np.testing.assert_allclose(found[name], whole[name], atol=1e-4)


@pytest.mark.parametrize("options", [PER_PAIR, ROUNDED], ids=["per pair", "rounded"])
def test_look_vectors_go_into_another_output(
    network: SampleStack, tmp_path: Path, options: dict[str, Any]
) -> None:
    given = one_group(tmp_path)
    build(network.folder, ZARR=given["ZARR"], CHUNKING="spatial", **options)
    with xr.open_zarr(given["ZARR"], group="spatially_optimized") as stack:
        before = stack.look_vector_x.values
    run = build(network.folder, **given, APPEND=True, **options)
    with xr.open_dataset(run.netcdf) as stack:
        np.testing.assert_array_equal(stack.look_vector_x, before)
    with xr.open_zarr(given["ZARR"], group="spatially_optimized") as stack:
        np.testing.assert_array_equal(stack.look_vector_x, before)


@pytest.mark.parametrize("has_zarr", [True, False])
def test_passes_of_several_frames_join_those_of_one(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, has_zarr: bool
) -> None:
    stack = samples(
        tmp_path_factory, product_type="RTC_GAMMA", products=6, frames=2, rows=60, columns=70
    )
    first, second, _ = passes(stack)
    copy(stack, [first[0], *second], tmp_path / "all")
    options = {"GROW": True, "MERGE_PASSES": True}
    kinds = one_group if has_zarr else netcdf
    build(tmp_path / "all", **kinds(tmp_path / "whole"), MERGE_PASSES=True)
    if has_zarr:
        _, out = in_steps(stack, tmp_path, [[first[0]], second], one_group, **options)
        assert_same(out, tmp_path / "whole", exact=False)
        return
    for numbers in ([first[0]], second):
        folder = copy(stack, numbers, tmp_path / str(len(numbers)))
        run = build(folder, NETCDF=tmp_path / "s.nc", APPEND=True, **options)
    with (
        xr.open_dataset(run.netcdf, mask_and_scale=False) as found,
        xr.open_dataset(tmp_path / "whole" / "s.nc", mask_and_scale=False) as whole,
    ):
        assert set(np.unique(found.source_frame[0])) == {0, 255}
        np.testing.assert_array_equal(found.source_frame, whole.source_frame)


def test_the_geometry_of_bursts_stays(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    """Only their layers tell it."""
    stack = samples(
        tmp_path_factory, product_type="INSAR_ISCE_BURST", products=3, rows=60, columns=70
    )
    given = one_group(tmp_path)
    build(stack.folder, ZARR=given["ZARR"], CHUNKING="spatial")
    with xr.open_zarr(given["ZARR"], group="spatially_optimized") as before:
        scene = {str(name): float(item) for name, item in before.items() if item.shape == ()}
    assert {"look_vector_x", "incidence_center", "scene_center_latitude"} <= set(scene)
    run = build(stack.folder, **given, APPEND=True)
    with xr.open_dataset(run.netcdf) as after:
        for name, value in scene.items():
            assert float(after[name]) == value, name


def test_a_layer_that_all_new_products_lack_is_told(network: SampleStack, tmp_path: Path) -> None:
    build(copy(network, [0, 1], tmp_path / "old"), NETCDF=tmp_path / "s.nc")
    new = copy(network, [2, 3], tmp_path / "new")
    for path in new.rglob("*_corr.tif"):
        path.unlink()
    run = build(new, NETCDF=tmp_path / "s.nc", APPEND=True)
    assert any("The layer corr is missing in 2 of 2 products" in text for text in run.warnings)
    with xr.open_dataset(run.netcdf) as stack:
        has_data = stack["corr"].notnull().any(("y", "x")).values
        assert sorted(has_data) == [False, False, True, True]
