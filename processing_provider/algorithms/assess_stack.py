"""Algorithm ``hyp3:assessstack``."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from ...core.object_store.address import is_address
from ..parameters.combined_checks import check_stack
from .algorithm import StackAlgorithm, ToolboxGroup


class AssessStack(StackAlgorithm):
    """Checks a written stack against CEOS-ARD, CF and ACDD."""

    NAME = "assessstack"
    TITLE = "Assess stack"
    GROUP = ToolboxGroup.ANALYZE
    SUMMARY = "Checks a stack against the requirements of CEOS-ARD and the conventions CF and ACDD."
    HELP = (
        "Reads a stack again and checks it against every requirement of its CEOS-ARD (formerly "
        "CARD4L) family: interferometric SAR or normalised radar backscatter, threshold and goal. "
        "The page says for each one what was found in the file and why it is met or not. The "
        "conventions CF and ACDD are checked too."
        "\n"
        "What the stack says of itself is compared with what it holds: counts, times, orbits, "
        "extents, baselines, units, flags, the numbers of HyP3's parameter files. Pixels are read "
        "as well, all of a stack up to 256 MB and evenly spaced pairs or dates of a larger one: "
        "whether they are there, in the range of their quantity, and of the mean coherence and "
        "the share of data that the stack states. A change that leaves all of this as it was, "
        "such as another plausible phase in some pixels, is not noticed."
        "\n"
        "The outcome is a self-assessment; only CEOS decides in a peer review whether a product "
        "is CEOS Analysis Ready Data. Some requirements cannot be met from HyP3's products alone, "
        "and the page names them."
    )
    EXAMPLE = (
        "qgis_process run hyp3:assessstack -- INPUT=/data/stack.nc OUTPUT=/data/stack.html "
        "JSON=/data/stack_ceos_ard.json"
    )
    TAGS = ("ceos-ard", "card4l", "metadata", "cf", "acdd", "quality", "validate")

    OUTPUTS = (
        (QgsProcessingOutputNumber, "MET", "Threshold requirements met"),
        (QgsProcessingOutputNumber, "UNMET", "Threshold requirements not met"),
        (QgsProcessingOutputNumber, "NOT_APPLICABLE", "Threshold requirements not applicable"),
        (QgsProcessingOutputNumber, "NEEDS_USER", "Threshold requirements that need the user"),
        (QgsProcessingOutputNumber, "PROBLEMS", "Problems with conventions"),
        (QgsProcessingOutputString, "SUMMARY", "Outcome"),
    )

    def check(self, values):
        return check_stack(values)

    def is_online(self, values):
        return is_address((values.text("INPUT") or "").strip())
