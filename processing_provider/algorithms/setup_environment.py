"""Algorithm ``hyp3:setupenvironment``."""

import sys
from contextlib import contextmanager

from qgis.core import (
    QgsProcessingException,
    QgsProcessingOutputFile,
    QgsProcessingOutputFolder,
)
from qgis.PyQt.QtCore import QLockFile

from ...core.run.surroundings import without_secrets
from ..environment.base_python import BasePythonError, choose
from ..environment.environment import EnvironmentBuilder
from ..environment.in_use import places
from ..parameters.job_values import Values
from ..process.child_process import current_environment
from ..process.core_process import CoreError
from ..process.feedback import RunFeedback
from .algorithm import StackAlgorithm, ToolboxGroup


@contextmanager
def set_up_lock(target):
    """Keep other set-ups and removals of the environment out.

    Raises QgsProcessingException where one is under way, or its folder cannot be written to.
    """
    lock = QLockFile(str(target.home / "setup.lock"))
    # Only a process that has ended loses its lock, however long a set-up takes.
    lock.setStaleLockTime(0)
    try:
        target.home.mkdir(parents=True, exist_ok=True)
        is_ours = lock.tryLock(0)
        if not is_ours and lock.error() != QLockFile.LockError.LockFailedError:
            raise OSError("no lock can be made in it")
    except OSError as error:
        raise QgsProcessingException(
            f"The core environment cannot be changed in {target.home} "
            f"({error.strerror or error}); make that a folder that you may write to."
        ) from None
    if not is_ours:
        raise QgsProcessingException(
            "A set-up of the core environment is running; cancel it or wait for its end."
        )
    try:
        yield
    finally:
        lock.unlock()


class SetupEnvironment(StackAlgorithm):
    """Makes the core environment in the QGIS profile."""

    NAME = "setupenvironment"
    TITLE = "Set up core environment"
    GROUP = ToolboxGroup.SET_UP
    SUMMARY = "Installs the scientific packages of HyP3 Stack into an environment of their own."
    HELP = (
        "HyP3 Stack does its work outside of QGIS, with its own copies of rasterio, xarray, zarr, "
        "netCDF4 and others. This algorithm makes a virtual environment for them in the QGIS "
        "profile and installs exactly the versions of the plugin's lock file, each verified by "
        "its checksum. QGIS's own packages are not touched."
        "\n"
        "It needs a Python 3.11 to 3.14, access to the Python package index, 2 GB of disk space "
        "and a few minutes. Run it once after installing the plugin, and again when HyP3 Stack "
        "says that its environment is incomplete or was made for another version. A working "
        "environment is replaced only when the new one is complete."
        "\n"
        "The proxy of QGIS's options is used, and pip's own configuration of index, certificate "
        "and proxy counts. Only wheels are installed, and pip gets no credentials of the "
        "environment, such as EARTHDATA_TOKEN. The menu Plugins > HyP3 Stack checks the core "
        "environment and removes it."
    )
    EXAMPLE = "qgis_process run hyp3:setupenvironment"
    TAGS = ("install", "dependencies", "packages", "python", "venv", "pip")
    NEEDS_CORE = False

    OUTPUTS = (
        (QgsProcessingOutputFolder, "ENVIRONMENT", "Folder of the environment"),
        (QgsProcessingOutputFile, "PYTHON", "Python of the environment"),
    )

    def is_online(self, values):
        return True

    def processAlgorithm(self, parameters, context, feedback):
        wanted = Values(self, parameters, context).text("PYTHON")
        target = places()
        with set_up_lock(target):
            try:
                run = RunFeedback(feedback)
                environ = without_secrets(current_environment())
                base = choose(wanted, sys.platform, sys.exec_prefix, environ, run.isCanceled)
                builder = EnvironmentBuilder(target, run, self.proxies, self.proxy_login)
                python = builder.build(base)
            except (BasePythonError, CoreError) as error:
                raise QgsProcessingException(self.said(str(error))) from None
        return {"ENVIRONMENT": str(target.environment), "PYTHON": python}
