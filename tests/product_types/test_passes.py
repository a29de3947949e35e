"""Sixteen backscatter products, two frames a pass: merged, and each frame a step."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from hyp3_stack.core.products.scan import scan_folder
from hyp3_stack.core.selection.passes import group_passes
from tests.running import build, contents_of, traced_peak
from tests.truth import Positions

from .conftest import EPSG, Built, Stacker, stored

PASSES = 8
SIXTEEN = {
    "product_type": "RTC_GAMMA",
    "products": 2 * PASSES,
    "frames": 2,
    "rows": 90,
    "columns": 96,
    "layers": ("VV", "VH", "ls_map", "dem", "inc_map"),
}
LAYERS = ("VV_backscatter", "VH_backscatter", "ls_map", "inc_map")


@pytest.fixture(scope="module")
def frames(stacker: Stacker) -> Built:
    return stacker(SIXTEEN)


@pytest.fixture(scope="module")
def merged(stacker: Stacker) -> Built:
    return stacker(SIXTEEN, MERGE_PASSES=True)


def absent(values: np.ndarray) -> np.ndarray:
    return values == 255 if values.dtype == np.uint8 else np.isnan(values)


def test_every_frame_is_a_step_by_default(frames: Built) -> None:
    assert frames.run.outputs["STEPS"] == frames.stack.sizes["time"] == 2 * PASSES
    assert "source_frame" not in frames.stack
    assert (np.diff(frames.stack.time.values) > 0).all()
    assert any("8 of 8 passes have several frames" in text for text in frames.run.infos)
    assert frames.run.warnings == []
    starts = [product.reference_time for product in frames.products]
    assert starts == sorted(starts) and len(set(starts)) == 2 * PASSES


def test_frames_of_a_pass_become_one_step(frames: Built, merged: Built) -> None:
    assert merged.run.outputs["STEPS"] == merged.stack.sizes["time"] == PASSES
    assert any("16 products are merged to 8 passes" in text for text in merged.run.infos)
    assert any(source.endswith(":source_frame") for source in merged.run.outputs["LAYERS"])
    np.testing.assert_array_equal(merged.stack.time, frames.stack.time[::2])
    names = frames.stack.product_name.values
    for step, both in enumerate(merged.stack.product_name.values):
        assert both.split() == [names[2 * step], names[2 * step + 1]]
    # From the start of the first frame to the end of the second.
    bounds, single = merged.stack.time_bnds.values, frames.stack.time_bnds.values
    np.testing.assert_array_equal(bounds[:, 0], single[::2, 0])
    np.testing.assert_array_equal(bounds[:, 1], single[1::2, 1])
    for axis in ("x", "y"):
        np.testing.assert_array_equal(merged.stack[axis], frames.stack[axis])


@pytest.mark.parametrize("layer", LAYERS)
def test_every_pixel_is_that_of_its_frame(frames: Built, merged: Built, layer: str) -> None:
    single, both = frames.stack[layer].values, merged.stack[layer].values
    source = merged.stack.source_frame.values
    overlap = 0
    for step in range(PASSES):
        first, second = single[2 * step], single[2 * step + 1]
        here = source[step]
        told = here != 255
        expected = np.where(here == 1, second, first)
        known = told & ~absent(expected)
        np.testing.assert_array_equal(both[step][known], expected[known])
        # Where the named frame has none, or none is named, the other one fills.
        either = np.where(absent(first), second, first)
        rest = ~known
        nearest = both[step][rest]
        np.testing.assert_array_equal(absent(nearest), absent(either[rest]))
        overlap += (~absent(first) & ~absent(second)).sum()
    assert overlap > 4_000, "frames must overlap for this test to mean something"


def test_the_nearest_frame_with_data_is_named(frames: Built, merged: Built) -> None:
    where, source = merged.positions, merged.stack.source_frame
    assert source.dtype == np.uint8 and source.attrs["_FillValue"] == 255
    backscatter = frames.stack.VV_backscatter.values
    for step in range(PASSES):
        pair = frames.products[2 * step : 2 * step + 2]
        has = ~np.isnan(backscatter[2 * step : 2 * step + 2])
        values = source.values[step]
        np.testing.assert_array_equal(values == 255, ~has.any(axis=0))
        np.testing.assert_array_equal(values[has[0] & ~has[1]], 0)
        np.testing.assert_array_equal(values[has[1] & ~has[0]], 1)
        assert (values == 0).any() and (values == 1).any()
        if pair[0].epsg != EPSG:
            continue
        distances = []
        for product in pair:
            rows, columns = product.shape
            x, y = product.transform * (columns / 2, rows / 2)
            distances.append(np.hypot(where.x - x, where.y - y))
        shared, apart = has.all(axis=0), np.abs(distances[0] - distances[1]) > 1
        nearer = (distances[1] < distances[0]).astype("uint8")
        np.testing.assert_array_equal(values[shared & apart], nearer[shared & apart])


def test_there_is_no_seam(frames: Built, merged: Built) -> None:
    """Copied passes equal the truth of the ground, across the line where the frame changes."""
    where: Positions = merged.positions
    seams = 0
    copied = [step for step in range(PASSES) if frames.products[2 * step].epsg == EPSG]
    assert PASSES / 2 < len(copied) < PASSES
    for step in copied[::2]:
        first, second = frames.products[2 * step : 2 * step + 2]
        truths = [where.truth(product, "VV") for product in (first, second)]
        truth = np.where(np.isnan(truths[0]), truths[1], truths[0])
        values = merged.stack.VV_backscatter.values[step]
        np.testing.assert_array_equal(np.isnan(values), np.isnan(truth))
        np.testing.assert_allclose(
            values[~np.isnan(truth)], truth[~np.isnan(truth)], rtol=1e-6, atol=0
        )
        source = merged.stack.source_frame.values[step]
        seams += ((source[1:] == 0) & (source[:-1] == 1)).sum()
        seams += ((source[1:] == 1) & (source[:-1] == 0)).sum()
    assert seams > 100


def test_warped_frames_fit_together(frames: Built, merged: Built) -> None:
    values = frames.stack.VV_backscatter.values
    for step in range(PASSES):
        if frames.products[2 * step].epsg != EPSG:
            first, second = values[2 * step : 2 * step + 2]
            shared = np.isfinite(first) & np.isfinite(second)
            # Beside the edge of a frame the mean is one of fewer pixels.
            inner = shared.copy()
            for axis in (0, 1):
                for step_aside in (-1, 1):
                    inner &= np.roll(shared, step_aside, axis)
            inner &= np.roll(inner, 1, 0) & np.roll(inner, -1, 0)
            assert inner.sum() > 100
            np.testing.assert_allclose(first[inner], second[inner], rtol=1e-5)
            assert np.isfinite(merged.stack.VV_backscatter.values[step][shared]).all()


def test_static_layers_are_put_together_from_all_frames(frames: Built, merged: Built) -> None:
    assert merged.stack.dem.dims == ("y", "x")
    np.testing.assert_array_equal(merged.stack.dem, frames.stack.dem)
    assert np.isfinite(merged.stack.dem.values).mean() > 0.5


def test_static_layers_of_each_pass(stacker: Stacker) -> None:
    few = SIXTEEN | {"products": 4}
    single = stacker(few, STATIC_LAYERS="per_pair").stack
    both = stacker(few, STATIC_LAYERS="per_pair", MERGE_PASSES=True).stack
    assert both.dem.dims == ("time", "y", "x") and both.sizes["time"] == 2
    for step in range(2):
        first, second = single.dem.values[2 * step : 2 * step + 2]
        np.testing.assert_array_equal(
            np.isnan(both.dem.values[step]), np.isnan(first) & np.isnan(second)
        )


def test_a_pass_with_one_frame_missing(stacker: Stacker, tmp_path: Path) -> None:
    few = stacker(SIXTEEN | {"products": 4})
    folder = tmp_path / "products"
    for product in few.products[:3]:
        shutil.copytree(product.path, folder / product.name)
    run = build(folder, NETCDF=tmp_path / "stack.nc", MERGE_PASSES="true")
    assert run.outputs["STEPS"] == 2
    stack = stored(tmp_path / "stack.nc")
    assert set(np.unique(stack.source_frame.values[1])) == {0, 255}
    assert [len(name.split()) for name in stack.product_name.values] == [2, 1]


def test_merging_holds_three_blocks_at_a_time(stacker: Stacker) -> None:
    """The memory of a build is divided by it."""
    folder = stacker(SIXTEEN | {"products": 4}).samples.folder
    source, layers = contents_of(folder, MERGE_PASSES=True, SCALE="decibel")
    step = next(number for number in range(2) if not source.is_warped(number))
    backscatter = next(item.layer for item in layers if item.layer.is_backscatter)
    with traced_peak() as peak:
        block = source.read(backscatter, step, slice(0, 8000), slice(0, 1000))
        assert peak() < 3.5 * block.nbytes
    assert np.isfinite(block).any()


def test_merging_without_backscatter(stacker: Stacker, tmp_path: Path) -> None:
    few = stacker(SIXTEEN | {"products": 4})
    folder = tmp_path / "products"
    for product in few.products:
        shutil.copytree(product.path, folder / product.name)
    for path in folder.glob("*/*_V[VH].tif"):
        path.unlink()
    build(folder, NETCDF=tmp_path / "stack.nc", MERGE_PASSES=True)
    stack = stored(tmp_path / "stack.nc")
    told = stack.source_frame.values != 255
    np.testing.assert_array_equal(told, stack.ls_map.values != 255)


def test_merging_means_nothing_for_interferograms(stacker: Stacker) -> None:
    options = {"rows": 60, "columns": 60, "layers": ("unw_phase",), "sidecars": False}
    built = stacker(options, MERGE_PASSES=True, SCALE="decibel")
    assert built.run.outputs["STEPS"] == 4 and "source_frame" not in built.stack
    assert ["MERGE_PASSES" in text for text in built.run.warnings] == [True, False]
    assert "SCALE" in built.run.warnings[1]


def test_what_makes_a_pass(stacker: Stacker, tmp_path: Path) -> None:
    """Only names decide: platform, polarization and ten minutes."""
    template = stacker(SIXTEEN | {"products": 4}).products[0]
    names = [
        "S1A_IW_20230106T015136_DVP_RTC30_G_gpuned_0001",
        "S1A_IW_20230106T015201_DVP_RTC30_G_gpuned_0002",
        "S1A_IW_20230106T015226_DVP_RTC30_G_gpuned_0003",
        "S1A_IW_20230106T032950_DVP_RTC30_G_gpuned_0004",
        "S1C_IW_20230106T015140_DVP_RTC30_G_gpuned_0005",
        "S1A_IW_20230117T235955_DVP_RTC30_G_gpuned_0006",
        "S1A_IW_20230118T000020_DVP_RTC30_G_gpuned_0007",
    ]
    for name in names:
        (tmp_path / name).mkdir()
        shutil.copy(template.path / f"{template.name}_VV.tif", tmp_path / name / f"{name}_VV.tif")
    groups = group_passes(scan_folder(tmp_path).products)
    assert [[product.name.product_id[-1] for product in group] for group in groups] == [
        ["1", "2", "3"],
        ["5"],
        ["4"],
        ["6", "7"],
    ]
