"""Tries out in a process of its own whether GDAL survives a file, before QGIS opens it.

A damaged NetCDF file or Zarr store can end the process that opens it, inside of GDAL or HDF5. No
other library knows whether it does: the trial asks the GDAL of QGIS, in the Python of QGIS.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal

from .child_process import STDOUT, ChildProcess, parse_message

_SCRIPT = Path(__file__).with_name("gdal_trial.py")

SILENT_SECONDS = 60.0
"""How long GDAL may be busy with one array or block before the trial counts as failed."""

_CONFIG = ("GDAL_SKIP", "GDAL_HTTP_PROXY", "GDAL_HTTP_PROXYUSERPWD", "GDAL_HTTP_PROXY_AUTH")
"""Options that QGIS sets for its whole process."""

_ABORTED_ON_WINDOWS = 3

# What GDAL reads past the end of its own memory decides whether it crashes: new memory of the GNU C
# library is filled with this, so that the trial does not survive by luck what QGIS would not.
_ENVIRONMENT = {"MALLOC_PERTURB_": "165"}


@dataclass(frozen=True)
class Verdict:
    """GDAL's words where it ``refused`` a stack, and how the trial was ``killed``, if it was."""

    refused: str = ""
    killed: str = ""
    is_canceled: bool = False


def try_out(path, sources, slices, stores, feedback=None, pythons=None):
    """Return the verdict on a stack.

    ``path`` is what GDAL opens; ``sources`` are the beginnings of the names of its layers by group,
    ``slices`` says whether these name slices of 3-D arrays. ``stores`` are options of GDAL by
    their path prefix. Where none of ``pythons`` has QGIS's GDAL, ``feedback`` is warned.
    """
    config = {name: gdal.GetConfigOption(name) for name in _CONFIG}
    job = {
        "path": str(path),
        "sources": sources,
        "slices": slices,
        "stores": stores,
        "config": {name: value for name, value in config.items() if value is not None},
    }
    for python in own_pythons() if pythons is None else pythons:
        try:
            child = ChildProcess(
                [str(python), str(_SCRIPT)], {**os.environ, **_ENVIRONMENT}, json.dumps(job) + "\n"
            )
        except OSError:
            continue
        try:
            verdict = _watch(child, feedback)
        finally:
            child.stop(grace=0.0)
        if verdict is not None:
            return verdict
    if feedback is not None:
        feedback.pushInfo(
            "The Python of QGIS was not found, so that the stack is opened without a trial: if "
            "it is damaged, QGIS may end."
        )
    return Verdict()


def own_pythons(platform=sys.platform, prefix=sys.exec_prefix, program=sys.executable):
    """Return where the Python that runs inside of QGIS may lie as a program, best first.

    On Windows and macOS, ``program`` is QGIS itself.
    """
    beside = Path(program or prefix).parent
    if platform == "win32":
        names, folders = ("python.exe", "python3.exe"), (Path(prefix), beside)
    else:
        version = ".".join(map(str, sys.version_info[:2]))
        names = (f"python{version}", "python3", "python")
        folders = (Path(prefix) / "bin", beside, beside / "bin")
    found = [folder / name for folder in folders for name in names]
    if program and Path(program).name.lower().startswith("python"):
        found.insert(0, Path(program))
    return [path for path in dict.fromkeys(found) if path.is_file()]


def _watch(child, feedback):
    """Wait for a child to end and return the verdict, None where it has another GDAL or none."""
    heard = time.monotonic()
    said = {}
    for item in child.lines():
        if item is not None and item[0] == STDOUT:
            heard = time.monotonic()
            said.update(parse_message(item[1]))
            if said.get("version", gdal.VersionInfo()) != gdal.VersionInfo():
                return None
        if feedback is not None and feedback.isCanceled():
            return Verdict(is_canceled=True)
        if time.monotonic() - heard > SILENT_SECONDS:
            text = f"GDAL, tried out on it, did not get on for {SILENT_SECONDS:.0f} seconds"
            return Verdict(killed=text)
    child.wait(1.0)
    if "version" not in said:
        return None
    return Verdict(said.get("refused", ""), _describe(child.returncode))


def _describe(returncode):
    if returncode == 0:
        return ""
    if returncode is not None and returncode < 0:
        how = f"signal {-returncode}"
    elif sys.platform == "win32" and returncode != _ABORTED_ON_WINDOWS:
        how = f"status 0x{(returncode or 0) & 0xFFFFFFFF:08X}"
    else:
        how = f"exit code {returncode}"
    return f"GDAL, tried out on it, ended with {how}"
