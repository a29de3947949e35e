"""The plugin object that QGIS creates: registers the Processing provider and menu entries."""

from qgis.core import QgsApplication

from .processing_provider.environment_menu import EnvironmentMenu
from .processing_provider.layers.virtual_raster import MovedStores
from .processing_provider.menu import MenuEntries
from .processing_provider.provider import Provider
from .processing_provider.time_series.frame_label import FrameLabel
from .processing_provider.time_series.plugin_part import TimeSeries
from .processing_provider.watching.watch_part import JobWatch

MENU = "HyP3 Stack"


class Hyp3StackPlugin:
    """Registers the provider; ``iface`` is None under ``qgis_process``."""

    def __init__(self, iface):
        self.iface = iface
        self.provider = None
        self.algorithms = self.more = None
        self.environment_menu = None
        self.time_series = None
        self.job_watch = None
        self.moved_stores = None
        self.frame_label = None

    def initProcessing(self):
        """Add the provider; all that ``qgis_process`` calls."""
        self.provider = Provider()
        QgsApplication.processingRegistry().addProvider(self.provider)

    def initGui(self):
        """Add the provider and the menu entries."""
        self.initProcessing()
        if self.iface is None:
            return
        given = (self.iface, MENU, self.provider.icon())
        # QGIS keeps the order of a plugin's entries: that of the work.
        self.algorithms = MenuEntries(*given)
        self.algorithms.add_algorithms("findjobs")
        self.job_watch = JobWatch(*given)
        self.algorithms.add_algorithms("preparestack", "buildstack", "invertstack", "loadstack")
        self.time_series = TimeSeries(self.iface, MENU)
        self.environment_menu = EnvironmentMenu(*given)
        self.more = MenuEntries(*given)
        self.more.add_algorithms("demostack")
        self.more.add_help()
        self.moved_stores = MovedStores()
        self.frame_label = FrameLabel(self.iface)

    def unload(self):
        """Remove what was added."""
        if self.time_series is not None:
            self.time_series.unload()
            self.time_series = None
        if self.job_watch is not None:
            self.job_watch.unload()
            self.job_watch = None
        if self.frame_label is not None:
            self.frame_label.unload()
            self.frame_label = None
        if self.moved_stores is not None:
            self.moved_stores.unload()
            self.moved_stores = None
        if self.environment_menu is not None:
            self.environment_menu.unload()
            self.environment_menu = None
        for entries in filter(None, (self.algorithms, self.more)):
            entries.unload()
        self.algorithms = self.more = None
        if self.provider is not None:
            QgsApplication.processingRegistry().removeProvider(self.provider)
            self.provider = None
