"""Warping block by block: the result must not depend on the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from hyp3_stack.core.grid.placement import Placement, Treatment
from hyp3_stack.core.grid.plan import GridOptions, Plan, make_plan
from hyp3_stack.core.pixels.values import ValueOptions, ValueReader
from hyp3_stack.core.products.layers import LayerKind
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from hyp3_stack.core.selection.selection import SelectionOptions, select_products
from tests.sample_products import SampleStack


@pytest.fixture(scope="module")
def plan(gamma: SampleStack) -> Plan:
    return make_plan(select_products(gamma.folder, SelectionOptions()).products, GridOptions())


def read(plan: Plan, placement: Placement, layer: str, rows: slice, columns: slice) -> np.ndarray:
    """Read a block through files opened for it alone."""
    table = PRODUCT_TYPES["INSAR_GAMMA"].layers[layer]
    with ValueReader(placement, table, plan.grid, ValueOptions()) as reader:
        return reader.read(rows, columns)


def whole(plan: Plan) -> tuple[slice, slice]:
    return slice(0, plan.grid.height), slice(0, plan.grid.width)


@pytest.mark.parametrize("layer", PRODUCT_TYPES["INSAR_GAMMA"].layers)
def test_blocks_fit_together(plan: Plan, layer: str, side: int = 97) -> None:
    kind = PRODUCT_TYPES["INSAR_GAMMA"].layers[layer].kind
    rows, columns = whole(plan)
    for placement in plan.placements:
        expected = read(plan, placement, layer, rows, columns)
        found = np.empty_like(expected)
        for row in range(0, rows.stop, side):
            for column in range(0, columns.stop, side):
                here = slice(row, min(row + side, rows.stop))
                there = slice(column, min(column + side, columns.stop))
                found[here, there] = read(plan, placement, layer, here, there)
        if placement.treatment is Treatment.COPY:
            np.testing.assert_array_equal(found, expected)
            continue
        same = np.isclose(found, expected, rtol=0, atol=0, equal_nan=True)
        if kind is LayerKind.CONTINUOUS:
            assert (np.isnan(found) == np.isnan(expected)).mean() > 0.9995
            span = np.nanmax(expected) - np.nanmin(expected)
            error = np.abs(found - expected)
            # A thousandth of a pixel, times the steepest step between two pixels.
            assert np.nanmax(error) < 0.004 * span
        else:
            # Nearest may take the other of two pixels that are equally near.
            assert same.mean() > 0.999


def test_blocks_outside_a_product_have_no_data(plan: Plan) -> None:
    """A product smaller than the grid leaves margins, in which blocks are not even read."""
    rows, columns = whole(plan)
    empty = 0
    for placement in plan.placements:
        full = read(plan, placement, "corr", rows, columns)
        for edge in (slice(0, 1), slice(rows.stop - 1, rows.stop)):
            block = read(plan, placement, "corr", edge, columns)
            np.testing.assert_array_equal(np.isnan(block), np.isnan(full[edge]))
            if not placement.touches(plan.grid, edge, columns):
                empty += 1
                assert np.isnan(block).all() and block.dtype == np.float32
                mask = read(plan, placement, "water_mask", edge, columns)
                assert (mask == 255).all() and mask.dtype == np.uint8
    assert empty, "some products end before the grid does"
