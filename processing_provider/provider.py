"""The Processing provider ``hyp3``."""

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .build_stack import BuildStack
from .download_products import DownloadProducts
from .find_jobs import FindJobs
from .harmonize_products import HarmonizeProducts
from .prepare_stack import PrepareStack
from .setup_environment import SetupEnvironment

ICON = Path(__file__).resolve().parents[1] / "icon.svg"

ALGORITHMS = (
    SetupEnvironment,
    FindJobs,
    DownloadProducts,
    HarmonizeProducts,
    BuildStack,
    PrepareStack,
)


class Provider(QgsProcessingProvider):
    """Lists the algorithms of HyP3 Stack."""

    def id(self):
        return "hyp3"

    def name(self):
        return "HyP3 Stack"

    def longName(self):
        return "HyP3 Stack"

    def icon(self):
        return QIcon(str(ICON))

    def svgIconPath(self):
        return str(ICON)

    def loadAlgorithms(self):
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
