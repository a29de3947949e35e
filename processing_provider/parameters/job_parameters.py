"""Parameters that choose jobs of the HyP3 service."""

from qgis.core import (
    QgsProcessingParameterAuthConfig,
    QgsProcessingParameterString,
)

from ...core.contract import DATE_RULES, DIRECTIONS, JOB_TYPES, PRODUCTION_API
from ..translation import tr
from .grid_parameters import EXTENT, choice
from .period_parameters import read_period

API_URL = "API_URL"
AUTH_CFG = "AUTHCFG"
PROJECT = "PROJECT"
JOB_TYPE = "JOB_TYPE"
DATE_RULE = "DATE_RULE"
PATHS = "PATHS"
DIRECTION = "DIRECTION"


def add_service(algorithm):
    """Declare AUTHCFG and API_URL."""
    algorithm.add(
        QgsProcessingParameterAuthConfig(AUTH_CFG, tr("Earthdata Login"), optional=True),
        tr(
            "QGIS authentication configuration: Basic with your Earthdata user name and password, "
            "or API Header with Authorization = Bearer and your Earthdata token. Empty: the "
            "variable EARTHDATA_TOKEN, else EARTHDATA_USERNAME and EARTHDATA_PASSWORD, else the "
            "entry for urs.earthdata.nasa.gov in your .netrc file."
        ),
    )
    algorithm.add(
        QgsProcessingParameterString(
            API_URL, tr("HyP3 service"), defaultValue=PRODUCTION_API, optional=True
        ),
        tr("Address of the HyP3 service; change it only for another deployment than ASF's."),
        advanced=True,
    )


def add_job_type(algorithm):
    """Declare JOB_TYPE."""
    algorithm.add(
        choice(JOB_TYPE, tr("Job type"), JOB_TYPES),
        tr("Which kind of HyP3 jobs; one stack holds one kind."),
    )


def add_project(algorithm):
    """Declare PROJECT."""
    algorithm.add(
        QgsProcessingParameterString(PROJECT, tr("Project"), optional=True),
        tr(
            "Exact name of the HyP3 project, as given when the jobs were ordered. Write (none) for "
            "jobs without a project. Empty: jobs of all projects."
        ),
    )


def add_geometry_filters(algorithm):
    """Declare DATE_RULE, PATHS and DIRECTION."""
    algorithm.add(
        choice(DATE_RULE, tr("Date rule"), DATE_RULES),
        tr(
            "all: every acquisition of a pair lies between the first and the last day. any: one "
            "of them is enough."
        ),
    )
    algorithm.add(
        QgsProcessingParameterString(PATHS, tr("Paths"), optional=True),
        tr(
            "Relative orbits (1 to 175), separated by commas: 87,160. Empty: all. Around the "
            "ascending node, where the number steps, either number finds the same ground."
        ),
    )
    algorithm.add(
        choice(DIRECTION, tr("Flight direction"), DIRECTIONS),
        tr("ascending: evening passes, flying north. descending: morning passes, flying south."),
    )


def read_job_filters(values):
    """Return what the user gave of the filters."""
    return {
        API_URL: values.text(API_URL),
        PROJECT: values.text(PROJECT),
        JOB_TYPE: values.choice(JOB_TYPE),
        **read_period(values),
        DATE_RULE: values.choice(DATE_RULE),
        PATHS: values.text(PATHS),
        DIRECTION: values.choice(DIRECTION),
        EXTENT: values.extent(EXTENT),
    }
