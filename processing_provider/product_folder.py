"""The folder with HyP3 products that an algorithm reads."""

from pathlib import Path

from qgis.core import QgsProcessingParameterFile

from .translation import tr

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
            "Folder that holds HyP3 products, as unpacked folders or as zip files, directly or "
            "one level down. Other files in it are ignored."
        ),
    )


def check_product_folder(values):
    """Return a sentence where the folder does not exist."""
    folder = values.text(INPUT)
    if folder and not Path(folder).expanduser().is_dir():
        return tr("INPUT is {folder}, but there is no such folder.").format(folder=folder)
    return ""
