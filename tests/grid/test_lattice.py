"""Lattices and grids: whole pixels, whatever the native phase."""

from __future__ import annotations

import random

import numpy as np
import pytest

from hyp3_stack.core.grid.lattice import Lattice
from hyp3_stack.core.inputs.raster_grid import Raster


def raster(left: float, top: float, spacing: float = 80.0, width: int = 10, height: int = 7):
    return Raster(32610, left, top, spacing, width, height)


def test_the_half_pixel_of_gamma_products_is_kept() -> None:
    lattice = Lattice.of(raster(392680.0, 3962360.0))
    assert (lattice.x_phase, lattice.y_phase) == (40.0, 40.0)
    grid = lattice.grid(32610, "", lattice.outward((392601.0, 3961000.0, 393000.0, 3962001.0)))
    assert (grid.left % 80, grid.top % 80) == (40, 40)
    # Edges on multiples of the spacing would be those of gdalwarp -tap.
    assert grid.left == 392600.0 and grid.top == 3962040.0


@pytest.mark.parametrize("spacing", [10.0, 20.0, 30.0, 40.0, 80.0])
def test_ranges_of_lattice_lines(spacing: float) -> None:
    numbers = random.Random(7)
    for _ in range(300):
        left = numbers.choice([1e5, 5e5, 8e5]) + numbers.randrange(4) * spacing / 2
        top = numbers.choice([1e6, 9.9e6]) + numbers.randrange(4) * spacing / 2
        native = raster(left, top, spacing)
        lattice = Lattice.of(native)
        assert lattice.holds(native)
        x, y = (numbers.uniform(-9, 9) * spacing + base for base in (left, top))
        box = (x, y, x + numbers.uniform(2, 99) * spacing, y + numbers.uniform(2, 99) * spacing)
        outer = lattice.grid(None, "", lattice.outward(box)).bounds
        inner = lattice.grid(None, "", lattice.inward(box)).bounds
        slack = 1e-3 * spacing
        for side, outward in enumerate((-1, -1, 1, 1)):
            assert outward * (outer[side] - box[side]) >= -slack
            assert outward * (inner[side] - box[side]) <= slack
        for wide, narrow, edge in zip(outer, inner, box, strict=True):
            assert abs(wide - edge) < spacing + slack and abs(narrow - edge) < spacing + slack
            steps = (wide - left) / spacing, (narrow - left) / spacing
            if edge in box[::2]:
                assert all(abs(step - round(step)) < 1e-6 for step in steps)


def test_positions_on_the_lattice_are_not_widened() -> None:
    """Rounding in files must not add a row or column."""
    for spacing in (20.0, 30.0, 80.0):
        for offset in (0.0, 1e-7, -1e-7, 5e-4, -5e-4):
            native = raster(5e5 + spacing / 2 + offset, 4e6 + offset, spacing)
            lattice = Lattice.of(raster(5e5 + spacing / 2, 4e6, spacing))
            assert lattice.holds(native)
            left, bottom, right, top = lattice.outward(native.bounds)
            assert (right - left, top - bottom) == (native.width, native.height)
            left, bottom, right, top = lattice.inward(native.bounds)
            assert (right - left, top - bottom) == (native.width, native.height)


@pytest.mark.parametrize("offset", [40.0, 8.0, 1.0, 0.1])
def test_what_lies_off_the_lattice(offset: float) -> None:
    lattice = Lattice.of(raster(400040.0, 3900040.0))
    assert lattice.holds(raster(400040.0 + 80 * 17, 3900040.0 - 80 * 5))
    assert not lattice.holds(raster(400040.0 + offset, 3900040.0))
    assert not lattice.holds(raster(400040.0, 3900040.0 + offset))
    assert not lattice.holds(raster(400040.0, 3900040.0, spacing=40.0))


def test_coordinates_of_a_grid_are_exact_far_from_the_origin() -> None:
    grid = Lattice(80.0, 40.0, 40.0).grid(32733, "", (8000, 120_000, 8000 + 6829, 123_735))
    assert grid.x.shape == (6829,) and grid.y.shape == (3735,)
    np.testing.assert_array_equal(grid.x, 640_080.0 + 80.0 * np.arange(6829))
    np.testing.assert_array_equal(grid.y, 9_898_800.0 - 80.0 * np.arange(3735))
    assert grid.bounds == (640_040.0, 9_600_040.0, 640_040.0 + 6829 * 80, 9_898_840.0)
