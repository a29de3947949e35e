"""Algorithm ``hyp3:buildstack``."""

from ...core.contract import PRODUCT_TYPES
from ..layers.loading import LOAD, add_load, show_stack
from ..parameters.append_parameters import add_append_options, read_append_options
from ..parameters.grid_parameters import add_extent, add_grid, add_layers, choice, read_grid
from ..parameters.job_values import Values
from ..parameters.period_parameters import add_period, check_period, read_period
from ..parameters.product_folder import INPUT, add_product_folder, check_product_folder
from ..parameters.remote_parameters import address_of
from ..parameters.stack_parameters import (
    ZARR_URL,
    add_stack_files,
    add_stack_options,
    check_stack_files,
    read_stack_options,
)
from ..parameters.value_parameters import ENRICH
from ..translation import tr
from .algorithm import StackAlgorithm


class BuildStack(StackAlgorithm):
    """Makes one NetCDF or Zarr stack of all products of a folder."""

    PRODUCT_TYPE = "PRODUCT_TYPE"

    NAME = "buildstack"
    TITLE = "Build stack"
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
    TAGS = ("netcdf", "zarr", "time series", "xarray", "cube", "ceos-ard", "card4l")

    def initAlgorithm(self, configuration=None):
        add_product_folder(self)
        self.add(
            choice(self.PRODUCT_TYPE, tr("Product type"), PRODUCT_TYPES),
            tr(
                "auto: the type of the products in the folder, which has to be one. Choose a "
                "type where a folder holds several; products of other types are left out."
            ),
            advanced=True,
        )
        add_layers(self)
        add_period(self)
        add_extent(
            self, tr("Cut the grid to this area. Empty: the area that the extent mode gives.")
        )
        add_grid(self)
        add_stack_options(self)
        add_append_options(self)
        add_stack_files(self)
        add_load(self)

    def check(self, values):
        return check_product_folder(values) or check_period(values) or check_stack_files(values)

    def is_online(self, values):
        return bool(values.flag(ENRICH)) or values.given(ZARR_URL)

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        job = {
            INPUT: values.text(INPUT),
            self.PRODUCT_TYPE: values.choice(self.PRODUCT_TYPE),
            **read_period(values),
            **read_grid(values),
            **read_stack_options(values),
            **read_append_options(values),
        }
        outputs = self.run_core(job, feedback)
        address = address_of(values, ZARR_URL)
        return show_stack(outputs, values.flag(LOAD), context, feedback, address)
