"""Algorithm ``hyp3:resubmitjobs``."""

from qgis.core import QgsProcessingOutputNumber

from ..algorithm import ToolboxGroup
from .ordering_algorithm import OrderingAlgorithm


class ResubmitJobs(OrderingAlgorithm):
    """Orders failed jobs once more, where the price is confirmed."""

    NAME = "resubmitjobs"
    TITLE = "Order failed jobs again"
    GROUP = ToolboxGroup.GET_PRODUCTS
    SUMMARY = "Orders the failed jobs of a project once more, where the reason may have passed."
    HELP = (
        "Reads why jobs of a project failed and orders those once more that failed for a reason "
        "which may have passed: a server that was shut down, a service that was unavailable, a "
        "lost connection, or no reason given. Jobs that would fail again, such as those wholly "
        "over water, stay as they are, and so do those that failed twice or were ordered again "
        "already."
        "\n"
        "As in Order pairs, a run without a confirmed price orders nothing and shows the price, "
        "because most accounts pay for the second attempt as well. Run it again with that price as "
        "CONFIRM."
    )
    EXAMPLE = "qgis_process run hyp3:resubmitjobs -- PROJECT=my_project MAX_CREDITS=10 CONFIRM=3"
    TAGS = ("submit", "retry", "failed", "credits", "price", "earthdata")

    OUTPUTS = (
        *OrderingAlgorithm.OUTPUTS,
        (QgsProcessingOutputNumber, "FAILED", "Failed jobs that stay as they are"),
    )
