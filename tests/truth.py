"""Measures of how far a stack is from the truth of its sample products."""

from __future__ import annotations

import numpy as np
import rasterio
from pyproj import Transformer

from tests.sample_products import SampleProduct

CYCLIC = ("wrapped_phase", "lv_phi")


class Positions:
    """Map positions, from which the truth of any product can be had.

    Parameters
    ----------
    x, y
        Centers of columns and rows in meters.
    epsg
        Code of their CRS.
    spacing
        Size of the stack's pixels in meters.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, epsg: int, spacing: float) -> None:
        self.x, self.y = np.meshgrid(x, y)
        self.epsg = epsg
        self.spacing = spacing

    def truth(
        self, product: SampleProduct, layer: str, right: float = 0.0, up: float = 0.0
    ) -> np.ndarray:
        """Return the truth at all pixels, or so many pixels to the right and up."""
        return product.truth(
            layer, self.x + right * self.spacing, self.y + up * self.spacing, self.epsg
        )

    def in_product(self, product: SampleProduct) -> tuple[np.ndarray, np.ndarray]:
        """Return fractional row and column in a product's raster; 0 is its upper left corner."""
        x, y = self.x, self.y
        if product.epsg != self.epsg:
            native = Transformer.from_crs(self.epsg, product.epsg, always_xy=True)
            x, y = native.transform(x, y)
        column, row = ~product.transform * (x, y)
        return row, column


def difference(one: np.ndarray, other: np.ndarray, layer: str) -> np.ndarray:
    """Return one - other, the short way around the circle for angles with a seam."""
    result = one - other
    if layer in CYCLIC:
        result = (result + np.pi) % (2 * np.pi) - np.pi
    return result


def near_change(
    positions: Positions, product: SampleProduct, layer: str, reach: float
) -> np.ndarray:
    """Return which pixels have another class or no data within ``reach`` pixels."""
    center = positions.truth(product, layer)
    near = np.isnan(center)
    for turn in np.arange(8) * (np.pi / 4):
        there = positions.truth(product, layer, reach * np.cos(turn), reach * np.sin(turn))
        near |= ~((there == center) | (np.isnan(there) & np.isnan(center)))
    return near


def measure_shift(
    positions: Positions,
    product: SampleProduct,
    layer: str,
    values: np.ndarray,
    usable: np.ndarray,
) -> tuple[float, float]:
    """Return how far values lie to the right and up of the truth, in pixels.

    The differences from truth are regressed on the truth's gradients, where ``usable``. Angles of
    the viewing geometry are ramps, whose shift cannot be told from a constant or across their
    slope; there only the part along the slope is measured.
    """
    truth = positions.truth(product, layer)
    slopes = [
        difference(
            positions.truth(product, layer, right / 2, up / 2),
            positions.truth(product, layer, -right / 2, -up / 2),
            layer,
        )
        for right, up in ((1.0, 0.0), (0.0, 1.0))
    ]
    error = difference(values.astype(float), truth, layer)
    usable = usable & np.isfinite(error) & np.isfinite(slopes[0]) & np.isfinite(slopes[1])
    assert usable.sum() > 2000, "too few pixels to measure a shift"
    columns = [-slopes[0][usable], -slopes[1][usable]]
    is_ramp = layer in ("lv_theta", "lv_phi", "inc_map_ell")
    if not is_ramp:
        columns.append(np.ones(usable.sum()))
    solution, *_ = np.linalg.lstsq(
        np.stack(columns, axis=1), error[usable], rcond=0.1 if is_ramp else None
    )
    return float(solution[0]), float(solution[1])


def stored(product: SampleProduct, layer: str) -> np.ndarray:
    """Return the values of a product's GeoTIFF (from its folder, not from a zip)."""
    with rasterio.open(product.path / f"{product.name}_{layer}.tif") as file:
        return file.read(1)


def window_of(positions: Positions, product: SampleProduct) -> tuple[slice, slice]:
    """Return the rows and columns of the stack that a copied product covers."""
    left, top = positions.x[0, 0] - positions.spacing / 2, positions.y[0, 0] + positions.spacing / 2
    row = (top - product.transform.f) / positions.spacing
    column = (product.transform.c - left) / positions.spacing
    assert row == int(row) and column == int(column), "the product lies between pixels"
    rows, columns = product.shape
    return slice(int(row), int(row) + rows), slice(int(column), int(column) + columns)
