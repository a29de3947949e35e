"""Algorithm ``hyp3:downloadproducts``."""

from qgis.core import (
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterString,
)

from ..parameters.grid_parameters import add_extent
from ..parameters.job_parameters import (
    add_geometry_filters,
    add_job_type,
    add_project,
    add_service,
    read_job_filters,
)
from ..parameters.job_values import Values
from ..parameters.period_parameters import add_period
from ..translation import tr
from .retrieval_algorithm import RetrievalAlgorithm


class DownloadProducts(RetrievalAlgorithm):
    """Downloads and unpacks the products of a user's jobs."""

    JOBS = "JOBS"
    LAYERS = "LAYERS"
    KEEP_ZIPS = "KEEP_ZIPS"
    OUTPUT = "OUTPUT"

    NAME = "downloadproducts"
    TITLE = "Download products"
    SUMMARY = "Downloads, checks and unpacks the products of your HyP3 jobs."
    HELP = (
        "Downloads the products of the HyP3 jobs that fit the filters, checks them and unpacks "
        "them into one folder. What is already there and intact is not fetched again, and a "
        "download that was cut off goes on where it stopped: simply run it again."
        "\n"
        "A manifest in the folder records job, file, size, checksum and time of every product."
    )
    EXAMPLE = (
        "qgis_process run hyp3:downloadproducts -- PROJECT=my_project START=2021-01-01 "
        "END=2021-12-31 OUTPUT=/data/products"
    )
    TAGS = ("retrieve", "fetch", "zip", "resume", "earthdata")

    def initAlgorithm(self, configuration=None):
        add_service(self)
        add_project(self)
        add_job_type(self)
        add_period(self)
        add_geometry_filters(self)
        add_extent(self, tr("Only jobs whose footprint touches this area. Empty: everywhere."))
        self.add(
            QgsProcessingParameterString(self.JOBS, tr("Job ids"), optional=True),
            tr(
                "Only these jobs, as ids separated by commas; the table of Find jobs lists them. "
                "Empty: all that fit the filters."
            ),
        )
        self.add(
            QgsProcessingParameterString(self.LAYERS, tr("Layers"), optional=True),
            tr(
                "Keep only these layers, separated by commas: unw_phase,corr,dem. Empty: all. "
                "Where the service offers single files, only those are fetched."
            ),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterBoolean(
                self.KEEP_ZIPS, tr("Keep zip files"), defaultValue=False, optional=True
            ),
            tr("Keep each zip file after it was unpacked; needs twice the space."),
            advanced=True,
        )
        self.add(
            QgsProcessingParameterFolderDestination(self.OUTPUT, tr("Folder for the products")),
            tr("The products are kept here, one folder each; use the same folder every time."),
        )
        for name, label in (
            ("DOWNLOADED", tr("Products downloaded")),
            ("SKIPPED", tr("Products already there")),
            ("FAILED", tr("Products failed")),
            ("BYTES", tr("Bytes transferred")),
        ):
            self.addOutput(QgsProcessingOutputNumber(name, label))
        self.addOutput(QgsProcessingOutputFile("MANIFEST", tr("Manifest")))

    def processAlgorithm(self, parameters, context, feedback):
        values = Values(self, parameters, context)
        job = {
            **read_job_filters(values),
            self.JOBS: values.text(self.JOBS),
            self.LAYERS: values.text(self.LAYERS),
            self.KEEP_ZIPS: values.flag(self.KEEP_ZIPS),
            self.OUTPUT: values.destination(self.OUTPUT),
        }
        return self.run_core(job, feedback, self.credentials)
