"""Versions and paths for a bug report, without the name of the user."""

import platform
from configparser import ConfigParser
from pathlib import Path

from osgeo import gdal
from qgis.core import Qgis
from qgis.PyQt.QtCore import QT_VERSION_STR

_METADATA = Path(__file__).resolve().parents[2] / "metadata.txt"


def bug_report(outputs, error):
    """Return what is installed, as text.

    ``outputs`` are those of the core's task ``check``, or None with the ``error`` that it gave.
    """
    metadata = ConfigParser()
    metadata.read(_METADATA, encoding="utf-8")
    lines = [
        f"HyP3 Stack {metadata.get('general', 'version', fallback='?')}",
        f"QGIS {Qgis.version()}, Qt {QT_VERSION_STR}, GDAL {gdal.__version__}",
        f"Python of QGIS {platform.python_version()} on {platform.platform()}",
    ]
    if outputs is None:
        lines.append(f"Core environment: {error}")
    else:
        lines.append(f"Core environment: Python {outputs['VERSION']}, {outputs['PYTHON']}")
        lines += [f"{name} {number}" for name, number in outputs["PACKAGES"].items()]
    return "\n".join(lines).replace(str(Path.home()), "~")
