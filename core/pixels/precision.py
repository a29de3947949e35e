"""Optional precision: the mantissa bits that float layers keep, and how that is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numcodecs
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..machine.blocks import cached_bands
from ..products.layers import SOURCE_FRAME, Layer
from ..products.product_types import PRODUCT_TYPES
from ..version import plugin_version
from .masks import MASK_NAMES

MANTISSA_BITS = 23
"""Explicit mantissa bits of a float32 (IEEE 754)."""

QUANTIZATION = "quantization_info"
"""The variable that says how layers were rounded."""


@dataclass(frozen=True)
class Precision:
    """What the user wants kept."""

    layers: tuple[tuple[str, int], ...] = ()  # name of a layer and its mantissa bits
    others: int | None = None  # mantissa bits of all other float layers; None keeps them exact

    def bits(self, layer: Layer) -> int | None:
        """Return how many mantissa bits of a layer are kept; None where values stay exact."""
        if layer.is_mask:
            return None
        kept = dict(self.layers).get(layer.name, self.others)
        return None if kept == MANTISSA_BITS else kept

    def check(self, layers: Iterable[Layer]) -> None:
        """Check that every layer named is one of ``layers``.

        Raises
        ------
        InvalidParameterError
            If one is not.
        """
        names = [layer.name for layer in layers if not layer.is_mask]
        for name, _ in self.layers:
            if name not in names:
                raise InvalidParameterError(
                    f"KEEP_BITS names {name}, which is not in the stack; it can name: "
                    f"{', '.join(names)}."
                )

    def describe(self, layers: Iterable[Layer]) -> list[str]:
        """Return a sentence on each layer that is rounded."""
        rounded = [(layer.variable, self.bits(layer)) for layer in layers]
        return [
            f"KEEP_BITS: {name} keeps {bits} bits, so values change by at most "
            f"{100.0 * largest_relative_error(bits):.2g} %."
            for name, bits in rounded
            if bits is not None
        ]


def parse_keep_bits(entries: Sequence[str]) -> Precision:
    """Read entries such as ``corr=7``; a number alone stands for all other float layers.

    Raises
    ------
    InvalidParameterError
        If an entry is something else, names a layer that no product has or a mask, or repeats one.
    """
    layers: dict[str, int] = {}
    others: int | None = None
    for entry in entries:
        name, separator, number = (part.strip() for part in entry.rpartition("="))
        try:
            bits = int(number)
        except ValueError:
            bits = 0
        if (separator and not name) or not 1 <= bits <= MANTISSA_BITS:
            raise InvalidParameterError(
                f"KEEP_BITS holds {entry!r}, but it has to be a number of bits from 1 to "
                f"{MANTISSA_BITS}, or a list such as corr=7,amp=8."
            )
        layer = _layer_name(name) if name else None
        if layer in layers or (layer is None and others is not None):
            raise InvalidParameterError(
                f"KEEP_BITS gives two numbers for {layer or 'all other layers'}; leave one out."
            )
        if layer is None:
            others = bits
        else:
            layers[layer] = bits
    return Precision(tuple(layers.items()), others)


def _layer_name(given: str) -> str:
    """Return the name of a float layer, which may be given by its variable."""
    layers = [layer for row in PRODUCT_TYPES.values() for layer in row.layers.values()]
    masks = {layer.variable for layer in (*layers, SOURCE_FRAME) if layer.is_mask}
    if given in (*masks, *MASK_NAMES):
        raise InvalidParameterError(
            f"KEEP_BITS names {given}, which holds class numbers and is never rounded; leave it "
            "out."
        )
    for layer in layers:
        if given in (layer.name, layer.variable):
            return layer.name
    known = dict.fromkeys(layer.name for layer in layers if not layer.is_mask)
    raise InvalidParameterError(
        f"KEEP_BITS names {given}, which is not a layer of HyP3; it can name: {', '.join(known)}."
    )


def round_mantissa(values: NDArray[np.float32], bits: int) -> None:
    """Round values in place to so many mantissa bits, ties to the even neighbor.

    NaN, infinity and 0 stay what they are, and no value becomes infinite.

    Parameters
    ----------
    values
        Shape (rows, columns).
    bits
        1 to 22.
    """
    codec = numcodecs.BitRound(bits)
    for band in cached_bands(values.shape):
        exact = values[band]
        rounded = codec.encode(exact).view("float32")
        # BitRound makes the largest numbers infinite, and numbers of some NaN.
        np.copyto(exact, rounded, where=np.isfinite(rounded) & np.isfinite(exact))


def largest_relative_error(bits: int) -> float:
    """Return by how much of its size a value changes at most: half of the last bit kept."""
    return 2.0 ** -(bits + 1)


def quantization_attributes(bits: int | None) -> dict[str, Any]:
    """Return the attributes of a layer with ``bits`` mantissa bits; none where it is exact."""
    if bits is None:
        return {}
    return {
        "quantization": QUANTIZATION,
        "quantization_nsb": np.int32(bits),
        "quantization_maximum_relative_error": largest_relative_error(bits),
    }


def quantization_variable() -> xr.Variable:
    """Return the container that CF 1.12 asks for; older versions take it as any other variable."""
    return xr.Variable(
        (),
        np.int32(0),
        {
            "long_name": "how values were rounded",
            "algorithm": "bitround",
            "implementation": f"HyP3 Stack version {plugin_version()} (float32, ties to even)",
            "comment": "as in section 8.4 of CF 1.12, lossy compression via quantization",
        },
        {"_FillValue": None},
    )
