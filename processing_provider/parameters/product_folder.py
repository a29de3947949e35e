"""The folder with HyP3 products that an algorithm reads."""

from pathlib import Path

from qgis.core import QgsProcessingParameterFile

from ..translation import tr

INPUT = "INPUT"


def add_product_folder(algorithm):
    """Declare INPUT."""
    algorithm.add(
        QgsProcessingParameterFile(
            INPUT,
            tr("Folder with HyP3 products"),
            behavior=QgsProcessingParameterFile.Behavior.Folder,
        ),
        tr(
            "Folder that holds HyP3 products, as unpacked folders, as zip files or as the files "
            "themselves, directly or one level down. Products are told by the names of their "
            "GeoTIFFs, whatever their folders and zips are called. Other files are ignored."
        ),
    )


def check_product_folder(values):
    """Return a sentence where the folder does not exist."""
    folder = values.text(INPUT)
    if folder and not Path(folder).expanduser().is_dir():
        return tr("INPUT is {folder}, but there is no such folder.").format(folder=folder)
    return ""
