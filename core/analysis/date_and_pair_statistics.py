"""Statistics of dates and pairs, which are known only when all pixels have been inverted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ..metadata.variables import numbers
from ..network.pair_network import PairNetwork

_UNKNOWN = "NaN: not known"


def unknown_statistics(network: PairNetwork) -> dict[str, xr.Variable]:
    """Return the variables of all statistics, which are NaN."""

    def of_pairs(long_name: str, units: str, **attributes: Any) -> xr.Variable:
        unknown = [None] * network.pair_count
        return numbers(("pair",), unknown, long_name, units, comment=_UNKNOWN, **attributes)

    return {
        "residual_rms": numbers(
            ("time",),
            [None] * network.date_count,
            "root mean square of displacement less its functions of time",
            "m",
            comment=_UNKNOWN,
        ),
        "pair_residual_rms": of_pairs(
            "root mean square of the residuals of the inversion", "radian"
        ),
        "pair_valid_share": of_pairs(
            "share of the pixels with displacement in which it is valid", "1"
        ),
        "pair_closure_error_share": of_pairs(
            "share of its pixels in triangles that do not close by whole cycles", "1"
        ),
        "pair_closure_blame": of_pairs(
            "share of its pixels in which none of its triangles closes", "1"
        ),
        "pair_reference_phase": of_pairs(
            "unwrapped phase of the reference area that was subtracted", "radian"
        ),
    }


def note_statistics(
    dataset: xr.Dataset, sums: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[np.float64]]:
    """Return the statistics of dates and pairs from what adds up over all pixels.

    They are put into the dataset as well.

    Parameters
    ----------
    dataset
        From :func:`.displacement.displacement_dataset`.
    sums
        See :meth:`.series_analysis.SeriesAnalysis.run`.
    """
    kept = max(int(sums["mask_pixels"][0]), 1)
    pixels = np.maximum(sums["pair_pixels"], 1)
    checked = np.maximum(sums["closure_pixels"], 1)
    is_checked = sums["closure_pixels"] > 0
    is_known = sums["mask_pixels"][0] > 0
    found = {
        "residual_rms": np.where(is_known, np.sqrt(sums["date_squares"] / kept), np.nan),
        "pair_residual_rms": np.where(
            sums["pair_pixels"] > 0, np.sqrt(sums["pair_squares"] / pixels), np.nan
        ),
        "pair_valid_share": np.where(is_known, sums["pair_pixels"] / kept, np.nan),
        "pair_closure_error_share": np.where(is_checked, sums["closure_wrong"] / checked, np.nan),
        "pair_closure_blame": np.where(is_checked, sums["closure_never_right"] / checked, np.nan),
    }
    for name, values in found.items():
        dataset[name].values = values
    return found
