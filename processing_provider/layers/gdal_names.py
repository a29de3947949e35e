"""How GDAL writes paths inside the names of subdatasets: ``ZARR:"path":/group/array``."""

import os
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


def source_begin(path, group):
    """Return what stands before the name of a variable where GDAL opens it as a raster.

    ``group`` is that of a Zarr store, empty for a NetCDF file.
    """
    return f"{path}/{group}/" if group else f'NETCDF:"{path}":'


def slices_begin(path, group):
    """Return what stands before name and number where GDAL opens a slice of a Zarr array."""
    return f"ZARR:{quoted(path)}:/{group}/"


_DETOUR = f"{os.sep}.{os.sep}"


def fresh_path(path):
    """Return another spelling of a path, under which nobody has opened the file yet."""
    return f"{path.parent}{_DETOUR}{path.name}"


def usual_source(source):
    """Return a source in which a path is spelled as usual."""
    return source.replace(_DETOUR, os.sep)
