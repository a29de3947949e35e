"""The Processing provider ``hyp3``."""

from configparser import ConfigParser
from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from .algorithms.assess_stack import AssessStack
from .algorithms.build_stack import BuildStack
from .algorithms.demo_stack import DemoStack
from .algorithms.download_products import DownloadProducts
from .algorithms.export_stack import ExportStack
from .algorithms.find_jobs import FindJobs
from .algorithms.harmonize_products import HarmonizeProducts
from .algorithms.invert_stack import InvertStack
from .algorithms.load_stack import LoadStack
from .algorithms.ordering.order_pairs import OrderPairs
from .algorithms.ordering.plan_pairs import PlanPairs
from .algorithms.ordering.resubmit_jobs import ResubmitJobs
from .algorithms.ordering.search_scenes import SearchScenes
from .algorithms.ordering.watch_jobs import WatchJobs
from .algorithms.prepare_stack import PrepareStack
from .algorithms.setup_environment import SetupEnvironment
from .layers.gdal_s3 import connect_remembered

_ROOT = Path(__file__).resolve().parents[1]
_ICON = str(_ROOT / "icon.svg")

ALGORITHMS = (
    SetupEnvironment,
    SearchScenes,
    PlanPairs,
    OrderPairs,
    WatchJobs,
    ResubmitJobs,
    DemoStack,
    FindJobs,
    DownloadProducts,
    HarmonizeProducts,
    BuildStack,
    PrepareStack,
    LoadStack,
    InvertStack,
    ExportStack,
    AssessStack,
)


class Provider(QgsProcessingProvider):
    """Lists the algorithms of HyP3 Stack."""

    def id(self):
        return "hyp3"

    def name(self):
        return "HyP3 Stack"

    def longName(self):
        return f"HyP3 Stack {self.versionInfo()}"

    def versionInfo(self):
        metadata = ConfigParser()
        metadata.read(_ROOT / "metadata.txt", encoding="utf-8")
        return metadata.get("general", "version", fallback="")

    def icon(self):
        return QIcon(_ICON)

    def svgIconPath(self):
        return _ICON

    def loadAlgorithms(self):
        connect_remembered()
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
