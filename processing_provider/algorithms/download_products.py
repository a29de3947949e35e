"""Algorithm ``hyp3:downloadproducts``."""

from qgis.core import QgsProcessingOutputFile, QgsProcessingOutputNumber

from .algorithm import ToolboxGroup
from .retrieval_algorithm import RetrievalAlgorithm


class DownloadProducts(RetrievalAlgorithm):
    """Downloads and unpacks the products of a user's jobs."""

    NAME = "downloadproducts"
    TITLE = "Download products"
    GROUP = ToolboxGroup.GET_PRODUCTS
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

    OUTPUTS = (
        (QgsProcessingOutputNumber, "DOWNLOADED", "Products downloaded"),
        (QgsProcessingOutputNumber, "SKIPPED", "Products already there"),
        (QgsProcessingOutputNumber, "FAILED", "Products failed"),
        (QgsProcessingOutputNumber, "BYTES", "Bytes transferred"),
        (QgsProcessingOutputFile, "MANIFEST", "Manifest"),
    )
