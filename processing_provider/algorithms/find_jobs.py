"""Algorithm ``hyp3:findjobs``."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputVariant

from ..layers.job_layer import draw_outlines
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
        outputs = self.write_layer(parameters, context, feedback)
        draw_outlines(outputs["OUTPUT"], context)
        return {name: outputs[name] for name in ("OUTPUT", "COUNT", "PROJECTS")}
