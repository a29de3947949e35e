"""Algorithm ``hyp3:harmonizeproducts``."""

from qgis.core import QgsProcessingOutputNumber, QgsProcessingOutputString

from ..parameters.combined_checks import check_product_folder
from .algorithm import StackAlgorithm, ToolboxGroup


class HarmonizeProducts(StackAlgorithm):
    """Writes all products of a folder as GeoTIFFs on one grid."""

    NAME = "harmonizeproducts"
    TITLE = "Harmonize products"
    GROUP = ToolboxGroup.MAKE_STACK
    SUMMARY = "Puts all HyP3 products of a folder on one grid, as GeoTIFFs."
    HELP = (
        "Puts all HyP3 products of a folder on one grid and writes them as GeoTIFFs under their "
        "own names, one folder per product. Products that already lie on the grid are copied bit "
        "for bit; only those of another UTM zone are warped. Inputs are never changed."
        "\n"
        "Layers that do not change with time (elevation, look and incidence angles, water mask) "
        "are complete in each product: where it has no data, it takes those of other products that "
        "see the ground from the same direction. Programs such as MintPy, which take the geometry "
        "of one product, find it for all of them."
        "\n"
        "The log says before the work starts what is copied, what is warped and what is left out. "
        "To get one file for the whole stack, use Build stack; it needs no harmonized products."
    )
    EXAMPLE = (
        "qgis_process run hyp3:harmonizeproducts -- INPUT=/data/products LAYERS=unw_phase,corr "
        "OUTPUT=/data/harmonized"
    )
    TAGS = ("align", "warp", "reproject", "resample", "utm", "geotiff")

    OUTPUTS = (
        (QgsProcessingOutputString, "CRS", "CRS of the grid"),
        (QgsProcessingOutputNumber, "COPIED", "Products copied"),
        (QgsProcessingOutputNumber, "WARPED", "Products warped"),
    )

    def check(self, values):
        return check_product_folder(values)
