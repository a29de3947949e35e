"""Algorithm ``hyp3:preparestack``."""

from ...core.parameters.job_parameters import JOB_TYPES
from ..parameters.combined_checks import check_stack_files
from .algorithm import ToolboxGroup
from .build_stack import STACK_OUTPUTS
from .retrieval_algorithm import RetrievalAlgorithm


class PrepareStack(RetrievalAlgorithm):
    """Downloads, harmonizes and builds in one run."""

    NAME = "preparestack"
    TITLE = "Prepare stack"
    GROUP = ToolboxGroup.MAKE_STACK
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
    TAGS = (
        "displacement",
        "subsidence",
        "download",
        "netcdf",
        "zarr",
        "time series",
        "earthdata",
        "ceos-ard",
        "card4l",
    )

    OUTPUTS = STACK_OUTPUTS

    def check(self, values):
        return super().check(values) or check_stack_files(values) or self._check_types(values)

    def _check_types(self, values):
        product_type = values.choice("PRODUCT_TYPE") or "auto"
        job_type = values.choice("JOB_TYPE") or JOB_TYPES[0]
        if values.given("FOUND_JOBS") or product_type in ("auto", job_type):
            return ""
        return f"PRODUCT_TYPE is {product_type}, but JOB_TYPE is {job_type}; give only JOB_TYPE."

    def processAlgorithm(self, parameters, context, feedback):
        return self.write_stack(parameters, context, feedback)
