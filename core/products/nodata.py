"""Which values mean no data in a file: HyP3's own, and what the file itself declares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .layers import Layer

MISSING_DECIBEL = -3.4028234663852886e38
"""Missing data of HyP3 backscatter in decibels: the lowest float32."""

_ROUNDED = 1e-5
"""Relative error of limits of data types as programs write them: -3.40282e+38."""


@dataclass(frozen=True)
class NoData:
    """The values that mean no data in a file.

    Parameters
    ----------
    value
        The one that stands for all of them where a file of the same kind is written; None where
        every value is data.
    others
        Those besides it.
    """

    value: float | None = None
    others: tuple[float, ...] = ()

    @property
    def all(self) -> tuple[float, ...]:
        """All of them."""
        return () if self.value is None else (self.value, *self.others)

    def where(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where a block of the file has no data."""
        if self.value is None:
            return np.zeros(values.shape, bool)
        found = _equal(values, self.value)
        for value in self.others:
            found |= _equal(values, value)
        return found

    def replace(self, values: NDArray[Any], wanted: float) -> None:
        """Put one value in the place of all that mean no data, in place.

        Parameters
        ----------
        values
            A block of the file, perhaps in a wider data type.
        wanted
            A value that the data type of the block holds.
        """
        for value in self.all:
            if not _is_same(value, wanted):
                np.copyto(values, values.dtype.type(wanted), where=_equal(values, value))


def nodata_of(layer: Layer, dtype: str, tag: float | None, scale: str | None = None) -> NoData:
    """Return the values that mean no data in a file.

    Parameters
    ----------
    layer
        The layer that the file holds.
    dtype
        Data type of the file.
    tag
        What the file declares as missing; None for nothing.
    scale
        Scale of backscatter; None for other layers.
    """
    own = layer.missing
    if layer.is_backscatter:
        own = MISSING_DECIBEL if scale == "decibel" else 0.0
    declared = () if tag is None or tag in layer.never_missing else _declared(dtype, tag)
    values = (*(() if own is None else (own,)), *declared)
    different = [
        value
        for place, value in enumerate(values)
        if not any(_is_same(value, other) for other in values[:place])
    ]
    return NoData(different[0], tuple(different[1:])) if different else NoData()


def _declared(dtype: str, tag: float) -> tuple[float, ...]:
    """Return the values of a data type that a tag may stand for; none if it holds no such value."""
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        limits = np.iinfo(kind)
        is_held = math.isfinite(tag) and tag == int(tag) and limits.min <= tag <= limits.max
        return (tag,) if is_held else ()
    largest = float(np.finfo(kind).max)
    with np.errstate(over="ignore"):
        value = float(kind.type(tag))
    if abs(tag) < largest * (1.0 - _ROUNDED):
        return (value,)
    # NaN, or a limit of this or another data type, perhaps rounded.
    return (value,) if math.isnan(tag) else (value, math.copysign(largest, tag))


def _equal(values: NDArray[Any], value: float) -> NDArray[np.bool_]:
    if math.isnan(value):
        return np.isnan(values)
    with np.errstate(over="ignore"):
        if values.dtype == np.float64:  # in the stack they become float32
            values = values.astype("float32")
        found: NDArray[np.bool_] = values == values.dtype.type(value)
    return found


def _is_same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))
