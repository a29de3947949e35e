"""Whether the steps that a stack keeps still have all their pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OutputError
from ..pixels.source import StackSource
from .base import Base

_SHARE, _MEAN = "valid_fraction", "coherence_mean"
_TOLERANCE = 1e-6
"""Of a mean of the same pixels that was taken in other blocks."""


def check_kept(base: Base, source: StackSource, statistics: Mapping[str, NDArray[Any]]) -> None:
    """Check that the kept steps have all the pixels that they had when they were written.

    A chunk of an HDF5 file that is lost from its index reads as one without data.

    Parameters
    ----------
    source
        Kept and new steps.
    statistics
        Of the pixels of all steps, as they were just read: by name, one value for each step.

    Raises
    ------
    OutputError
        If those of a kept step are not what the stack says of it.
    """
    cells = base.grid.height * base.grid.width
    for name in (_SHARE, _MEAN):
        if name not in base.stack or name not in statistics:
            continue
        # A share of all pixels, of which there may be more now.
        factor = source.grid.height * source.grid.width / cells if name == _SHARE else 1.0
        for step, frames in enumerate(source.steps):
            place = frames[0].kept_step
            if place is None:
                continue
            said, found = (
                float(base.stack[name].values[place]),
                float(statistics[name][step] * factor),
            )
            if not np.isclose(said, found, _TOLERANCE, _TOLERANCE, equal_nan=True):
                raise OutputError(
                    f"{base.path} is damaged, or was changed after it was built: {name} of "
                    f"{frames[0].product} is {said:g}, but its pixels give {found:g}; append to a "
                    "copy that is whole, or build the stack anew."
                )
