"""Algorithm ``hyp3:demostack``."""

from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
)

from .algorithm import StackAlgorithm, ToolboxGroup


class DemoStack(StackAlgorithm):
    """Makes sample products and their stack, without an account."""

    NAME = "demostack"
    TITLE = "Demo stack"
    GROUP = ToolboxGroup.SET_UP
    SUMMARY = "Makes sample interferograms and their stack and loads it; needs no account."
    HELP = (
        "Makes fifteen small interferograms of ground that sinks, in the form of HyP3's products, "
        "builds a stack of them as Build stack does, and loads it. Their values are made from "
        "formulas, not from radar data. Nothing is downloaded, and no account is needed."
        "\n"
        "The stack plays in the Temporal Controller; Time series on a click draws what a pixel "
        "does; Invert stack turns it into displacement and velocity. The folder can be tried with "
        "all other algorithms as well."
    )
    EXAMPLE = "qgis_process run hyp3:demostack -- OUTPUT=/data/demo"
    TAGS = ("demo", "sample", "example", "tutorial", "first steps")

    OUTPUTS = (
        (QgsProcessingOutputFile, "NETCDF", "NetCDF file"),
        (QgsProcessingOutputFile, "REPORT", "Report"),
        (QgsProcessingOutputNumber, "STEPS", "Number of pairs"),
        (QgsProcessingOutputString, "CRS", "CRS of the grid"),
        (QgsProcessingOutputMultipleLayers, "LAYERS", "Sources of the layers"),
    )

    def processAlgorithm(self, parameters, context, feedback):
        return self.write_stack(parameters, context, feedback)
