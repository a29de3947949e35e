"""Knowing without warping where a product has data: it must never miss a pixel."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from hyp3_stack.core.grid.placement import Placement, Treatment
from hyp3_stack.core.grid.plan import GridOptions, Plan, make_plan
from hyp3_stack.core.inputs.raster_grid import Raster
from hyp3_stack.core.pixels.values import ValueOptions, ValueReader
from hyp3_stack.core.products.layers import Layer
from hyp3_stack.core.products.nodata import NoData
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from hyp3_stack.core.raster.layer_reader import gdal_environment
from hyp3_stack.core.raster.raster_file import RasterFile
from hyp3_stack.core.raster.reach import Reach
from hyp3_stack.core.raster.warping import Warps
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.sample_products import SampleStack

TABLE = PRODUCT_TYPES["INSAR_GAMMA"].layers


@pytest.fixture(scope="module", params=[None, "EPSG:3857"])
def plan(gamma: SampleStack, request: pytest.FixtureRequest) -> Plan:
    """The neighboring zone, and a system whose pixels are half as large on the ground again."""
    products = select_products(gamma.folder, SelectionOptions()).products
    return make_plan(products, GridOptions(target_crs=request.param))


def warped(plan: Plan) -> list[Placement]:
    return [item for item in plan.placements if item.treatment is Treatment.WARP]


def has_data(block: NDArray[np.generic], layer: Layer) -> NDArray[np.bool_]:
    return block != layer.fill if layer.is_mask else ~np.isnan(block)


def edge_of(data: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels with data that have a neighbor without."""
    inner = data.copy()
    for axis in (0, 1):
        for shift in (-1, 1):
            inner &= np.roll(data, shift, axis)
    return data & ~inner


@pytest.mark.parametrize("resampling", ["auto", "cubic"])
@pytest.mark.parametrize("name", ["unw_phase", "corr", "lv_phi", "water_mask"])
def test_every_pixel_with_data_is_in_reach(plan: Plan, name: str, resampling: str) -> None:
    layer, grid = TABLE[name], plan.grid
    rows, columns = slice(7, grid.height), slice(3, grid.width)
    for placement in warped(plan):
        options = ValueOptions(resampling)
        with gdal_environment(), ValueReader(placement, layer, grid, options) as reader:
            data = has_data(reader.read(rows, columns), layer)
            reach = reader.reach(rows, columns)
        assert reach.touches(rows, columns) and reach.meets(data, rows, columns)
        found = np.argwhere(edge_of(data))
        assert len(found) > 100
        for row, column in found[:: max(1, len(found) // 300)]:
            gap = np.ones((1, 1), bool)
            there = (
                slice(rows.start + row, rows.start + row + 1),
                slice(columns.start + column, columns.start + column + 1),
            )
            assert reach.meets(gap, *there), (placement, row, column)
            assert reach.touches(*there)


def test_it_spares_most_of_what_has_no_data(plan: Plan) -> None:
    """All pixels two away from data are told apart; a few nearer ones may be in doubt."""
    layer, grid = TABLE["corr"], plan.grid
    rows, columns = slice(0, grid.height), slice(0, grid.width)
    for placement in warped(plan):
        with ValueReader(placement, layer, grid, ValueOptions()) as reader:
            near = has_data(reader.read(rows, columns), layer)
            reach = reader.reach(rows, columns)
        for _ in range(2):
            near |= edge_of(~near)
        assert (~near).sum() > 1000
        assert not reach.meets(~near, rows, columns)


def test_rasters_that_lack_the_same_pixels_are_told(plan: Plan) -> None:
    placement = warped(plan)[0]
    grid, product = plan.grid, placement.product
    names = ["corr", "unw_phase", "amp", "los_disp"]
    rows, columns = slice(0, grid.height), slice(0, grid.width)
    with ExitStack() as files:
        held = [
            (files.enter_context(closing(RasterFile(product.layer_path(name)))), NoData(0.0))
            for name in names
        ]
        reach = Reach(held, placement.raster, grid, rows, columns)
    assert reach.alike == [[0, 2], [1, 3]]


def test_a_product_elsewhere_reaches_nothing(plan: Plan) -> None:
    placement = warped(plan)[0]
    away: Raster = replace(placement.raster, left=placement.raster.left + 2e5)
    rows, columns = slice(0, plan.grid.height), slice(0, plan.grid.width)
    with closing(RasterFile(placement.product.layer_path("corr"))) as file:
        for missing in (NoData(0.0), NoData()):
            reach = Reach([(file, missing)], away, plan.grid, rows, columns)
            assert not reach.touches(rows, columns)
            everything = np.ones((plan.grid.height, plan.grid.width), bool)
            assert not reach.meets(everything, rows, columns)


def test_nothing_is_ruled_out_beyond_the_domain_of_a_projection(plan: Plan) -> None:
    placement = warped(plan)[0]
    grid = replace(plan.grid, left=np.inf)
    here = (slice(0, 40), slice(0, 40))
    with closing(RasterFile(placement.product.layer_path("corr"))) as file:
        reach = Reach([(file, NoData(0.0)), (file, NoData(0.0))], placement.raster, grid, *here)
    assert reach.touches(*here)
    assert reach.meets(np.ones((40, 40), bool), *here)
    assert reach.alike == [[0], [1]]


@pytest.mark.parametrize("resampling", ["auto", "bilinear", "cubic"])
def test_layers_warped_together_are_as_if_warped_alone(plan: Plan, resampling: str) -> None:
    grid = plan.grid
    columns = slice(0, grid.width)
    placement = warped(plan)[-1]
    layers = [TABLE[name] for name in placement.product.layers]
    middle = grid.height // 2
    options = ValueOptions(resampling)
    with gdal_environment(), Warps() as warps:
        readers = [ValueReader(placement, layer, grid, options, warps=warps) for layer in layers]
        for rows in (slice(0, middle), slice(middle, grid.height)):
            for layer, reader in zip(layers, readers, strict=True):
                with ValueReader(placement, layer, grid, options) as alone:
                    expected = alone.read(rows, columns)
                found = reader.read(rows, columns)
                assert found.dtype == expected.dtype
                np.testing.assert_array_equal(found, expected, err_msg=layer.name)
        for reader in readers:
            reader.__exit__(None, None, None)
