"""Parameters that choose jobs of the HyP3 service and say where their products go."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .parameter import Chooser, Group, Kind, Parameter

JOB_TYPES: Final = ("INSAR_GAMMA", "INSAR_ISCE_BURST", "INSAR_ISCE_MULTI_BURST", "RTC_GAMMA")

PLAIN_TYPES: Final = {
    "INSAR_GAMMA": "InSAR (GAMMA)",
    "INSAR_ISCE_BURST": "InSAR of a burst (ISCE2)",
    "INSAR_ISCE_MULTI_BURST": "InSAR of several bursts (ISCE2)",
    "RTC_GAMMA": "Backscatter, RTC (GAMMA)",
}
"""What dialogs show for the job types."""

PRODUCTION_API: Final = "https://hyp3-api.asf.alaska.edu"
"""The HyP3 service of ASF; other deployments are given as ``API_URL``."""

PERIOD: Final = (
    Parameter(
        "START",
        Kind.DAY,
        "First day",
        "Leave out what was acquired before this UTC day, for example 2021-01-31. Of a pair, "
        "both dates have to lie in the period, if no date rule says otherwise.",
    ),
    Parameter(
        "END",
        Kind.DAY,
        "Last day",
        "Leave out what was acquired after this UTC day; the day itself is included.",
    ),
)
"""A range of UTC days, both inclusive."""

JOB_TYPE: Final = Parameter(
    "JOB_TYPE",
    Kind.CHOICE,
    "Job type",
    "Which kind of HyP3 jobs; one stack holds one kind.",
    default=JOB_TYPES[0],
    choices=JOB_TYPES,
    plain=tuple(PLAIN_TYPES.values()),
)

FILTERS: Final = (
    Parameter(
        "AUTHCFG",
        Kind.LOGIN,
        "Earthdata Login",
        "QGIS authentication configuration: Basic with your Earthdata user name and password, "
        "or API Header with Authorization = Bearer and your Earthdata token. Empty: the "
        "variable EARTHDATA_TOKEN, else EARTHDATA_USERNAME and EARTHDATA_PASSWORD, else the "
        "entry for urs.earthdata.nasa.gov in your .netrc file.",
        qgis_only=True,
    ),
    Parameter(
        "API_URL",
        Kind.TEXT,
        "HyP3 service",
        "Address of the HyP3 service; change it only for another deployment than ASF's.",
        group=Group.JOBS,
        default=PRODUCTION_API,
    ),
    Parameter(
        "PROJECT",
        Kind.TEXT,
        "Project",
        "Exact name of the HyP3 project, as given when the jobs were ordered. Write (none) for "
        "jobs without a project. Empty: jobs of all projects.",
        empty="all projects",
        chooser=Chooser.PROJECTS,
    ),
    JOB_TYPE,
    *PERIOD,
    Parameter(
        "DATE_RULE",
        Kind.CHOICE,
        "Date rule",
        "all: every acquisition of a pair lies between the first and the last day. any: one of "
        "them is enough.",
        default="all",
        group=Group.JOBS,
        choices=("all", "any"),
        plain=("All dates lie in the period", "One date lies in the period"),
    ),
    Parameter(
        "PATHS",
        Kind.LIST,
        "Paths",
        "Relative orbits (1 to 175), separated by commas: 87,160. Empty: all. Around the "
        "ascending node, where the number steps, either number finds the same ground.",
        empty="all paths",
        group=Group.JOBS,
    ),
    Parameter(
        "DIRECTION",
        Kind.CHOICE,
        "Flight direction",
        "ascending: evening passes, flying north. descending: morning passes, flying south.",
        default="any",
        group=Group.JOBS,
        choices=("any", "ascending", "descending"),
        plain=("Ascending and descending", "Ascending", "Descending"),
    ),
)

ANY_TYPE: Final = "any"

FILTERS_OF_ANY_TYPE: Final = tuple(
    replace(
        row,
        help="Which kind of HyP3 jobs. any: all that can be stacked; one stack holds one kind.",
        choices=(*JOB_TYPES, ANY_TYPE),
        plain=(*PLAIN_TYPES.values(), "All types"),
    )
    if row is JOB_TYPE
    else row
    for row in FILTERS
)
"""For what need not become one stack."""

EXTENT: Final = Parameter(
    "EXTENT",
    Kind.EXTENT,
    "Extent",
    "Only jobs whose footprint touches this area. Empty: everywhere.",
)

EXTENT_OF_STACK: Final = Parameter(
    "EXTENT",
    Kind.EXTENT,
    "Extent",
    "Only jobs whose footprint touches this area; the stack is cut to it. Empty: everywhere.",
)

JOBS: Final = Parameter(
    "JOBS",
    Kind.LIST,
    "Job ids",
    "Only these jobs, as ids separated by commas; the table of Find jobs lists them. "
    "Empty: all that fit the filters.",
    group=Group.JOBS,
    empty="all that fit the filters",
)

CHOSEN_JOBS: Final = Parameter(
    "FOUND_JOBS",
    Kind.LAYER,
    "Layer of found jobs",
    "Only the jobs of this layer, which Find jobs has made, or only those that are selected in it. "
    "The job type is then that of the layer. Empty: all jobs that fit the filters.",
    private=True,
)

ALL_STATES: Final = Parameter(
    "ALL_STATES",
    Kind.FLAG,
    "Also unfinished and expired jobs",
    "List pending, running, failed and expired jobs too; they cannot be downloaded.",
    group=Group.JOBS,
    default=False,
)

FOUND_JOBS: Final = Parameter(
    "OUTPUT",
    Kind.FEATURES,
    "Found jobs",
    "Layer with one feature for each job, in EPSG:4326; times are UTC.",
    required=True,
    geometry="polygon",
)

WORK_FOLDER: Final = Parameter("WORK_FOLDER", Kind.FOLDER)
"""Where the QGIS side finds the features of found jobs, instead of ``OUTPUT``."""

LAYERS: Final = Parameter(
    "LAYERS",
    Kind.LIST,
    "Layers",
    "Keep only these layers, separated by commas: unw_phase,corr,dem. Empty: all. Where "
    "the service offers single files, only those are fetched.",
    empty="all layers",
    chooser=Chooser.LAYERS,
    group=Group.PRODUCTS,
)

KEEP_ZIPS: Final = Parameter(
    "KEEP_ZIPS",
    Kind.FLAG,
    "Keep zip files",
    "Keep each zip file after it was unpacked; needs twice the space.",
    group=Group.PRODUCTS,
    default=False,
)

DOWNLOAD_FOLDER: Final = Parameter(
    "OUTPUT",
    Kind.NEW_FOLDER,
    "Folder for the products",
    "The products are kept here, one folder each; use the same folder every time.",
    required=True,
    temporary=False,
)

FOLDER: Final = Parameter(
    "FOLDER",
    Kind.FOLDER,
    "Folder for the products",
    "The downloaded products are kept here and found again by the next run; the folder is "
    "made if it does not exist.",
    required=True,
)

PRODUCT_TYPE: Final = Parameter(
    "PRODUCT_TYPE",
    Kind.CHOICE,
    "Product type",
    "auto: that of the job type. It cannot be another one.",
    group=Group.PRODUCTS,
    default="auto",
    choices=("auto", *JOB_TYPES),
    plain=("That of the jobs", *PLAIN_TYPES.values()),
)
