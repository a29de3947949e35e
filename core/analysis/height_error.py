"""Residual height: the error of the elevation model, from the perpendicular baselines.

A model that is too low by some meters looks like a motion that follows the satellite's position
(Berardino et al. 2002, equation 13; Fattahi and Amelung 2013): towards the satellite by height
times baseline over slant range and sine of the incidence angle. HyP3 gives one baseline for each
pair, so that one pseudo-inverse serves all pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InvalidParameterError
from ..network.pair_network import PairNetwork

Numbers = NDArray[np.float64]

_LEAST_OWN = 0.1
"""Share of the baselines' variation that the functions of time must leave over."""


def baseline_history(network: PairNetwork, perpendicular_baselines: Numbers) -> Numbers:
    """Return the perpendicular baselines of dates against the first from those of pairs; meters.

    Raises
    ------
    InvalidParameterError
        If a baseline is missing, or the network has several parts.
    """
    if np.isnan(perpendicular_baselines).any():
        missing = np.flatnonzero(np.isnan(perpendicular_baselines)) + 1
        raise InvalidParameterError(
            "DEM_ERROR needs the perpendicular baseline of each pair, which the stack lacks "
            f"for pair {', '.join(map(str, missing[:5]))}; leave DEM_ERROR out."
        )
    if network.component_count > 1:
        raise InvalidParameterError(
            f"DEM_ERROR needs the perpendicular baseline of each date against the first, but the "
            f"network has {network.component_count} parts that no pair links; leave DEM_ERROR out, "
            "or choose dates of one part with START and END."
        )
    design = network.incidence()[:, 1:]
    history = np.linalg.lstsq(design, perpendicular_baselines, rcond=None)[0]
    return np.concatenate([[0.0], history])


def range_times_sine(incidence: Numbers, earth_radius: float, height: float) -> Numbers:
    """Return slant range times sine of the incidence angle, in meters, on a sphere.

    Parameters
    ----------
    incidence
        Angle between the vertical and the direction to the satellite in radians.
    earth_radius, height
        Radius of the Earth and height of the satellite above it in meters.
    """
    look = np.arcsin(np.sin(incidence) * earth_radius / (earth_radius + height))
    distance: Numbers = (earth_radius + height) * np.sin(incidence - look)
    return distance


@dataclass(frozen=True)
class HeightErrors:
    """What is found of pixels."""

    height: Numbers  # meters by which the elevation model is too low; shape (pixels,)
    # What the error adds to the displacement in meters; shape (N, pixels). The displacement less
    # this is free of it.
    correction: Numbers


class HeightErrorFit:
    """Finds residual heights together with functions of time.

    Parameters
    ----------
    baselines
        Of each date against the first in meters, shape (N,), as of :func:`baseline_history`.
    functions
        Functions of time that describe the motion, as columns; shape (N, functions). A motion that
        they leave out goes into the height in part.

    Raises
    ------
    InvalidParameterError
        If baselines and functions cannot be told apart.
    """

    def __init__(self, baselines: Numbers, functions: Numbers) -> None:
        fitted = functions @ np.linalg.lstsq(functions, baselines, rcond=None)[0]
        own = np.linalg.norm(baselines - fitted)
        spread = np.linalg.norm(baselines - baselines.mean())
        if baselines.size <= functions.shape[1] + 1 or own <= _LEAST_OWN * spread or not spread:
            raise InvalidParameterError(
                f"The perpendicular baselines of the {baselines.size} dates change so much like "
                "the functions of time that errors of the heights cannot be told from motion; "
                "leave DEM_ERROR out, or ask for fewer functions of time."
            )
        self.baselines = baselines
        self._row = np.linalg.pinv(np.column_stack([baselines, functions]))[0]

    def find(self, displacement: Numbers, distance: Numbers) -> HeightErrors:
        """Find the residual height of pixels.

        Parameters
        ----------
        displacement
            Meters towards the satellite; shape (N, pixels).
        distance
            Slant range times sine of the incidence angle in meters; shape (pixels,) or ().
        """
        slope = self._row @ displacement
        return HeightErrors(slope * distance, self.baselines[:, None] * slope)
