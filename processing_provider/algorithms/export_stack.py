"""Algorithm ``hyp3:exportstack``."""

from qgis.core import QgsProcessingOutputMultipleLayers

from ...core.object_store.address import is_address
from ..parameters.combined_checks import check_period, check_stack
from .algorithm import StackAlgorithm, ToolboxGroup


class ExportStack(StackAlgorithm):
    """Writes a stack in the formats of other programs."""

    NAME = "exportstack"
    TITLE = "Export stack"
    GROUP = ToolboxGroup.ANALYZE
    SUMMARY = (
        "Writes a stack for MintPy and InSAR Explorer, as GeoTIFFs, tables of series or a pyramid."
    )
    HELP = (
        "Writes a stack of pairs, of backscatter or of displacement for other programs, into a "
        "folder of its own. LAYERS, EXTENT and the period choose a part of it; velocity and its "
        "quality stay those of all dates of the stack."
        "\n"
        "MintPy: for pairs, a project that smallbaselineApp.py continues from the step "
        "modify_network, with phase, coherence, connected components where the stack has them, "
        "and the geometry. For displacement, the files that such a run writes: timeseries.h5, "
        "velocity.h5, temporalCoherence.h5 and maskTempCoh.h5. The stack's reference point is "
        "kept. MintPy's timeseries2velocity.py makes the velocity of a shorter period."
        "\n"
        "InSAR Explorer: displacement, as one map for each date, velocity_mm_year.grd, and "
        "displacement.gpkg with a point for each pixel that has velocity, if these are 3 million "
        "at most. Add the velocity or the points to the project and click on them with InSAR "
        "Explorer. Displacement is in mm, velocity and its standard error in mm/year; other "
        "fields of the points are as in the stack."
        "\n"
        "GeoTIFFs: any stack, as cloud-optimized GeoTIFFs with overviews, which draw quickly at "
        "any size. Values and units are those of the stack; each file names layer, "
        "date, unit and CRS, and NaN (255 in masks and components) is no data."
        "\n"
        "Tables: any stack, at the points of a layer. points.csv has a row for each point, with "
        "its attributes and the layers without dates; series.csv has a row for each point and "
        "date or pair, with the same attributes and a column for each layer. Values are those of "
        "the pixel in which a point lies; x and y are its center."
        "\n"
        "Pyramid: any stack, as pyramid.zarr, a Zarr store with coarser and coarser levels for "
        "viewers in web browsers, such as bowser and zarr-layer. QGIS reads it with GDAL 3.13 or "
        "newer; with an older one choose GeoTIFFs."
        "\n"
        "The stack is never changed. The folder appears when all is written; a run that is "
        "canceled or fails leaves none."
    )
    EXAMPLE = (
        "qgis_process run hyp3:exportstack -- INPUT=/data/stack.zarr FORMAT=mintpy "
        "OUTPUT=/data/mintpy"
    )
    TAGS = (
        "mintpy",
        "insar explorer",
        "geotiff",
        "cog",
        "csv",
        "pandas",
        "geopackage",
        "convert",
        "time series",
        "pyramid",
        "overviews",
        "multiscale",
    )

    OUTPUTS = ((QgsProcessingOutputMultipleLayers, "FILES", "Files"),)

    def check(self, values):
        message = check_stack(values) or check_period(values)
        if not message and values.choice("FORMAT") == "series" and not values.given("POINTS"):
            return "FORMAT is series, which needs POINTS: give a layer of points."
        return message

    def is_online(self, values):
        return is_address((values.text("INPUT") or "").strip())
