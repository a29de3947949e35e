"""Algorithm ``hyp3:preparestack``."""

from qgis.core import QgsProcessingParameterFile

from ...core.contract import JOB_TYPES, PRODUCT_TYPES
from ..layers.loading import LOAD, add_load, show_stack
from ..parameters.append_parameters import add_append_options, read_append_options
from ..parameters.grid_parameters import add_extent, add_grid, add_layers, choice, read_grid
from ..parameters.job_parameters import (
    JOB_TYPE,
    add_geometry_filters,
    add_job_type,
    add_project,
    add_service,
    read_job_filters,
)
from ..parameters.job_values import Values
from ..parameters.period_parameters import add_period
from ..parameters.remote_parameters import address_of
from ..parameters.stack_parameters import (
    ZARR_URL,
    add_stack_files,
    add_stack_options,
    check_stack_files,
    read_stack_options,
)
from ..translation import tr
from .retrieval_algorithm import RetrievalAlgorithm


class PrepareStack(RetrievalAlgorithm):
    """Downloads, harmonizes and builds in one run."""

    FOLDER = "FOLDER"
    PRODUCT_TYPE = "PRODUCT_TYPE"

    NAME = "preparestack"
    TITLE = "Prepare stack"
    SUMMARY = "Downloads your HyP3 products and builds an analysis-ready stack, in one run."
    HELP = (
        "Does the whole job in one run: finds the HyP3 jobs that fit the filters, downloads their "
        "products into a folder, puts them on one grid and builds a NetCDF file, a Zarr store, "
        "or both."
        "\n"
        "Run it again after new jobs were ordered: products that are already in the folder are "
        "not downloaded again."
    )
    EXAMPLE = (
        "qgis_process run hyp3:preparestack -- PROJECT=my_project START=2021-01-01 "
        "END=2021-12-31 FOLDER=/data/products NETCDF=/data/stack.nc ZARR=/data/stack.zarr"
    )
    TAGS = ("download", "netcdf", "zarr", "time series", "earthdata", "ceos-ard", "card4l")

    def initAlgorithm(self, configuration=None):
        add_service(self)
        add_project(self)
        add_job_type(self)
        add_period(self)
        add_geometry_filters(self)
        add_extent(
            self,
            tr(
                "Only jobs whose footprint touches this area; the stack is cut to it. Empty: "
                "everywhere."
            ),
        )
        self.add(
            QgsProcessingParameterFile(
                self.FOLDER,
                tr("Folder for the products"),
                behavior=QgsProcessingParameterFile.Behavior.Folder,
            ),
            tr(
                "The downloaded products are kept here and found again by the next run; the "
                "folder is made if it does not exist."
            ),
        )
        self.add(
            choice(self.PRODUCT_TYPE, tr("Product type"), PRODUCT_TYPES),
            tr("auto: that of the job type. It cannot be another one."),
            advanced=True,
        )
        add_layers(self)
        add_grid(self)
        add_stack_options(self)
        add_append_options(self)
        add_stack_files(self)
        add_load(self)

    def check(self, values):
        return super().check(values) or check_stack_files(values) or self._check_types(values)

    def _check_types(self, values):
        product_type = values.choice(self.PRODUCT_TYPE) or PRODUCT_TYPES[0]
        job_type = values.choice(JOB_TYPE) or JOB_TYPES[0]
        if product_type in (PRODUCT_TYPES[0], job_type):
            return ""
        return tr(
            "PRODUCT_TYPE is {product_type}, but JOB_TYPE is {job_type}; give only JOB_TYPE."
        ).format(product_type=product_type, job_type=job_type)

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        job = {
            **read_job_filters(values),
            self.FOLDER: values.text(self.FOLDER),
            **read_grid(values),
            **read_stack_options(values),
            **read_append_options(values),
        }
        outputs = self.run_core(job, feedback, self.credentials)
        address = address_of(values, ZARR_URL)
        return show_stack(outputs, values.flag(LOAD), context, feedback, address)
