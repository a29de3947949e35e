"""Parameters of the core environment and of its way to the network."""

from __future__ import annotations

from typing import Final

from .parameter import Kind, Parameter

PYTHON: Final = Parameter(
    "PYTHON",
    Kind.FILE,
    "Python program",
    "Python 3.11 to 3.14 to base the environment on, for example /usr/bin/python3. Empty: "
    "one is searched on this computer.",
    # The filter of Qt's own refuses names without a dot, and programs have none on Linux.
    file_filter="All files (*)",
)

DEMO_FOLDER: Final = Parameter(
    "OUTPUT",
    Kind.NEW_FOLDER,
    "Folder for the demo",
    "Takes the sample products, their stack and its report, 40 MB. A temporary folder goes when "
    "QGIS is closed.",
    required=True,
)

PROXIES: Final = Parameter("PROXIES", Kind.ADDRESSES, private=True)
"""Addresses of proxies by scheme, from the options of QGIS."""
