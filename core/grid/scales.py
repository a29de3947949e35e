"""The three scales of backscatter: power, amplitude and decibel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MISSING_DECIBEL = -3.4028234663852886e38
"""Missing data of HyP3 backscatter in decibels: the lowest float32."""


def convert_scale(values: NDArray[np.float32], stored: str, wanted: str) -> NDArray[np.float32]:
    """Convert backscatter between power, amplitude and decibel.

    Power is the square of amplitude, and decibels are ten times the decimal logarithm of power.

    Parameters
    ----------
    values
        Backscatter, any shape; NaN stays NaN.
    stored, wanted
        ``power``, ``amplitude`` or ``decibel``.

    Returns
    -------
    ndarray
        float32, a new array unless both scales are the same; power 0 becomes NaN in decibels.
    """
    if stored == wanted:
        return values
    power = {
        "power": lambda: values,
        "amplitude": lambda: np.square(values),
        "decibel": lambda: np.power(np.float32(10.0), values / np.float32(10.0)),
    }[stored]()
    if wanted == "decibel":
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(power > 0, np.float32(10.0) * np.log10(power), np.float32(np.nan))
    with np.errstate(invalid="ignore"):
        return np.sqrt(power) if wanted == "amplitude" else power
