"""Parameters that order jobs, watch them, and order again what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .job_parameters import CHOSEN_JOBS, FILTERS_OF_ANY_TYPE, FOLDER, JOBS
from .parameter import Group, Kind, Parameter, pick

EXTRA_LAYERS: Final = ("look_vectors", "dem", "inc_map", "wrapped_phase", "displacement_maps")
"""Words of ``INCLUDE``: the options ``include_*`` of HyP3 without their prefix."""

SERVICE: Final = pick(FILTERS_OF_ANY_TYPE, "AUTHCFG", "API_URL")

PLAN: Final = Parameter(
    "INPUT",
    Kind.LAYER,
    "Planned pairs",
    "The layer that Plan pairs has made, or only the lines that are selected in it. Lines may have "
    "been deleted or added: job_type, reference and secondary say what is ordered, rank what comes "
    "first.",
    required=True,
    private=True,
)

NAME: Final = Parameter(
    "NAME",
    Kind.TEXT,
    "Project",
    "Name of the jobs, at most 100 characters; Find jobs and Prepare stack find them by it. Use "
    "the same name again when the plan has grown: only what is new is ordered.",
    required=True,
)

JOB_OPTIONS: Final = (
    Parameter(
        "LOOKS",
        Kind.CHOICE,
        "Looks",
        "Number of looks in range and azimuth: 20x4 for pixels of 80 m, 10x2 of 40 m, 5x1 of 20 m "
        "(bursts only). Fewer looks cost more.",
        default="20x4",
        choices=("20x4", "10x2", "5x1"),
        plain=("20 x 4, pixels of 80 m", "10 x 2, pixels of 40 m", "5 x 1, pixels of 20 m"),
    ),
    Parameter(
        "WATER_MASK",
        Kind.FLAG,
        "Mask water",
        "Leave water out of the unwrapping, for areas with much of it; pairs wholly over water "
        "fail.",
        default=False,
    ),
    Parameter(
        "FILTER",
        Kind.NUMBER,
        "Strength of the phase filter",
        "0 to 1, for frames only; 0 switches it off. A weak filter leaves more errors visible to "
        "closure of triangles and repair of unwrapping errors.",
        group=Group.PRODUCTS,
        default=0.6,
        minimum=0.0,
        maximum=1.0,
    ),
    Parameter(
        "INCLUDE",
        Kind.LIST,
        "Extra layers",
        f"For frames only, at no cost, separated by commas: {', '.join(EXTRA_LAYERS)}, or none. "
        "Bursts have them anyway. Look vectors and heights are needed to turn displacement into "
        "other directions and to correct it.",
        group=Group.PRODUCTS,
        default="look_vectors,dem",
    ),
)
"""Options of the jobs."""

LIMITS: Final = (
    Parameter(
        "MAX_CREDITS",
        Kind.NUMBER,
        "Maximum credits",
        "An order that costs more than this is refused; 0 refuses whatever is not free.",
        required=True,
        minimum=0.0,
    ),
    Parameter(
        "CONFIRM",
        Kind.NUMBER,
        "Confirmed price",
        "The price in credits that a run without this showed; the jobs are ordered only if they "
        "cost exactly that. Empty: HyP3 checks and prices the jobs, and nothing is ordered. A "
        "price counts once and only for the jobs it was shown for; the next order has to be priced "
        "and confirmed again.",
        minimum=0.0,
    ),
)
"""What the user agrees to."""

RETRY_FAILED: Final = Parameter(
    "RETRY_FAILED",
    Kind.FLAG,
    "Order again what failed for good",
    "Pairs that failed twice, or for a reason that stays (such as scenes wholly over water), are "
    "left out and named, because they would most likely cost credits for nothing again; with "
    "this they are ordered.",
    group=Group.PRODUCTS,
    default=False,
)

PRODUCTS_ON_DISK: Final = replace(
    FOLDER,
    help="What is complete in this folder of downloaded products is not ordered again, even if it "
    "has expired at HyP3.",
    required=False,
)

JOURNAL: Final = Parameter(
    "JOURNAL",
    Kind.NEW_FILE,
    "Journal, if not in your QGIS profile",
    "File that keeps what was sent and which jobs came of it. Empty: one for each service, account "
    "and project in your QGIS profile. Use the same one again for the same project.",
    group=Group.PRODUCTS,
    file_filter="JSON (*.json)",
    suffix=".json",
    private=True,
)

JOURNAL_FOLDER: Final = Parameter("JOURNAL_FOLDER", Kind.FOLDER, private=True)
"""Where the QGIS side keeps journals that the user gives no name."""

FAILED_PROJECT: Final = replace(
    NAME,
    name="PROJECT",
    help="Exact name of the project whose failed jobs are ordered again.",
)

WATCHED: Final = (
    *pick(FILTERS_OF_ANY_TYPE, "AUTHCFG", "API_URL", "PROJECT"),
    replace(pick(FILTERS_OF_ANY_TYPE, "JOB_TYPE")[0], default="any"),
    CHOSEN_JOBS,
    replace(
        JOBS,
        help="Only these jobs, as ids separated by commas, such as Order pairs returns. Empty: "
        "all of the project.",
    ),
    Parameter(
        "WAIT",
        Kind.FLAG,
        "Wait until all are done",
        "Keep looking until no job is pending or running.",
        default=False,
    ),
    Parameter(
        "INTERVAL",
        Kind.INTEGER,
        "Seconds between two looks",
        "While waiting; it grows to five times as long where nothing happens.",
        group=Group.PRODUCTS,
        default=60,
        minimum=1,
        maximum=3600,
    ),
)
"""Which jobs are watched, and how long."""
