"""Algorithm ``hyp3:findjobs``."""

import tempfile

from qgis.core import (
    QgsProcessing,
    QgsProcessingOutputNumber,
    QgsProcessingOutputVariant,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFeatureSink,
)

from ..layers.job_layer import copy_features, job_sink
from ..parameters.grid_parameters import add_extent
from ..parameters.job_parameters import (
    add_geometry_filters,
    add_job_type,
    add_project,
    add_service,
    read_job_filters,
)
from ..parameters.job_values import Values
from ..parameters.period_parameters import add_period
from ..translation import tr
from .retrieval_algorithm import RetrievalAlgorithm


class FindJobs(RetrievalAlgorithm):
    """Lists a user's HyP3 jobs as a layer of footprints."""

    ALL_STATES = "ALL_STATES"
    OUTPUT = "OUTPUT"
    COUNT = "COUNT"
    PROJECTS = "PROJECTS"

    NAME = "findjobs"
    TITLE = "Find jobs"
    SUMMARY = "Lists your HyP3 jobs as a layer of footprints with dates, paths and sizes."
    HELP = (
        "Lists the jobs that you ordered from ASF's HyP3 service, filtered, as a layer of "
        "footprints. Its table holds project, type, dates, baseline in days, path, direction, "
        "polarization, spacing, size, expiration, credits and job id. Jobs that have not "
        "succeeded or whose products have expired are left out unless you ask for them."
        "\n"
        "If no job is left, the message says which filter removed how many."
    )
    EXAMPLE = (
        "qgis_process run hyp3:findjobs -- PROJECT=my_project JOB_TYPE=INSAR_GAMMA "
        "START=2021-01-01 END=2021-12-31 OUTPUT=/data/jobs.gpkg"
    )
    TAGS = ("search", "list", "order", "download", "earthdata", "footprint")

    def initAlgorithm(self, configuration=None):
        add_service(self)
        add_project(self)
        add_job_type(self)
        add_period(self)
        add_geometry_filters(self)
        add_extent(self, tr("Only jobs whose footprint touches this area. Empty: everywhere."))
        self.add(
            QgsProcessingParameterBoolean(
                self.ALL_STATES,
                tr("Also unfinished and expired jobs"),
                defaultValue=False,
                optional=True,
            ),
            tr("List pending, running, failed and expired jobs too; they cannot be downloaded."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFeatureSink(
                self.OUTPUT, tr("Found jobs"), QgsProcessing.SourceType.TypeVectorPolygon
            ),
            tr("Layer with one feature for each job, in EPSG:4326; times are UTC."),
        )
        self.addOutput(QgsProcessingOutputNumber(self.COUNT, tr("Number of jobs")))
        self.addOutput(QgsProcessingOutputVariant(self.PROJECTS, tr("Names of the projects")))

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        with tempfile.TemporaryDirectory(prefix="hyp3_stack_") as folder:
            job = {
                **read_job_filters(values),
                self.ALL_STATES: values.flag(self.ALL_STATES),
                "WORK_FOLDER": folder,
            }
            outputs = self.run_core(job, feedback, self.credentials)
            sink, identifier = job_sink(self, parameters, self.OUTPUT, context, outputs["FIELDS"])
            copy_features(outputs["FEATURES_FILE"], outputs["FIELDS"], sink, feedback)
        return {
            self.OUTPUT: identifier,
            self.COUNT: outputs["COUNT"],
            self.PROJECTS: outputs["PROJECTS"],
        }
