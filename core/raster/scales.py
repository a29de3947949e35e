"""The three scales of backscatter: power, amplitude and decibel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..machine.blocks import cached_bands


def convert_scale(values: NDArray[np.float32], stored: str, wanted: str) -> None:
    """Convert backscatter between power, amplitude and decibel, in place.

    Power is the square of amplitude, and decibels are ten times the decimal logarithm of power.

    Parameters
    ----------
    values
        Backscatter, shape (rows, columns). NaN stays NaN; power 0 becomes NaN in decibels.
    stored, wanted
        ``power``, ``amplitude`` or ``decibel``.
    """
    if stored == wanted:
        return
    for band in cached_bands(values.shape):
        part = values[band]
        if stored == "amplitude":
            np.square(part, out=part)
        elif stored == "decibel":
            np.divide(part, np.float32(10.0), out=part)
            np.power(np.float32(10.0), part, out=part)
        with np.errstate(divide="ignore", invalid="ignore"):
            if wanted == "amplitude":
                np.sqrt(part, out=part)
            elif wanted == "decibel":
                absent = part <= 0
                np.log10(part, out=part)
                np.multiply(part, np.float32(10.0), out=part)
                np.copyto(part, np.nan, where=absent)
