"""What other software has set for its own Python, PROJ and GDAL, which must not count here.

This module depends on the standard library only, because the QGIS side starts the core without it.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

MARKER = "hyp3_stack.lock.sha256"
"""File in an environment that hyp3:setupenvironment has made and completed."""

# PROJ and GDAL read any of their options from the environment: a database of another version, but
# also PROJ_NETWORK, with which coordinates would depend on the network, GTIFF_POINT_GEO_IGNORE,
# which moves rasters by half a pixel, or GTIFF_IGNORE_READ_ERRORS, which hides damage.
_FOREIGN = ("PYTHON", "PROJ_", "GDAL_", "GTIFF_", "TIFF_", "OGR_", "OSR_", "CPL_", "VSI_")
# With this macOS lets a framework Python know what started it; a virtual environment that
# inherits it takes QGIS's packages for its own.
_FOREIGN_NAMES = ("__PYVENV_LAUNCHER__",)

# Of Earthdata, AWS, QGIS's authentication database, and what other software names so.
_SECRET = re.compile(
    r"^(EARTHDATA|AWS|QGIS_AUTH)_|TOKEN|PASSW|PASSPHRASE|SECRET|CREDENTIAL|API_?KEY|ACCESS_?KEY"
)


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without what other software sets for its own Python, PROJ and GDAL."""
    return {
        name: value
        for name, value in environ.items()
        if not name.upper().startswith(_FOREIGN) and name not in _FOREIGN_NAMES
    }


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` without credentials, for programs that need none.

    Settings of pip itself, such as the address of a company's index, stays.
    """
    return {
        name: value
        for name, value in environ.items()
        if name.upper().startswith("PIP_") or not _SECRET.search(name.upper())
    }


def drop_foreign_variables() -> None:
    """Take them out of this process, before PROJ and GDAL are loaded."""
    for name in os.environ.keys() - clean_environment(os.environ).keys():
        del os.environ[name]


def prefer_own_packages() -> None:
    """Let packages of this environment win over those of ``PYTHONPATH``, which stay at hand."""
    given = os.environ.get("PYTHONPATH")
    if given:
        others = set(map(os.path.abspath, given.split(os.pathsep)))
        # Behind the standard library as well; the sort is stable.
        sys.path.sort(key=lambda entry: os.path.abspath(entry) in others)


def environment_remedy(prefix: str | Path) -> str:
    """Return what to do about packages of an environment that are missing or do not work.

    Parameters
    ----------
    prefix
        Folder of the environment. Setting up another one does not help where this one was chosen.
    """
    if (Path(prefix) / MARKER).is_file():
        return "run hyp3:setupenvironment"
    return (
        f"install requirements.lock of the plugin into {prefix}, or choose no Python by "
        "HYP3_STACK_PYTHON or hyp3_stack/python and run hyp3:setupenvironment"
    )
