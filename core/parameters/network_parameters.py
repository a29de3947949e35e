"""Parameters that search scenes over an area and plan a network of pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from .job_parameters import FILTERS, PERIOD, PLAIN_TYPES
from .parameter import Group, Kind, Parameter, pick

RULE_COLORS: Final[Mapping[str, str]] = {
    "neighbor": "#3d5a80",
    "year": "#7b5ea7",
    "triangle": "#3f8f6b",
    "bridge": "#c8553d",
}
"""Rules by which pairs are in a network, and their colors in report and layer."""

PAIR_JOB_TYPES: Final = ("INSAR_GAMMA", "INSAR_ISCE_MULTI_BURST", "INSAR_ISCE_BURST")

_PATHS, _DIRECTION = pick(FILTERS, "PATHS", "DIRECTION")
_START, _END = PERIOD

SEARCH: Final = (
    Parameter(
        "AREA",
        Kind.LAYER,
        "Area of interest, as polygons",
        "Layer with the area of interest, or selected polygons of it. Give either this or an "
        "extent.",
        geometry="polygon",
        private=True,
    ),
    Parameter(
        "EXTENT",
        Kind.EXTENT,
        "Area of interest, as extent",
        "Rectangle around the area of interest. Give either this or a layer of polygons.",
    ),
    replace(_START, help="First UTC day, for example 2021-01-31. Empty: since Sentinel-1 began."),
    replace(_END, help="Last UTC day; the day itself is included. Empty: today."),
    _PATHS,
    _DIRECTION,
    Parameter(
        "JOB_TYPE",
        Kind.CHOICE,
        "Job type",
        "What the scenes are meant for. auto: bursts where at most 15 of them cover the area, "
        "which cost less and keep their outlines over the years, else whole frames. INSAR_GAMMA: "
        "frames. INSAR_ISCE_MULTI_BURST: bursts that become one product. INSAR_ISCE_BURST: a "
        "product for each burst, which ASF is going to retire.",
        default="auto",
        choices=("auto", *PAIR_JOB_TYPES),
        plain=("By the size of the area", *(PLAIN_TYPES[name] for name in PAIR_JOB_TYPES)),
    ),
    Parameter(
        "OUTPUT",
        Kind.FEATURES,
        "Scenes",
        "Layer with the outline of each scene, in EPSG:4326; times are UTC. Plan pairs takes it.",
        required=True,
        geometry="polygon",
    ),
    Parameter(
        "REPORT",
        Kind.NEW_FILE,
        "Report",
        "Web page with the tracks by rank, and for each the share of the area that each of its "
        "dates covers.",
        file_filter="HTML (*.html)",
        suffix=".html",
    ),
)

PLAN: Final = (
    Parameter(
        "INPUT",
        Kind.LAYER,
        "Scenes",
        "The layer that Search scenes made, or the scenes selected in it. Delete scenes that you "
        "do not want.",
        required=True,
        geometry="polygon",
        private=True,
    ),
    replace(
        _PATHS,
        help="Tracks to plan, as relative orbits separated by commas; each gets its own network. "
        "Empty: the one that covers most of the area and then has most dates.",
    ),
    Parameter(
        "NEIGHBORS",
        Kind.INTEGER,
        "Neighbors",
        "Each date is paired with this many of the next dates within the limits. With 2 or more, "
        "pairs form triangles, which reveal unwrapping errors; 1 makes a chain without any.",
        default=3,
        minimum=1,
        maximum=20,
    ),
    Parameter(
        "MAX_DAYS",
        Kind.INTEGER,
        "Maximum days",
        "Longest time between the dates of a pair. Gaps in the dates are bridged anyway.",
        default=48,
        minimum=1,
        maximum=3650,
    ),
    Parameter(
        "MAX_BASELINE",
        Kind.NUMBER,
        "Largest perpendicular baseline (m)",
        "Pairs with a larger one are not made, unless nothing else connects the network. A "
        "baseline that is not known passes.",
        group=Group.ANALYSIS,
        default=400.0,
        minimum=1.0,
        maximum=10000.0,
    ),
    Parameter(
        "SEASONS",
        Kind.LIST,
        "Seasons",
        "Months whose dates are used, as ranges separated by commas: 5-10, or 11-3 over the new "
        "year. Use it where snow or leaves ruin the coherence. Empty: all months.",
        empty="all months",
    ),
    Parameter(
        "BRIDGES",
        Kind.CHOICE,
        "Bridges",
        "gaps: where the limits leave the network in parts, the shortest pair between them and "
        "two that close triangles with it are added. years: in addition, the first date of each "
        "month is paired with the two dates nearest to a year later, which steadies the velocity. "
        "none: a network in parts is an error.",
        default="gaps",
        choices=("gaps", "years", "none"),
        plain=("Across gaps", "Across gaps and years", "None"),
    ),
    Parameter(
        "MIN_COVER",
        Kind.NUMBER,
        "Minimum coverage",
        "Dates that cover less than this share of what the best date covers are left out. A date "
        "that lacks a burst is always left out of multi-bursts.",
        group=Group.ANALYSIS,
        default=0.9,
        minimum=0.0,
        maximum=1.0,
    ),
    replace(
        pick(FILTERS, "AUTHCFG")[0],
        help="QGIS authentication configuration, to show how many credits would be left. Without "
        "one, the variables EARTHDATA_TOKEN, or EARTHDATA_USERNAME and EARTHDATA_PASSWORD, or your "
        ".netrc file are used; a plan needs none of them.",
    ),
    *pick(FILTERS, "API_URL"),
    Parameter(
        "OUTPUT",
        Kind.FEATURES,
        "Planned pairs",
        "Layer with a line for each pair, drawn over the area by date (west to east) and "
        "perpendicular baseline (south to north). Delete lines that you do not want.",
        required=True,
        geometry="line",
    ),
    Parameter(
        "REPORT",
        Kind.NEW_FILE,
        "Report",
        "Web page with the price, what would cost less, the network, and what was left out.",
        file_filter="HTML (*.html)",
        suffix=".html",
    ),
)
