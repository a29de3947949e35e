"""Stacks that end the process which opens them: they are opened in a process of its own first.

A damaged file can crash HDF5 or netCDF-C, or keep them busy for ever; no check of ours knows which.
The other process is one more core process, whose answer says how far it got.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

from ..contract import PROTOCOL, Task
from ..errors import InvalidParameterError
from ..run.reporter import Reporter, stop_if_canceled
from ..run.surroundings import without_secrets

_CORE = Path(__file__).resolve().parents[1]

LIMIT_SECONDS = 60.0
"""Good stacks take less than a second, most of it for imports."""

_POLL_SECONDS = 0.05


def check_survival(path: Path, name: str, reporter: Reporter) -> None:
    """Check that opening a stack on disk does not end the process.

    What the other process cannot read is not read here: HDF5 may get over a damage once and crash
    on it the next time.

    Parameters
    ----------
    path
        NetCDF file or Zarr store.
    name
        Parameter that names it.

    Raises
    ------
    InvalidParameterError
        If the process crashed, ran out of memory, did not finish or could not read it.
    """
    job = {"protocol": PROTOCOL, "task": Task.TRY_STACK, "parameters": {"INPUT": str(path)}}
    with subprocess.Popen(
        [sys.executable, str(_CORE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as child:
        stdin, stdout = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
        try:
            # Standard input stays open: where this process is killed, its end cancels the other.
            stdin.write(json.dumps({**job, "interactive": True}).encode() + b"\n")
            stdin.flush()
            deadline = time.monotonic() + LIMIT_SECONDS
            while child.poll() is None and time.monotonic() < deadline:
                stop_if_canceled(reporter)
                time.sleep(_POLL_SECONDS)
            returncode = child.poll()
        except BrokenPipeError:
            returncode = child.wait()
        finally:
            child.kill()
        answers = stdout.read().splitlines()
    if returncode is None:
        how = f"did not finish within {LIMIT_SECONDS:.0f} seconds"
    elif returncode < 0 or not answers:
        how = f"crashed ({f'signal {-returncode}' if returncode < 0 else f'status {returncode}'})"
    else:
        answer = json.loads(answers[-1])
        if answer.get("kind") == InvalidParameterError.__name__:
            raise InvalidParameterError(answer["text"].replace("INPUT", name, 1))
        if answer.get("kind") != MemoryError.__name__:
            return
        how = "ran out of memory"
    raise InvalidParameterError(
        f"{name} is {path}, which is damaged: a process that opened it {how}; give a copy that is "
        "whole, or build the stack anew."
    )


def unreadable(parameter: str, place: Any, error: Exception) -> InvalidParameterError:
    """Return how it is said that something cannot be opened as a stack."""
    return InvalidParameterError(
        f"{parameter} is {place}, which cannot be read as a stack ({reason(error)}); give "
        "a .nc file or a .zarr folder that hyp3:buildstack wrote."
    )


def reason(error: Exception) -> str:
    """Return what a reader of files says, without the types of its paths."""
    text = re.sub(r"\w*Path\('(.*?)'\)", r"\1", " ".join(str(error).split()))
    return (text or type(error).__name__)[:200].rstrip(".")


def _environment() -> dict[str, str]:
    """Return variables without secrets, those of a proxy's address included."""
    return {
        name: value
        for name, value in without_secrets(os.environ).items()
        if not name.upper().endswith("_PROXY")
    }
