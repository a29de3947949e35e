"""The direction in which the radar looks at each pixel, computed from HyP3's two angles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..grid.lattice import Grid, to_longitude_latitude
from ..machine.blocks import bands
from ..products.layers import LOOK_AZIMUTH, LOOK_ELEVATION, Layer, LayerKind
from .geometry import look_component

ANGLES = (LOOK_ELEVATION, LOOK_AZIMUTH)

_PART_PIXELS = 250_000
"""Pixels that are computed at once: in float64 with their positions, they take 20 MB."""

LOOK_VECTORS = tuple(
    Layer(
        f"look_vector_{axis}",
        LayerKind.CONTINUOUS,
        "1",
        f"{axis} component of the look vector",
        static=True,
        missing=None,
        limits=(-1.0, 1.0),
        attributes={
            "comment": "unit vector from sensor to ground, Earth-centered, Earth-fixed (WGS 84), "
            "from lv_theta and lv_phi",
            "valid_range": [-1.0, 1.0],
        },
    )
    for axis in "xyz"
)
"""Not layers of products: they are computed while the angles are read, once for the stack."""

LOOK_VECTOR_NAMES = frozenset(layer.name for layer in LOOK_VECTORS)


def check_angles(layers: Sequence[Layer]) -> None:
    """Check that a stack has the angles that look vectors are computed from.

    Raises
    ------
    InvalidParameterError
        If it has not.
    """
    names = {layer.name for layer in layers}
    missing = [name for name in ANGLES if name not in names]
    if any(layer.is_backscatter for layer in layers):
        raise InvalidParameterError(
            "LOOK_VECTORS is for interferograms; leave it out for backscatter."
        )
    if missing:
        raise InvalidParameterError(
            f"LOOK_VECTORS needs the layers {' and '.join(ANGLES)}, but {' and '.join(missing)} "
            "would not be in the stack; add them to LAYERS, order the products with look vectors, "
            "or leave LOOK_VECTORS out."
        )


def look_vectors(
    layer: Layer,
    grid: Grid,
    rows: slice,
    columns: slice,
    elevation: NDArray[Any],
    azimuth: NDArray[Any],
) -> NDArray[np.float32]:
    """Compute one component of the look vector for a block; NaN where one of the angles is missing.

    Parameters
    ----------
    layer
        One of `LOOK_VECTORS`.
    rows, columns
        The block; both ends given.
    elevation, azimuth
        ``lv_theta`` and ``lv_phi`` of the block in radians, shape (rows, columns).
    """
    axis = layer.name[-1]
    transformer = to_longitude_latitude(grid)
    result: NDArray[np.float32] = np.empty(elevation.shape, "float32")
    for part in bands(result.shape[0], 1, max(1, _PART_PIXELS // result.shape[1])):
        x, y = np.meshgrid(grid.x[columns], grid.y[rows][part])
        longitude, latitude = transformer.transform(x, y)
        result[part] = look_component(
            axis,
            longitude,
            latitude,
            elevation[part].astype("float64"),
            azimuth[part].astype("float64"),
        )
    return result
