"""Algorithm ``hyp3:invertstack``."""

from qgis.core import (
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
)

from ...core.object_store.address import is_address
from ..parameters.combined_checks import check_period, check_stack, check_stack_files
from .algorithm import StackAlgorithm, ToolboxGroup


class InvertStack(StackAlgorithm):
    """Turns a stack of interferograms into displacement by date and a velocity map."""

    NAME = "invertstack"
    TITLE = "Invert stack"
    GROUP = ToolboxGroup.ANALYZE
    SUMMARY = "Turns a stack of interferograms into displacement by date and velocity."
    HELP = (
        "Finds the displacement along the line of sight on each date that fits all pairs of a "
        "stack best, by weighted least squares on the network of pairs, and its velocity. The "
        "result is a stack with the dimensions time, y, x, which loads and plays like any other. "
        "Displacement is in meters, positive toward the satellite, 0 on the first date and "
        "relative to the reference area."
        "\n"
        "The layer temporal_coherence shows how well the pairs of a pixel agree, redundancy how "
        "far they can check each other, gap_count where the network of a pixel falls apart, "
        "closure_error_share how many triangles of pairs do not close by whole cycles, and mask "
        "why a pixel has no displacement. velocity_standard_error is the larger one of two errors: "
        "that of the fit, which takes deviations for independent in time, and that propagated from "
        "the pairs. Neither knows of a slow atmosphere, nor of errors that all pairs share."
        "\n"
        "Errors of unwrapping, delays that go with height, ramps and errors of the heights can be "
        "taken off; each correction of the displacement is a layer of its own, so that it can be "
        "added again. All are off unless chosen. The report draws the network with pairs colored "
        "by how many of their triangles close, noise of the dates, velocity and some series."
        "\n"
        "The stack of pairs is never changed. A run that was stopped goes on when the same one "
        "runs again, or starts over where it writes to an object store."
    )
    EXAMPLE = (
        "qgis_process run hyp3:invertstack -- INPUT=/data/stack.zarr "
        "REFERENCE_AREA='-117.6,35.7,500 [EPSG:4326]' NETCDF=/data/displacement.nc"
    )
    TAGS = (
        "subsidence",
        "sbas",
        "small baseline",
        "time series",
        "displacement",
        "velocity",
        "deformation",
    )

    OUTPUTS = (
        (QgsProcessingOutputString, "ZARR_URL", "Address of the Zarr store"),
        (QgsProcessingOutputNumber, "DATES", "Number of dates"),
        (QgsProcessingOutputNumber, "PAIRS", "Number of pairs"),
        (QgsProcessingOutputNumber, "COMPONENTS", "Parts of the network without pairs between"),
        (QgsProcessingOutputString, "REFERENCE", "Reference area"),
        (QgsProcessingOutputMultipleLayers, "LAYERS", "Sources of the layers"),
    )

    def check(self, values):
        return check_stack(values) or check_period(values) or check_stack_files(values)

    def is_online(self, values):
        return values.given("ZARR_URL") or is_address((values.text("INPUT") or "").strip())

    def processAlgorithm(self, parameters, context, feedback):
        return self.write_stack(parameters, context, feedback)
