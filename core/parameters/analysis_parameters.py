"""Parameters that turn a stack of pairs into displacement."""

from __future__ import annotations

from typing import Final

from .output_parameters import OUTPUTS
from .parameter import Group, Kind, Parameter, pick
from .stack_parameters import STACK

PAIRS: Final = (
    STACK,
    Parameter(
        "START",
        Kind.DAY,
        "First day",
        "Leave out pairs with a date before this UTC day, for example 2021-01-31.",
    ),
    Parameter(
        "END",
        Kind.DAY,
        "Last day",
        "Leave out pairs with a date after this UTC day; the day itself is included.",
    ),
    Parameter(
        "EXTENT",
        Kind.EXTENT,
        "Extent",
        "Invert only this part of the stack, to whole pixels. Empty: all of it.",
    ),
    Parameter(
        "LAYER",
        Kind.CHOICE,
        "Layer",
        "Which layer holds the phase; los_disp is turned into phase, for stacks without unw_phase.",
        group=Group.ANALYSIS,
        default="unw_phase",
        choices=("unw_phase", "los_disp"),
    ),
    Parameter(
        "REFERENCE_AREA",
        Kind.TEXT,
        "Reference area",
        "Displacement is relative to this area: the median of its phase is subtracted from each "
        "pair. Write x,y or x,y,radius, the radius in meters, with a code behind if they are not "
        "in the CRS of the stack: '-117.6,35.7,500 [EPSG:4326]'. auto: the area of highest mean "
        "coherence among those with phase in most pairs. Empty: the stack's own reference point, "
        "else auto. Choose stable ground: its motion would appear everywhere else.",
    ),
)
"""Which pairs and pixels are inverted."""

INVERSION: Final = (
    Parameter(
        "WEIGHTS",
        Kind.CHOICE,
        "Weights",
        "Weight of a pair in each pixel. variance: the inverse of the variance of its phase, from "
        "coherence and the number of looks. coherence: the coherence itself. none: all alike, for "
        "stacks without corr.",
        group=Group.ANALYSIS,
        default="variance",
        choices=("variance", "coherence", "none"),
    ),
    Parameter(
        "GAPS",
        Kind.CHOICE,
        "Gaps",
        "What to assume where no pair connects the dates of a pixel; the layer gap_count tells "
        "where. minimum_norm: the least velocity. linear: the motion that brings all dates of the "
        "pixel closest to a straight line.",
        group=Group.ANALYSIS,
        default="minimum_norm",
        choices=("minimum_norm", "linear"),
    ),
    Parameter(
        "MIN_COHERENCE",
        Kind.NUMBER,
        "Least coherence",
        "Pairs with less coherence in a pixel are left out there. 0 keeps all.",
        group=Group.ANALYSIS,
        default=0.0,
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "MIN_TEMPORAL_COHERENCE",
        Kind.NUMBER,
        "Least temporal coherence",
        "Pixels whose pairs agree less with their displacement get none; the layer mask tells why. "
        "0 keeps all.",
        default=0.7,
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "POLYNOMIAL",
        Kind.INTEGER,
        "Degree of the polynomial",
        "Function of time that the velocity is taken from: 1 a straight line, 2 with acceleration, "
        "3 with its change. The velocity is that of the middle of the period.",
        group=Group.ANALYSIS,
        default=1,
        minimum=1,
        maximum=3,
    ),
    Parameter(
        "SEASONAL",
        Kind.CHOICE,
        "Seasons",
        "Fit a yearly motion beside the velocity, for ground water, frost or thermal expansion. "
        "annual: one cycle a year. semiannual: with two cycles a year in addition. Needs more than "
        "a year of dates.",
        group=Group.ANALYSIS,
        default="none",
        choices=("none", "annual", "semiannual"),
    ),
    Parameter(
        "STEPS",
        Kind.LIST,
        "Steps",
        "Days at whose beginning (UTC) the ground jumped, separated by commas: "
        "2019-07-04,2019-07-06. Each becomes a layer, and the velocity is not bent by it. Right "
        "for earthquakes and other sudden events.",
        group=Group.ANALYSIS,
    ),
)
"""How they are inverted, and what is fitted to the displacement."""

DISPLACEMENT_OUTPUTS: Final = pick(
    OUTPUTS,
    "NETCDF",
    "ZARR",
    "ZARR_URL",
    "CHUNKING",
    "MEMORY",
    "SCHEDULER",
    "S3_ENDPOINT",
    "S3_PROFILE",
    "LOAD",
)
