"""Algorithm ``hyp3:harmonizeproducts``."""

from qgis.core import (
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterFolderDestination,
)

from ..parameters.grid_parameters import add_extent, add_grid, add_layers, read_grid
from ..parameters.job_values import Values
from ..parameters.product_folder import INPUT, add_product_folder, check_product_folder
from ..translation import tr
from .algorithm import StackAlgorithm


class HarmonizeProducts(StackAlgorithm):
    """Writes all products of a folder as GeoTIFFs on one grid."""

    OUTPUT = "OUTPUT"
    CRS = "CRS"
    COPIED = "COPIED"
    WARPED = "WARPED"

    NAME = "harmonizeproducts"
    TITLE = "Harmonize products"
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

    def initAlgorithm(self, configuration=None):
        add_product_folder(self)
        add_layers(self)
        add_extent(
            self, tr("Cut the grid to this area. Empty: the area that the extent mode gives.")
        )
        add_grid(self)
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Folder for the GeoTIFFs")),
            tr(
                "Folder of its own, not the input folder. Product folders that an earlier run has "
                "written are replaced; others of the same names are refused."
            ),
        )
        self.addOutput(QgsProcessingOutputString(self.CRS, tr("CRS of the grid")))
        self.addOutput(QgsProcessingOutputNumber(self.COPIED, tr("Products copied")))
        self.addOutput(QgsProcessingOutputNumber(self.WARPED, tr("Products warped")))

    def check(self, values):
        return check_product_folder(values)

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        job = {
            INPUT: values.text(INPUT),
            **read_grid(values),
            self.OUTPUT: values.destination(self.OUTPUT),
        }
        return self.run_core(job, feedback)
