"""Every layer of every product type against truth, to the pixel."""

from __future__ import annotations

import numpy as np

from hyp3_stack.core.products.layers import Layer, LayerKind
from hyp3_stack.core.products.product_types import PRODUCT_TYPES
from tests.sample_products import SampleProduct
from tests.truth import CYCLIC, Positions, difference, measure_shift, window_of

from .conftest import EPSG, Built

DIRECTIONS = [(np.cos(turn), np.sin(turn)) for turn in np.arange(8) * np.pi / 4]


def layers_of(built: Built) -> list[Layer]:
    table = PRODUCT_TYPES[built.samples.spec.product_type].layers
    return [table[name] for name in built.samples.products[0].layers if name in table]


def expected_on_own_grid(product: SampleProduct, layer: Layer) -> np.ndarray:
    """Return what the stack has to hold of a copied product, from its truth."""
    truth = product.truth(layer.name, *product.centers(), product.epsg)
    if not layer.is_mask:
        return truth.astype("float32")
    # HyP3 writes 0 into connected components where there is none, which is a class there.
    missing = 0 if layer.name == "conncomp" else layer.fill
    return np.where(np.isnan(truth), missing, truth).astype("uint8")


def test_all_layers_are_stacked(built: Built) -> None:
    names = {layer.variable for layer in layers_of(built)}
    rasters = {name for name, item in built.stack.items() if item.dims[-2:] == ("y", "x")}
    assert names <= rasters and not rasters & {"rgb", "lat", "lon", "los"}
    assert built.run.warnings == []
    for layer in layers_of(built):
        variable = built.stack[layer.variable]
        assert variable.dtype == layer.dtype
        assert variable.dims == (built.dimension, "y", "x")
        fill = variable.attrs["_FillValue"]
        assert fill == 255 if layer.is_mask else np.isnan(fill)
    zones = [product.epsg for product in built.products]
    assert sorted(set(zones)) == [EPSG, EPSG + 1]


def test_copied_products_equal_truth(built: Built) -> None:
    for step, product in enumerate(built.products):
        if product.epsg != EPSG:
            continue
        window = window_of(built.positions, product)
        outside = np.ones(built.stack.sizes["y"] * built.stack.sizes["x"], bool)
        outside = outside.reshape(built.stack.sizes["y"], built.stack.sizes["x"])
        outside[window] = False
        assert outside.any()
        for layer in layers_of(built):
            values = built.stack[layer.variable].values[step]
            np.testing.assert_array_equal(
                values[window], expected_on_own_grid(product, layer), err_msg=layer.name
            )
            there = values[outside]
            assert (there == 255).all() if layer.is_mask else np.isnan(there).all(), layer.name


def around(
    where: Positions, product: SampleProduct, layer: Layer, *reaches: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the truth at all pixels and at eight points around each, so many pixels away."""
    center = where.truth(product, layer.name)
    ring = [
        where.truth(product, layer.name, reach * right, reach * up)
        for reach in reaches
        for right, up in DIRECTIONS
    ]
    return center, np.stack(ring)


def thinned(built: Built, part: slice) -> Positions:
    """Return some pixels of some rows; truth takes its time."""
    spacing = float(built.samples.spec.pixel)
    return Positions(built.stack.x.values[part], built.stack.y.values[part], EPSG, spacing)


def test_classes_of_warped_products_are_wrong_only_beside_a_boundary(built: Built) -> None:
    for step, product in enumerate(built.products):
        if product.epsg == EPSG:
            continue
        for layer in (item for item in layers_of(built) if item.is_mask):
            values = built.stack[layer.variable].values[step]
            center, ring = around(built.positions, product, layer, 0.75)
            if layer.name == "conncomp":
                inside = in_raster(built.positions, product)
                center = np.where(np.isnan(center) & inside, 0, center)
                ring = np.where(np.isnan(ring), -1, ring)
                beside = (ring != np.where(center == 0, -1, center)).any(axis=0)
            else:
                beside = ((ring != center) & ~(np.isnan(ring) & np.isnan(center))).any(axis=0)
            expected = np.where(np.isnan(center), 255, center).astype("uint8")
            wrong = values != expected
            edge = near_edge(built.positions, product)
            assert not (wrong & ~beside & ~edge).any(), layer.name
            assert wrong.mean() < 0.1
            assert len(np.unique(values)) > 2, "classes must be part of the test"


def in_raster(where: Positions, product: SampleProduct) -> np.ndarray:
    row, column = where.in_product(product)
    rows, columns = product.shape
    return (row >= 0) & (row < rows) & (column >= 0) & (column < columns)


def near_edge(where: Positions, product: SampleProduct) -> np.ndarray:
    """Return which pixels lie within a pixel of the edge of a product's raster."""
    row, column = where.in_product(product)
    rows, columns = product.shape
    distance = np.minimum.reduce([row, rows - row, column, columns - column])
    return np.abs(distance) < 1


def test_warped_values_lie_between_their_neighbors(built: Built) -> None:
    part = slice(None, None, 3)
    for step, product in enumerate(built.products):
        if product.epsg == EPSG:
            continue
        where = thinned(built, part)
        for layer in (item for item in layers_of(built) if not item.is_mask):
            values = built.stack[layer.variable].values[step, part, part].astype(float)
            # Bilinear takes from pixels whose centers are less than 1.42 pixels away.
            center, ring = around(where, product, layer, 0.75, 1.42)
            sure = ~np.isnan(ring).any(axis=0) & ~np.isnan(center)
            absent = np.isnan(ring).all(axis=0) & np.isnan(center)
            edge = near_edge(where, product)
            assert not np.isnan(values[sure & ~edge]).any(), layer.name
            assert np.isnan(values[absent & ~edge]).all(), layer.name
            reach = np.abs(difference(ring, center, layer.name))[:, sure].max(axis=0)
            error = np.abs(difference(values, center, layer.name))[sure]
            scale = np.nanstd(center)
            # Whole meters round heights; the rest allows for curvature between the eight points.
            rounding = 1.0 if layer.name == "dem" and "RTC" in product.product_type else 0.0
            assert not (
                error[~np.isnan(error)] > 1.1 * reach[~np.isnan(error)] + 1e-4 * scale + rounding
            ).any(), layer.name
            assert sure.mean() > 0.2, layer.name


def test_warped_layers_are_not_shifted(built: Built) -> None:
    """The error regressed on the truth's gradient is a shift; 0.05 pixel is the limit."""
    part = slice(None, None, 2)
    for step, product in enumerate(built.products):
        if product.epsg == EPSG:
            continue
        where = thinned(built, part)
        for layer in (item for item in layers_of(built) if not item.is_mask):
            values = built.stack[layer.variable].values[step, part, part]
            center, ring = around(where, product, layer, 1.5)
            jumps = np.abs(difference(ring, center, layer.name)).max(axis=0)
            usable = jumps < 4 * np.nanmedian(jumps)
            right, up = measure_shift(where, product, layer.name, values, usable)
            assert abs(right) < 0.05 and abs(up) < 0.05, (layer.name, right, up)


def test_angles_wrap(built: Built) -> None:
    cyclic = [item for item in layers_of(built) if item.kind is LayerKind.CYCLIC]
    assert {item.name for item in cyclic} == (
        set() if "RTC" in built.samples.spec.product_type else set(CYCLIC)
    )
    for layer in cyclic:
        values = built.stack[layer.variable].values
        present = values[np.isfinite(values)]
        assert np.abs(present).max() <= np.float32(np.pi)
