"""Parameters that turn a stack of pairs into displacement."""

from __future__ import annotations

from typing import Final

from .output_parameters import OUTPUTS
from .parameter import Chooser, Group, Kind, Parameter, pick
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
        plain=("Unwrapped phase", "Displacement along the line of sight"),
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
        empty="that of the stack, else chosen by coherence",
        chooser=Chooser.POINT,
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
        plain=("By the variance of the phase", "By coherence", "All alike"),
    ),
    Parameter(
        "GAPS",
        Kind.CHOICE,
        "Gaps",
        "What to assume where no pair connects the dates of a pixel; the layer gap_count shows "
        "where. minimum_norm: the least velocity. linear: the motion that brings all dates of the "
        "pixel closest to a straight line.",
        group=Group.ANALYSIS,
        default="minimum_norm",
        choices=("minimum_norm", "linear"),
        plain=("Minimum norm of velocity", "Closest to a straight line"),
    ),
    Parameter(
        "MIN_COHERENCE",
        Kind.NUMBER,
        "Minimum coherence",
        "Pairs with less coherence in a pixel are left out there. 0 keeps all.",
        group=Group.ANALYSIS,
        default=0.0,
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "MIN_TEMPORAL_COHERENCE",
        Kind.NUMBER,
        "Minimum temporal coherence",
        "Pixels whose pairs agree less with their displacement get none; the layer mask says why. "
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
        plain=("None", "Yearly", "Yearly and half-yearly"),
    ),
    Parameter(
        "STEPS",
        Kind.LIST,
        "Steps",
        "Days at whose beginning (UTC) the ground jumped, separated by commas: "
        "2019-07-04,2019-07-06. Each becomes a layer, and the velocity is not bent by it. Right "
        "for earthquakes and other sudden events.",
        group=Group.ANALYSIS,
        empty="none",
    ),
)
"""How they are inverted, and what is fitted to the displacement."""

CORRECTIONS: Final = (
    Parameter(
        "REPAIR",
        Kind.CHOICE,
        "Repair of unwrapping errors",
        "Take whole cycles off parts of pairs that were unwrapped wrongly. islands: compare the "
        "islands of phase of a pair, or its connected components, with their neighbors, and take "
        "off what triangles of pairs confirm; right for rivers and lakes that part the land. "
        "closure: make triangles of pairs close; right where most pairs are correct. both: one "
        "after the other. The report shows what this would do even if it is none.",
        group=Group.CORRECTIONS,
        default="none",
        choices=("none", "islands", "closure", "both"),
        plain=("None", "Between islands of phase", "By triangles of pairs", "Both"),
    ),
    Parameter(
        "TROPOSPHERE",
        Kind.CHOICE,
        "Troposphere",
        "height: take a delay in proportion to the height off each date where they are correlated. "
        "Right in mountains where the ground does not move with height; wrong on a volcano that "
        "swells as a whole. It is kept as the layer troposphere_correction.",
        group=Group.CORRECTIONS,
        default="none",
        choices=("none", "height"),
        plain=("None", "In proportion to the height"),
    ),
    Parameter(
        "DERAMP",
        Kind.CHOICE,
        "Ramps",
        "Take a plane (linear) or a quadratic surface off each date. Right for motion that is "
        "small against the map; it also takes off what tilts or bends the whole map. It is kept "
        "as the layer ramp_correction.",
        group=Group.CORRECTIONS,
        default="none",
        choices=("none", "linear", "quadratic"),
        plain=("None", "Plane", "Quadratic surface"),
    ),
    Parameter(
        "DEM_ERROR",
        Kind.FLAG,
        "DEM error",
        "Find the error of the elevation model from the perpendicular baselines, together with the "
        "functions of time, and take it off. Right where the functions of time describe the motion "
        "and baselines differ by a hundred meters and more. It is kept as the layers "
        "dem_error_correction and dem_error.",
        group=Group.CORRECTIONS,
        default=False,
    ),
)
"""What is taken off phases and displacement; all off by default."""

DISPLACEMENT_OUTPUTS: Final = (
    *pick(OUTPUTS, "NETCDF", "ZARR", "ZARR_URL", "CHUNKING"),
    Parameter(
        "REPORT",
        Kind.NEW_FILE,
        "Report",
        "Web page on the inversion: velocity, some series, the network with pairs colored by how "
        "many of their triangles close, noise of the dates, temporal coherence, and what a repair "
        "of unwrapping errors did or would do, for which the phase is read once more.",
        file_filter="HTML (*.html)",
        suffix=".html",
    ),
    *pick(OUTPUTS, "MEMORY", "SCHEDULER", "S3_ENDPOINT", "S3_PROFILE", "LOAD"),
)
