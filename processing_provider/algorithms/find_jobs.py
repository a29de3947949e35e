"""Algorithm ``hyp3:findjobs``."""

import tempfile

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputVariant

from ..layers.job_layer import copy_features, job_sink
from ..parameters.job_values import Values
from .algorithm import ToolboxGroup
from .retrieval_algorithm import RetrievalAlgorithm


class FindJobs(RetrievalAlgorithm):
    """Lists a user's HyP3 jobs as a layer of footprints."""

    NAME = "findjobs"
    TITLE = "Find jobs"
    GROUP = ToolboxGroup.GET_PRODUCTS
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

    OUTPUTS = (
        (QgsProcessingOutputNumber, "COUNT", "Number of jobs"),
        (QgsProcessingOutputVariant, "PROJECTS", "Names of the projects"),
    )

    def processAlgorithm(self, parameters, context, feedback):
        job = Values(self, parameters, context).job()
        with tempfile.TemporaryDirectory(prefix="hyp3_stack_") as folder:
            outputs = self.run_core({**job, "WORK_FOLDER": folder}, feedback)
            sink, identifier = job_sink(self, parameters, "OUTPUT", context, outputs["FIELDS"])
            copy_features(outputs["FEATURES_FILE"], outputs["FIELDS"], sink, feedback)
        return {
            "OUTPUT": identifier,
            "COUNT": outputs["COUNT"],
            "PROJECTS": outputs["PROJECTS"],
        }
