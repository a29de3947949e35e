"""How GDAL writes paths inside the names of subdatasets: ``ZARR:"path":/group/array``."""

import re

QUOTED = r'"(?P<path>(?:[^"\\]|\\.)+)"'
"""Pattern of a path in double quotes."""


def quoted(path):
    """Return a path in double quotes, with a backslash before each quote and backslash in it.

    GDAL's Zarr driver understands that; its NetCDF driver takes no path with a double quote.
    """
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def unquoted(text):
    """Return the path that stands between the quotes."""
    return re.sub(r'\\(["\\])', r"\1", text)
