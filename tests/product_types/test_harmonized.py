"""Harmonized products of every type are products again, and give the same stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.stack.running import build, harmonize, layer_file

from .conftest import TYPES, Stacker, stored


@pytest.mark.parametrize(
    ("kind", "scale"), [*((kind, "power") for kind in TYPES), ("RTC_GAMMA", "decibel")]
)
def test_harmonized_products_give_the_same_stack(
    stacker: Stacker, tmp_path: Path, kind: str, scale: str
) -> None:
    options = {"product_type": kind, "rows": 60, "columns": 60, "scale": scale}
    options |= {"water_masked": "MULTI" in kind}
    built = stacker(options, STATIC_LAYERS="per_pair")
    target = tmp_path / "harmonized"
    run = harmonize(built.samples.folder, target)
    assert (run.outputs["COPIED"], run.outputs["WARPED"]) == (3, 1) and run.warnings == []
    again = build(target, NETCDF=tmp_path / "stack.nc", STATIC_LAYERS="per_pair")
    assert again.warnings == []
    stack = stored(tmp_path / "stack.nc")
    for axis in ("x", "y", built.dimension):
        np.testing.assert_array_equal(stack[axis], built.stack[axis])
    layers = [name for name, item in built.stack.items() if item.dims[-2:] == ("y", "x")]
    for name in layers:
        found, expected = stack[name].values, built.stack[name].values
        if name == "conncomp":
            # HyP3's files have one value for no component and no data.
            expected = np.where(expected == 255, 0, expected)
        if name == "dem" and kind == "RTC_GAMMA":
            # Files of whole meters stay such files.
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            expected = np.where(np.abs(found - expected) <= 0.5, found, expected)
        if name in ("data_mask", "mask_reason"):
            continue
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_heights_outside_of_a_product_are_missing(stacker: Stacker, tmp_path: Path) -> None:
    """Zero is a height, so a file without a value for missing data gets one."""
    built = stacker({"product_type": "RTC_GAMMA", "rows": 60, "columns": 60})
    harmonize(built.samples.folder, tmp_path / "harmonized", LAYERS="VV,dem")
    for product in built.samples.products:
        with rasterio.open(layer_file(tmp_path / "harmonized" / product.name, "dem")) as file:
            assert file.dtypes == ("int16",) and file.nodata == -32768
            values = file.read(1)
        with rasterio.open(layer_file(product.path, "dem")) as file:
            heights = file.read(1)
        if product.epsg == built.products[0].epsg:
            assert (values != -32768).sum() == heights.size
            assert (values == 0).sum() == (heights == 0).sum()
