"""Which core environment the QGIS of this process uses."""

import os
import sys
from pathlib import Path

from qgis.core import QgsApplication, QgsSettings

from .interpreter import SETTING, Places, resolve


def places():
    """Return where the core environment of the current QGIS profile lives."""
    return Places(Path(QgsApplication.qgisSettingsDirPath()))


def core_python():
    """Return the interpreter of the core environment, or raise InterpreterError."""
    setting = QgsSettings().value(SETTING, None)
    return resolve(os.environ, setting, places(), sys.platform)
