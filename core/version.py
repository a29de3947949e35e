"""The version of the plugin, from the one place that holds it."""

from __future__ import annotations

import configparser
from pathlib import Path


def plugin_version() -> str:
    """Return the version in ``metadata.txt``, ``unknown`` where the core runs without that file."""
    metadata = configparser.ConfigParser(interpolation=None)
    metadata.read(Path(__file__).resolve().parents[1] / "metadata.txt", encoding="utf-8")
    return metadata.get("general", "version", fallback="unknown")
