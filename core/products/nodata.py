"""Which values mean no data in a file: HyP3's own, and what it or a note beside it declares."""

from __future__ import annotations

import math
import re
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
    """The values that mean no data in a file."""

    # The one that stands for all of them where a file of the same kind is written; None where every
    # value is data.
    value: float | None = None
    others: tuple[float, ...] = ()  # those besides it

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


@dataclass(frozen=True)
class LayerNote:
    """What a note of GDAL or ArcGIS beside a file (``.tif.aux.xml``) says about its values.

    Programs write one where they may not write to the file itself, and let it count more.
    """

    missing: float | None = None  # value that it declares as missing; None for nothing
    # What is wrong with it, and what helps (a clause); None where it can be followed.
    flaw: str | None = None


_BAND = re.compile(r"<PAMRasterBand\b.*?</PAMRasterBand>", re.DOTALL)
_NOTED = re.compile(r"<(NoDataValue|Scale|Offset)\b[^>]*>([^<]*)<")
_DEFAULTS = {"Scale": 1.0, "Offset": 0.0}


def read_note(text: str, file: str) -> LayerNote:
    """Read a note.

    Parameters
    ----------
    text
        Its content; statistics and whatever else it holds are passed over.
    file
        Its name, for sentences.
    """
    found: dict[str, float] = {}
    band = _BAND.search(text)
    for what, written in _NOTED.findall(band.group()) if band else ():
        try:
            # Programs of Windows write 1.#QNAN.
            found[what] = math.nan if "#" in written else float(written)
        except ValueError:
            return LayerNote(
                flaw=f"has {written[:40]!r} for {what} in {file}; mend or delete that file"
            )
    if any(found.get(what, default) != default for what, default in _DEFAULTS.items()):
        return LayerNote(
            flaw=f"has values that are to be scaled by {file}, which is not done; delete that "
            "file, or write the values themselves"
        )
    return LayerNote(found.get("NoDataValue"))


def nodata_of(
    layer: Layer,
    dtype: str,
    tag: float | None,
    scale: str | None = None,
    note: LayerNote | None = None,
) -> NoData:
    """Return the values that mean no data in a file.

    Parameters
    ----------
    layer
        The layer that the file holds.
    tag
        What the file declares as missing; None for nothing.
    scale
        Scale of backscatter; None for other layers.
    note
        What a note beside the file says; None where there is none.
    """
    own = layer.missing
    if layer.is_backscatter:
        own = MISSING_DECIBEL if scale == "decibel" else 0.0
    values = [] if own is None else [own]
    for declared in (tag, None if note is None else note.missing):
        if declared is not None and declared not in layer.never_missing:
            values += _declared(dtype, declared)
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
