"""Where the Help button of an algorithm's dialog leads."""

from configparser import ConfigParser
from functools import lru_cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_NOT_YET = "https://github.com/hyp3-stack/hyp3-stack"
"""Homepage in metadata.txt until the plugin has one; nothing answers there."""


@lru_cache(maxsize=1)
def help_url():
    """Return the plugin's homepage, or the README that came with it, or nothing."""
    return find_help(_ROOT)


def find_help(root):
    """Return what :func:`help_url` does, for a plugin in the folder ``root``."""
    metadata = ConfigParser()
    metadata.read(root / "metadata.txt", encoding="utf-8")
    homepage = metadata.get("general", "homepage", fallback="").strip().rstrip("/")
    if homepage and homepage != _NOT_YET:
        return homepage
    readme = root / "README.md"
    return readme.as_uri() if readme.is_file() else ""
