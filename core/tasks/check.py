"""Task ``check``: find out whether the interpreter has everything that the other tasks need."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..errors import StackError
from ..run.reporter import Reporter, stop_if_canceled
from ..run.surroundings import environment_remedy

PACKAGES: Mapping[str, str] = {
    "numpy": "numpy",
    "dask": "dask.array",
    "xarray": "xarray",
    "zarr": "zarr",
    "numcodecs": "numcodecs.blosc",
    "netCDF4": "netCDF4",
    "h5py": "h5py",
    "isal": "isal.isal_zlib",
    "pyproj": "pyproj",
    "rasterio": "rasterio",
    "rioxarray": "rioxarray",
    "requests": "requests",
    "hyp3_sdk": "hyp3_sdk",
    "asf_search": "asf_search",
}
"""Package name and the module whose import shows that it works."""


def run(
    parameters: Mapping[str, Any], credentials: Mapping[str, str] | None, reporter: Reporter
) -> dict[str, Any]:
    """Import every package and transform one point with both copies of PROJ.

    Returns
    -------
    dict
        ``PYTHON`` (path of the interpreter), ``VERSION`` (of Python) and ``PACKAGES`` (version by
        package name).

    Raises
    ------
    StackError
        If packages are missing or broken; all of them are named.
    """
    found: dict[str, str] = {}
    missing: list[str] = []
    for position, (package, module) in enumerate(PACKAGES.items()):
        stop_if_canceled(reporter)
        reporter.progress(100.0 * position / len(PACKAGES))
        try:
            importlib.import_module(module)
            found[package] = version(package)
        except (ImportError, OSError, PackageNotFoundError) as error:
            missing.append(
                package if isinstance(error, ModuleNotFoundError) else f"{package} ({error})"
            )
    if missing:
        raise StackError(
            f"The core environment ({sys.executable}) lacks: {', '.join(missing)}; "
            f"{environment_remedy(sys.prefix)}."
        )
    _check_projections()
    return {
        "PYTHON": sys.executable,
        "VERSION": platform.python_version(),
        "PACKAGES": found,
    }


def _check_projections() -> None:
    """Fail where a foreign PROJ database makes coordinates wrong or impossible."""
    from pyproj import Transformer
    from rasterio.warp import transform

    easting, northing = 500000.0, 0.0  # central meridian of zone 31 at the equator: 3 E, 0 N
    lon, lat = Transformer.from_crs(32631, 4326, always_xy=True).transform(easting, northing)
    (lon2,), (lat2,) = transform("EPSG:32631", "EPSG:4326", [easting], [northing])
    if max(abs(lon - 3), abs(lon2 - 3), abs(lat), abs(lat2)) > 1e-9:
        raise StackError(
            f"The core environment ({sys.executable}) transforms coordinates wrongly, probably "
            f"with a PROJ database of another program; {environment_remedy(sys.prefix)}."
        )
