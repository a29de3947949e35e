"""Whether the environments of workers and of this computer give the same results."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import ClusterError

PACKAGES = (
    "numpy",
    "xarray",
    "zarr",
    "numcodecs",
    "rasterio",
    "rioxarray",
    "pyproj",
    "shapely",
    "h5py",
    "netCDF4",
    "isal",
)
"""What pieces of a build run with, besides Python and Dask."""

_REMEDY = "install requirements.lock of the plugin for all workers"

Versions = Mapping[str, str | None]


def compare_versions(here: Versions, workers: Mapping[str, Versions]) -> str:
    """Compare versions by name of the package, ``python`` for that of the interpreter.

    Parameters
    ----------
    here
        Versions of this process.
    workers
        Versions of each worker by address; None where a package is missing.

    Returns
    -------
    str
        A warning where versions differ in what should not matter; else nothing.

    Raises
    ------
    ClusterError
        If a package is missing, or belongs to another series: results are sent as pickles, which
        last within one series of Python (the first two numbers) or of a package (the first one).
    """
    differing: set[str] = set()
    for address, there in workers.items():
        for name in ("python", "dask", "distributed", *PACKAGES):
            own, other = here.get(name), there.get(name)
            if own is None or own == other:
                continue
            if other is None:
                raise ClusterError(
                    f"The Dask worker {address} lacks the package {name}; {_REMEDY}."
                )
            if _series(name, own) != _series(name, other):
                raise ClusterError(
                    f"The Dask worker {address} has {name} {_short(other)}, but this computer has "
                    f"{_short(own)}; {_REMEDY}."
                )
            differing.add(f"{name} {_short(other)} for {_short(own)}")
    if not differing:
        return ""
    listed = ", ".join(sorted(differing))
    return (
        f"Dask workers have other versions than this computer ({listed}), so that values may "
        f"differ in their last digits; {_REMEDY}."
    )


def _series(name: str, version: str) -> list[str]:
    return version.split(".")[: 2 if name == "python" else 1]


def _short(version: str) -> str:
    """Return a version without the words that Python's own has."""
    return version.partition(".final")[0]
