"""Finds a Python that a core environment can be based on.

Needs the standard library only and takes the platform as argument, so that every platform's rules
are tested on any of them.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..process.child_process import ChildProcess

OLDEST = (3, 11)
NEWEST = (3, 14)
_PREFERRED = ("3.12", "3.13", "3.14", "3.11")

_PROBE = (
    "import sys, importlib.util as u; "
    "print('hyp3', *sys.version_info[:2], int(all(map(u.find_spec, ('venv', 'ensurepip')))))"
)
_PROBE_SECONDS = 60


class BasePythonError(Exception):
    """No Python suits; the message is one sentence for the user."""


@dataclass(frozen=True)
class Probe:
    """What a Python says about itself: ``version`` is None if it cannot be started."""

    python: str
    version: tuple[int, int] | None = None
    has_venv: bool = False

    @property
    def supported(self) -> bool:
        """Return whether the lock file covers its version."""
        return self.version is not None and OLDEST <= self.version <= NEWEST


def candidates(platform: str, prefix: str, search_path: str | None) -> list[Path]:
    """Return the programs to try, best first.

    ``prefix`` is ``sys.exec_prefix`` of QGIS's Python. ``sys.executable`` is of no use: on Windows
    and macOS it is QGIS itself.
    """
    found = dict.fromkeys(
        path for path in _candidates(platform, Path(prefix), search_path) if path.is_file()
    )
    return list(found)


def _candidates(platform: str, prefix: Path, search_path: str | None) -> Iterator[Path]:
    if platform == "win32":
        yield prefix / "python.exe"
        yield prefix / "python3.exe"
        yield prefix / "Scripts" / "python.exe"
        names = ["python.exe", "python3.exe"]
    else:
        names = [*(f"python{version}" for version in _PREFERRED), "python3"]
        if platform == "darwin":
            yield from (prefix / "bin" / name for name in names)
            for version in _PREFERRED:
                framework = Path("/Library/Frameworks/Python.framework/Versions") / version
                yield framework / "bin" / f"python{version}"
            yield from (Path("/opt/homebrew/bin") / name for name in names)
        yield from (Path("/usr/local/bin") / name for name in names)
        yield from (Path("/usr/bin") / name for name in names)
        yield from (prefix / "bin" / name for name in names)
    for name in names:
        program = shutil.which(name, path=search_path)
        if program:
            yield Path(program)


def probe(
    python: str, environ: Mapping[str, str], is_canceled: Callable[[], bool] = lambda: False
) -> Probe:
    """Ask a Python for its version and whether it can make virtual environments.

    A program that does not end is given up after a minute, or at a cancel.
    """
    try:
        child = ChildProcess([python, "-I", "-c", _PROBE], environ)
    except OSError:
        return Probe(python)
    deadline = time.monotonic() + _PROBE_SECONDS
    found = None
    try:
        for item in child.lines():
            if is_canceled() or time.monotonic() > deadline:
                return Probe(python)
            found = found or (item and re.match(r"hyp3 (\d+) (\d+) ([01])\s*$", item[1]))
    finally:
        child.stop()
    if not found:
        return Probe(python)
    major, minor, has_venv = map(int, found.groups())
    return Probe(python, (major, minor), bool(has_venv))


def choose(
    wanted: str | None,
    platform: str,
    prefix: str,
    environ: Mapping[str, str],
    is_canceled: Callable[[], bool] = lambda: False,
) -> str:
    """Return a Python of a supported version that can make virtual environments.

    ``wanted`` is the user's choice; only that one is looked at then. Raises BasePythonError.
    """
    programs = [wanted] if wanted else map(str, candidates(platform, prefix, environ.get("PATH")))
    seen = []
    for python in programs:
        found = probe(python, environ, is_canceled)
        if is_canceled():
            raise BasePythonError("The set-up was canceled.")
        if found.supported and found.has_venv:
            return python
        seen.append(found)
    raise BasePythonError(_reason(seen, wanted, platform))


def _reason(seen: list[Probe], wanted: str | None, platform: str) -> str:
    versions = f"{'.'.join(map(str, OLDEST))} to {'.'.join(map(str, NEWEST))}"
    for found in seen:
        if found.supported:
            remedy = f"choose another Python {versions} as PYTHON"
            if platform == "linux":
                number = ".".join(map(str, found.version))
                remedy = f"install it (sudo apt install python{number}-venv), or {remedy}"
            return (
                f"{found.python} lacks the module venv or ensurepip, which makes virtual "
                f"environments; {remedy}."
            )
    if wanted and seen[0].version is None:
        return (
            f"PYTHON is {wanted}, but that cannot be started as a Python; choose the program of a "
            f"Python {versions}."
        )
    if wanted:
        number = ".".join(map(str, seen[0].version))
        return f"PYTHON is {wanted}, a Python {number}; HyP3 Stack needs {versions}."
    return (
        f"No Python {versions} was found on this computer; install one and choose its program "
        "as PYTHON."
    )
