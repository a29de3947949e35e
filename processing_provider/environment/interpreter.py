"""Finds the Python interpreter of the core environment.

Needs the standard library only and takes platform, environment and folders as arguments, so that
every platform's rules are tested on any of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ...core.run.surroundings import MARKER

ENVIRONMENT_VARIABLE = "HYP3_STACK_PYTHON"
SETTING = "hyp3_stack/python"

FOLDER = "hyp3_stack"
ENVIRONMENT = "environment"
UNFINISHED = "environment.new"

LOCK_FILE = Path(__file__).resolve().parents[2] / "requirements.lock"

_REMEDY = "run hyp3:setupenvironment (menu Plugins > HyP3 Stack > Core environment > Set up)"


class InterpreterError(Exception):
    """There is no usable interpreter; the message is one sentence for the user."""


class EnvironmentNeededError(InterpreterError):
    """The managed environment is missing, unfinished or outdated: a set-up helps."""


@dataclass(frozen=True)
class Places:
    """Where a managed environment lives: ``profile`` is the QGIS profile's folder."""

    profile: Path
    lock: Path = LOCK_FILE

    @property
    def home(self) -> Path:
        """Folder of everything that belongs to this plugin in the profile."""
        return self.profile / FOLDER

    @property
    def environment(self) -> Path:
        """The finished environment."""
        return self.home / ENVIRONMENT

    @property
    def unfinished(self) -> Path:
        """The environment while it is being made."""
        return self.home / UNFINISHED


def environment_python(environment: Path, platform: str) -> Path:
    """Return the interpreter of a virtual environment on ``platform`` (as in sys.platform)."""
    if platform == "win32":
        return environment / "Scripts" / "python.exe"
    return environment / "bin" / "python3"


def lock_digest(lock: Path) -> str:
    """Return the SHA-256 of a lock file; line ends do not matter."""
    return hashlib.sha256(lock.read_bytes().replace(b"\r\n", b"\n")).hexdigest()


def resolve(environ: Mapping[str, str], setting: str | None, places: Places, platform: str) -> str:
    """Return the path of the interpreter to use.

    In this order: the variable HYP3_STACK_PYTHON, the plugin's setting, the managed environment.
    Raises InterpreterError with what to do about it.
    """
    chosen = environ.get(ENVIRONMENT_VARIABLE, "").strip()
    if chosen:
        source = f"the environment variable {ENVIRONMENT_VARIABLE}"
        return _checked(chosen, source, "correct or unset it", platform)
    if setting and setting.strip():
        return _checked(setting.strip(), f"the setting {SETTING}", "correct or clear it", platform)
    return _managed(places, platform)


def _checked(python: str, source: str, remedy: str, platform: str) -> str:
    path = Path(python).expanduser()
    if not path.is_file():
        raise InterpreterError(
            f"The Python interpreter {path}, given by {source}, does not exist; {remedy}."
        )
    if not is_executable(path, platform):
        raise InterpreterError(
            f"The file {path}, given by {source}, is not an executable program; {remedy}."
        )
    return str(path.absolute())


def is_executable(path: Path, platform: str) -> bool:
    """Return whether a file can be started as a program on ``platform``."""
    if platform == "win32":
        return path.suffix.lower() == ".exe"
    return os.access(path, os.X_OK)


def _managed(places: Places, platform: str) -> str:
    folder = places.environment
    python = environment_python(folder, platform)
    marker = folder / MARKER
    if not folder.exists():
        if places.unfinished.exists():
            raise EnvironmentNeededError(
                f"The set-up of the core environment was interrupted or is still running; "
                f"wait for it, or {_REMEDY} again."
            )
        raise EnvironmentNeededError(
            f"HyP3 Stack needs its core environment, which is not set up yet; {_REMEDY}."
        )
    if not marker.is_file() or not python.is_file() or not is_executable(python, platform):
        raise EnvironmentNeededError(
            f"The core environment in {folder} is incomplete; {_REMEDY} to rebuild it."
        )
    if marker.read_text(encoding="utf-8").strip() != lock_digest(places.lock):
        raise EnvironmentNeededError(
            "The core environment was made for another version of HyP3 Stack; "
            f"{_REMEDY} to update it."
        )
    return str(python)
