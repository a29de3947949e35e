"""One map from those of several products: gaps are filled, differences found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hyp3_stack.core.pixels.mosaic import Mosaic
from hyp3_stack.core.products.layers import Layer
from hyp3_stack.core.products.product_types import PRODUCT_TYPES

TABLE = PRODUCT_TYPES["INSAR_GAMMA"].layers
ROWS, COLUMNS = slice(100, 300), slice(40, 47)
SHAPE = (200, 7)


def put_together(layer: Layer, *blocks: NDArray[Any]) -> Mosaic:
    mosaic = Mosaic(layer, ROWS, COLUMNS)
    for block in blocks:
        mosaic.add(block, ROWS, COLUMNS)
    return mosaic


def angles(value: float) -> NDArray[np.float32]:
    return np.full(SHAPE, value, "float32")


def test_the_first_product_with_data_gives_a_pixel() -> None:
    one, other = angles(1.0), angles(2.0)
    one[:150, 3] = np.nan
    other[:50] = np.nan
    mosaic = put_together(TABLE["lv_theta"], one, other, angles(4.0))
    expected = angles(1.0)
    expected[50:150, 3] = 2.0
    expected[:50, 3] = 4.0
    np.testing.assert_array_equal(mosaic.values, expected)
    assert mosaic.difference == 3.0


def test_products_that_nowhere_overlap_have_no_difference() -> None:
    one, other = angles(1.0), angles(2.0)
    one[:, 3:] = np.nan
    other[:, :3] = np.nan
    mosaic = put_together(TABLE["lv_theta"], one, other)
    assert mosaic.difference is None
    assert not np.isnan(mosaic.values).any()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [(3.0, -3.0, 2 * math.pi - 6.0), (1.5, -1.5, 3.0), (-3.1, 3.1, 2 * math.pi - 6.2)],
)
def test_angles_differ_around_the_circle(one: float, other: float, expected: float) -> None:
    mosaic = put_together(TABLE["lv_phi"], angles(one), angles(other))
    assert mosaic.difference == pytest.approx(expected, abs=1e-6)


def test_a_seam_does_not_hide_a_larger_difference() -> None:
    one, other = angles(3.0), angles(-3.0)
    one[10, 2], other[10, 2] = 1.0, -1.0
    assert put_together(TABLE["lv_phi"], one, other).difference == pytest.approx(2.0, abs=1e-6)


def classes(value: int) -> NDArray[np.uint8]:
    return np.full(SHAPE, value, "uint8")


def test_classes() -> None:
    layer = TABLE["water_mask"]
    one, other = classes(1), classes(1)
    one[:20], other[:40] = 255, 255
    assert put_together(layer, one).difference is None
    assert put_together(layer, one, one).difference == 0.0
    assert put_together(layer, one, other).difference == 0.0
    assert put_together(layer, classes(255), classes(255)).difference is None
    other[100, 3] = 0
    mosaic = put_together(layer, other, one)
    assert mosaic.difference == 1.0
    assert mosaic.values[100, 3] == 0 and (mosaic.values[20:40] == 1).all()


def test_a_block_may_come_in_parts() -> None:
    one, other = angles(1.0), angles(2.5)
    one[20:90, 3] = np.nan
    other[50:70] = np.nan
    whole = put_together(TABLE["lv_theta"], one, other)
    parts = Mosaic(TABLE["lv_theta"], ROWS, COLUMNS)
    read: list[int] = []
    for block in (one, other):

        def part(rows: slice, columns: slice, block: NDArray[Any] = block) -> NDArray[Any]:
            assert columns == COLUMNS
            read.append(rows.stop - rows.start)
            return block[rows.start - ROWS.start : rows.stop - ROWS.start]

        parts.add_from(part, 60)
    assert read == [60, 60, 60, 20] * 2
    np.testing.assert_array_equal(parts.values, whole.values)
    assert parts.difference == whole.difference == 1.5
