"""Parameters and outputs of the algorithms that write a stack."""

from pathlib import Path

from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputMultipleLayers,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterNumber,
    QgsProcessingParameterString,
)

from ...core.contract import (
    BAD_PRODUCT_RULES,
    CHUNKINGS,
    DEFAULT_CHUNK_MEGABYTES,
    DEFAULT_MEMORY_MEGABYTES,
    SMALLEST_MEMORY_MEGABYTES,
    STATIC_LAYER_MODES,
    ZARR_FORMATS,
)
from ..translation import tr
from .grid_parameters import choice
from .remote_parameters import add_remote_options, check_address, read_remote_options
from .value_parameters import (
    add_computed_layers,
    add_enrichment,
    add_quantities,
    read_values,
)

STATIC_LAYERS = "STATIC_LAYERS"
ON_BAD_PRODUCT = "ON_BAD_PRODUCT"
NETCDF = "NETCDF"
ZARR = "ZARR"
ZARR_URL = "ZARR_URL"
CHUNKING = "CHUNKING"
CHUNK_SIZE = "CHUNK_SIZE"
ZARR_FORMAT = "ZARR_FORMAT"
SHARDING = "SHARDING"
MEMORY = "MEMORY"
REPORT = "REPORT"
STAC = "STAC"
SCHEDULER = "SCHEDULER"
DATA_ACCESS = "DATA_ACCESS"

STEPS = "STEPS"
SKIPPED = "SKIPPED"
CRS = "CRS"
WIDTH = "WIDTH"
HEIGHT = "HEIGHT"
LAYERS = "LAYERS"


def add_stack_options(algorithm):
    """Declare how the stack is made and how its files are laid out."""
    algorithm.add(
        choice(STATIC_LAYERS, tr("Static layers"), STATIC_LAYER_MODES),
        tr(
            "Elevation, look vectors, incidence angles and water mask hardly differ between "
            "products. once: one copy for the stack, with the largest difference recorded. "
            "per_pair: one copy for each product."
        ),
        advanced=True,
    )
    algorithm.add(
        choice(ON_BAD_PRODUCT, tr("On a bad product"), BAD_PRODUCT_RULES),
        tr(
            "What to do with a product that is damaged or lacks a requested layer. stop: end "
            "the run and name it. skip: leave it out, say so, and count it in SKIPPED."
        ),
        advanced=True,
    )
    add_quantities(algorithm)
    add_computed_layers(algorithm)
    add_enrichment(algorithm)
    algorithm.add(
        choice(CHUNKING, tr("Zarr chunking"), CHUNKINGS, "both"),
        tr(
            "Layout of the Zarr store. spatial: whole maps are quick (group "
            "spatially_optimized). temporal: the series of a pixel is quick (group "
            "temporally_optimized). both: two groups with equal values."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterNumber(
            CHUNK_SIZE,
            tr("Zarr chunk size (MB)"),
            type=QgsProcessingParameterNumber.Type.Double,
            defaultValue=DEFAULT_CHUNK_MEGABYTES,
            optional=True,
            minValue=0.01,
            maxValue=512.0,
        ),
        tr("Largest size of one chunk before compression, in megabytes."),
        advanced=True,
    )
    algorithm.add(
        choice(ZARR_FORMAT, tr("Zarr format"), ZARR_FORMATS),
        tr(
            "2 opens in every program that reads Zarr. 3 is the newer specification; QGIS opens it "
            "with GDAL 3.11 and newer only."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterBoolean(
            SHARDING, tr("Zarr sharding"), defaultValue=False, optional=True
        ),
        tr(
            "Zarr format 3 only. Yes: several chunks share one file (a shard of up to 16 MB before "
            "compression), which makes fewer files, and small chunks cost less. Older programs "
            "cannot read shards; QGIS opens them with GDAL 3.13 and newer only."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterString(SCHEDULER, tr("Dask scheduler"), optional=True),
        tr(
            "Empty: this computer does the work. Otherwise the address of the scheduler of a Dask "
            "cluster that runs already, for example tcp://10.0.0.1:8786 (or tls://). Its workers "
            "read the products and write the stack, so they need both on a shared file system "
            "under the same names, and the packages in the plugin's requirements.lock. The plugin "
            "itself is sent to them. For a stack in an object store they need credentials in "
            "their own environment. The stack is the same either way."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterNumber(
            MEMORY,
            tr("Memory (MB)"),
            type=QgsProcessingParameterNumber.Type.Integer,
            defaultValue=DEFAULT_MEMORY_MEGABYTES,
            optional=True,
            minValue=SMALLEST_MEMORY_MEGABYTES,
        ),
        tr(
            "What the core process may take, however many products there are. Less makes it work "
            "in smaller blocks and with fewer threads; more lets series be put together in larger "
            "blocks. Chunks above 100 MB may need more."
        ),
        advanced=True,
    )


def add_stack_files(algorithm):
    """Declare NETCDF, ZARR and REPORT and the outputs of a stack."""
    algorithm.add(
        QgsProcessingParameterFileDestination(
            NETCDF,
            tr("NetCDF file"),
            fileFilter="NetCDF (*.nc)",
            optional=True,
            createByDefault=False,
        ),
        tr("Stack as one NetCDF file, for example /data/stack.nc."),
    )
    algorithm.add(
        QgsProcessingParameterFolderDestination(
            ZARR, tr("Zarr store"), optional=True, createByDefault=False
        ),
        tr("Stack as a Zarr store, a folder, for example /data/stack.zarr."),
    )
    algorithm.add(
        QgsProcessingParameterString(ZARR_URL, tr("Zarr store in an object store"), optional=True),
        tr(
            "Stack as a Zarr store in an S3-compatible object store, for example "
            "s3://bucket/folder/stack.zarr. Readers see it only when it is complete; what is there "
            "already is never replaced. Checked before any work starts. A run that was stopped "
            "goes on when the same job runs again; another job to that address removes what the "
            "stopped one left."
        ),
        advanced=True,
    )
    add_remote_options(algorithm)
    algorithm.add(
        QgsProcessingParameterFileDestination(
            REPORT,
            tr("Report"),
            fileFilter="HTML (*.html)",
            optional=True,
            createByDefault=False,
        ),
        tr(
            "Web page on the stack: what was done with each product, the network of pairs, "
            "coverage and coherence, and which requirements of CEOS-ARD are met."
        ),
    )
    algorithm.add(
        QgsProcessingParameterBoolean(
            STAC, tr("Write a STAC item"), defaultValue=False, optional=True
        ),
        tr(
            "Yes: describe the stack for catalogs (STAC). For stack.nc or stack.zarr this writes "
            "the item stack.json and its collection.json into the folder stack.stac beside it, "
            "with relative links to the NetCDF file, the groups of the Zarr store and the report. "
            "Those of an earlier stack of the same name are replaced. Blanks and special letters "
            "of the name become _."
        ),
        advanced=True,
    )
    algorithm.add(
        QgsProcessingParameterString(DATA_ACCESS, tr("DOI or address of the stack"), optional=True),
        tr(
            "Where you are going to publish the stack: a DOI (10.5281/zenodo.1234567) or a URL. It "
            "is written into the stack, where CEOS-ARD asks for it (1.7.1), and into its STAC "
            "item; nothing is uploaded. Empty: none."
        ),
        advanced=True,
    )
    algorithm.addOutput(QgsProcessingOutputString(ZARR_URL, tr("Address of the Zarr store")))
    algorithm.addOutput(QgsProcessingOutputFile(STAC, tr("STAC item")))
    algorithm.addOutput(QgsProcessingOutputNumber(STEPS, tr("Number of pairs or dates")))
    algorithm.addOutput(QgsProcessingOutputNumber(SKIPPED, tr("Number of skipped products")))
    algorithm.addOutput(QgsProcessingOutputString(CRS, tr("CRS of the grid")))
    algorithm.addOutput(QgsProcessingOutputNumber(WIDTH, tr("Columns of the grid")))
    algorithm.addOutput(QgsProcessingOutputNumber(HEIGHT, tr("Rows of the grid")))
    algorithm.addOutput(QgsProcessingOutputMultipleLayers(LAYERS, tr("Sources of the layers")))


def read_stack_options(values):
    """Return what the user gave of the options and files of a stack."""
    return {
        STATIC_LAYERS: values.choice(STATIC_LAYERS),
        ON_BAD_PRODUCT: values.choice(ON_BAD_PRODUCT),
        **read_values(values),
        CHUNKING: values.choice(CHUNKING),
        CHUNK_SIZE: values.number(CHUNK_SIZE),
        ZARR_FORMAT: values.choice(ZARR_FORMAT),
        SHARDING: values.flag(SHARDING),
        SCHEDULER: values.text(SCHEDULER),
        MEMORY: values.number(MEMORY),
        NETCDF: values.destination(NETCDF, ".nc"),
        ZARR: values.destination(ZARR, ".zarr"),
        ZARR_URL: values.text(ZARR_URL),
        **read_remote_options(values),
        REPORT: values.destination(REPORT, ".html"),
        STAC: values.flag(STAC),
        DATA_ACCESS: values.text(DATA_ACCESS),
    }


def check_stack_files(values):
    """Return a sentence where no output was chosen, or one that cannot be shown or reached."""
    netcdf = values.text(NETCDF) or ""
    if netcdf and '"' in str(Path(netcdf).absolute()):
        return tr(
            "NETCDF is {path}, but GDAL opens no layer of a NetCDF file with a double quote in its "
            "path; give another name or folder."
        ).format(path=netcdf)
    if any(values.given(name) for name in (NETCDF, ZARR, ZARR_URL)):
        return check_address(values, ZARR_URL)
    return tr("There is nothing to write: choose a NETCDF file, a ZARR store or a ZARR_URL.")
