"""Harmonized products of every type are products again, and give the same stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.running import build, harmonize, layer_file

from .conftest import TYPES, Stacker, stored

STATIC = {
    kind: [layer.name for layer in row.layers.values() if layer.static]
    for kind, row in PRODUCT_TYPES.items()
}


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
        if name in ("data_mask", "mask_reason"):
            continue
        if name in STATIC[kind]:
            # Other products fill what a product lacks.
            lacking = np.isnan(expected) | (expected == 255)
            assert (lacking & (found == found) & (found != 255)).any()
            expected = np.where(lacking, found, expected)
        if name == "dem" and kind == "RTC_GAMMA":
            # Files of whole meters stay such files.
            np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
            expected = np.where(np.abs(found - expected) <= 0.5, found, expected)
        np.testing.assert_array_equal(found, expected, err_msg=name)


def test_heights_that_no_product_has_are_missing(stacker: Stacker, tmp_path: Path) -> None:
    """Zero is a height, so a file without a value for missing data gets one."""
    built = stacker({"product_type": "RTC_GAMMA", "rows": 60, "columns": 60})
    harmonize(built.samples.folder, tmp_path / "harmonized", LAYERS="VV,dem,ls_map,inc_map")
    lacking = []
    for product in built.samples.products:
        folder = tmp_path / "harmonized" / product.name
        with rasterio.open(layer_file(folder, "dem")) as file:
            assert file.dtypes == ("int16",) and file.nodata == -32768
            values, transform = file.read(1), file.transform
        lacking.append(values == -32768)
        with rasterio.open(layer_file(product.path, "dem")) as file:
            heights = file.read(1)
        assert (values != -32768).sum() > heights.size
        if product.epsg != built.products[0].epsg:
            continue
        column, row = ~transform * (product.transform.c, product.transform.f)
        window = (slice(int(row), int(row) + len(heights)),)
        window += (slice(int(column), int(column) + heights.shape[1]),)
        np.testing.assert_array_equal(values[window], heights)
        for layer in ("ls_map", "inc_map"):  # they change with the date
            with rasterio.open(layer_file(folder, layer)) as file:
                values = file.read(1)
            values[window] = 0
            assert not values.any(), layer
    assert lacking[0].any()
    for other in lacking[1:]:
        np.testing.assert_array_equal(other, lacking[0])
