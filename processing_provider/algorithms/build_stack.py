"""Algorithm ``hyp3:buildstack``."""

from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
)

from ..parameters.combined_checks import check_period, check_product_folder, check_stack_files
from .algorithm import StackAlgorithm, ToolboxGroup

STACK_OUTPUTS = (
    (QgsProcessingOutputString, "ZARR_URL", "Address of the Zarr store"),
    (QgsProcessingOutputFile, "STAC", "STAC item"),
    (QgsProcessingOutputNumber, "STEPS", "Number of pairs or dates"),
    (QgsProcessingOutputNumber, "SKIPPED", "Number of skipped products"),
    (QgsProcessingOutputString, "CRS", "CRS of the grid"),
    (QgsProcessingOutputNumber, "WIDTH", "Columns of the grid"),
    (QgsProcessingOutputNumber, "HEIGHT", "Rows of the grid"),
    (QgsProcessingOutputNumber, "BYTES", "Expected size in bytes, of a plan only"),
    (QgsProcessingOutputNumber, "DOWNLOAD", "Bytes to download, of a plan only"),
    (QgsProcessingOutputMultipleLayers, "LAYERS", "Sources of the layers"),
)


class BuildStack(StackAlgorithm):
    """Makes one NetCDF or Zarr stack of all products of a folder."""

    NAME = "buildstack"
    TITLE = "Build stack"
    GROUP = ToolboxGroup.MAKE_STACK
    SUMMARY = "Makes one analysis-ready NetCDF or Zarr stack of all HyP3 products of a folder."
    HELP = (
        "Makes one stack of all HyP3 products of a folder, as a NetCDF file, a Zarr store, or "
        "both. All products come to lie on one grid: those of the predominant UTM zone are "
        "copied bit for bit, the others are warped onto it. Inputs are never changed, and the "
        "outputs appear under their names only when they are complete and have been read back: "
        "every chunk with the bytes that were written, all coordinates and attributes, and a "
        "block of each layer against the products."
        "\n"
        "Interferograms get the dimensions pair, y, x; the dates of a pair, its baselines and its "
        "product name are coordinates. Backscatter gets the dimensions time, y, x, with one "
        "variable for each polarization. The log says before the work starts what is copied, what "
        "is warped and what is left out."
    )
    EXAMPLE = (
        "qgis_process run hyp3:buildstack -- INPUT=/data/products LAYERS=unw_phase,corr,dem "
        "START=2021-01-01 END=2021-12-31 NETCDF=/data/stack.nc ZARR=/data/stack.zarr"
    )
    TAGS = (
        "displacement",
        "subsidence",
        "netcdf",
        "zarr",
        "time series",
        "xarray",
        "cube",
        "ceos-ard",
        "card4l",
    )

    OUTPUTS = STACK_OUTPUTS

    def check(self, values):
        return check_product_folder(values) or check_period(values) or check_stack_files(values)

    def is_online(self, values):
        return bool(values.flag("ENRICH")) or values.given("ZARR_URL")

    def processAlgorithm(self, parameters, context, feedback):
        return self.write_stack(parameters, context, feedback)
