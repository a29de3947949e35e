"""Algorithm ``hyp3:setupenvironment``."""

import sys

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputFile,
    QgsProcessingOutputFolder,
    QgsProcessingParameterFile,
)
from qgis.PyQt.QtCore import QLockFile

from .algorithm import StackAlgorithm, places
from .base_python import BasePythonError, choose
from .child_process import current_environment
from .core_process import CoreError
from .environment import EnvironmentBuilder
from .feedback import RunFeedback
from .network import proxies
from .translation import tr
from .values import Values


class SetupEnvironment(StackAlgorithm):
    """Makes the core environment in the QGIS profile."""

    PYTHON = "PYTHON"
    ENVIRONMENT = "ENVIRONMENT"

    NAME = "setupenvironment"
    TITLE = "Set up core environment"
    SUMMARY = "Installs the scientific packages of HyP3 Stack into an environment of their own."
    HELP = (
        "HyP3 Stack does its work outside of QGIS, with its own copies of rasterio, xarray, zarr, "
        "netCDF4 and others. This algorithm makes a virtual environment for them in the QGIS "
        "profile and installs exactly the versions of the plugin's lock file, each verified by "
        "its checksum. QGIS's own packages are not touched."
        "\n"
        "It needs a Python 3.11 to 3.13, access to the Python package index, 2 GB of disk space "
        "and a few minutes. Run it once after installing the plugin, and again when HyP3 Stack "
        "says that its environment is incomplete or was made for another version. A working "
        "environment is replaced only when the new one is complete."
        "\n"
        "The proxy of QGIS's options is used. The menu Plugins > HyP3 Stack checks the environment "
        "and removes it."
    )
    EXAMPLE = "qgis_process run hyp3:setupenvironment"
    TAGS = ("install", "dependencies", "packages", "python", "venv", "pip")
    NEEDS_CORE = False

    def initAlgorithm(self, configuration=None):
        self.add(
            QgsProcessingParameterFile(
                self.PYTHON,
                tr("Python program"),
                behavior=QgsProcessingParameterFile.Behavior.File,
                optional=True,
                # The default filter refuses names without a dot, and programs have none on Linux.
                fileFilter=tr("All files (*)"),
            ),
            tr(
                "Python 3.11 to 3.13 to base the environment on, for example /usr/bin/python3. "
                "Empty: one is searched on this computer."
            ),
        )
        self.addOutput(QgsProcessingOutputFolder(self.ENVIRONMENT, tr("Folder of the environment")))
        self.addOutput(QgsProcessingOutputFile(self.PYTHON, tr("Python of the environment")))

    def processAlgorithm(self, parameters, context, feedback):
        wanted = Values(self, parameters, context).text(self.PYTHON)
        target = places()
        target.home.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(str(target.home / "setup.lock"))
        # Only a process that has ended loses its lock, however long a set-up takes.
        lock.setStaleLockTime(0)
        if not lock.tryLock(0):
            raise QgsProcessingException(
                tr("Another set-up of the core environment is running; wait for its end.")
            )
        try:
            run = RunFeedback(feedback)
            environ = current_environment()
            base = choose(wanted, sys.platform, sys.exec_prefix, environ, run.isCanceled)
            python = EnvironmentBuilder(target, run, proxies()).build(base)
        except (BasePythonError, CoreError) as error:
            raise QgsProcessingException(str(error)) from None
        finally:
            lock.unlock()
        return {self.ENVIRONMENT: str(target.environment), self.PYTHON: python}
