"""Algorithm ``hyp3:watchjobs``."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from ..algorithm import ToolboxGroup
from ..retrieval_algorithm import RetrievalAlgorithm


class WatchJobs(RetrievalAlgorithm):
    """Reports how far jobs are, once or until all are done."""

    NAME = "watchjobs"
    TITLE = "Watch jobs"
    GROUP = ToolboxGroup.GET_PRODUCTS
    SUMMARY = "Reports how far your HyP3 jobs are, why some failed, and what expires soon."
    HELP = (
        "Counts the jobs of a project by state, and reports why jobs failed and which products "
        "expire within three days. With WAIT it looks again until no job is pending or running, "
        "which may take hours: each look is one request, a minute apart at first and five minutes "
        "where nothing happens. Canceling it does not stop the jobs."
        "\n"
        "JOBS has the ids of the jobs whose products can be downloaded, the first to expire first. "
        "In QGIS's window, Plugins > HyP3 Stack > Watch jobs does the same in a panel, in the "
        "background."
    )
    EXAMPLE = "qgis_process run hyp3:watchjobs -- PROJECT=my_project WAIT=true"
    TAGS = ("progress", "status", "wait", "failed", "expire", "earthdata")

    OUTPUTS = (
        (QgsProcessingOutputNumber, "COUNT", "Number of jobs"),
        (QgsProcessingOutputNumber, "SUCCEEDED", "Jobs whose products can be downloaded"),
        (QgsProcessingOutputNumber, "FAILED", "Failed jobs"),
        (QgsProcessingOutputNumber, "RUNNING", "Running jobs"),
        (QgsProcessingOutputNumber, "PENDING", "Pending jobs"),
        (QgsProcessingOutputNumber, "EXPIRING", "Products that expire within three days"),
        (QgsProcessingOutputString, "JOBS", "Ids of the jobs that can be downloaded"),
        (QgsProcessingOutputString, "NEWEST", "Last day of the products"),
        (QgsProcessingOutputString, "JOB_TYPE", "Their type, if they are of one"),
    )

    def processAlgorithm(self, parameters, context, feedback):
        outputs = super().processAlgorithm(parameters, context, feedback)
        return {**outputs, "JOBS": ",".join(outputs["JOBS"])}
