"""Marks of runs, and whether the run that left one is still alive."""

from __future__ import annotations

import json
import os
import socket
import uuid
from pathlib import Path


def new_mark(job: str = "") -> bytes:
    """Return a mark that no other run leaves, which shows later whether its run is dead.

    Parameters
    ----------
    job
        What runs of the same job share, see :func:`job_of`.
    """
    facts = {"run": uuid.uuid4().hex, "system": this_system(), "process": os.getpid(), "job": job}
    return json.dumps(facts).encode()


def job_of(mark: bytes | None) -> str:
    """Return the job of the run that left a mark; empty where that is not known."""
    try:
        return str(json.loads(mark or b"{}").get("job", ""))
    except (AttributeError, ValueError):
        return ""


def is_known_dead(mark: bytes) -> bool:
    """Return whether the run that left a mark has surely ended.

    False also for runs on other computers, and for a mark that is just being written, was cut off
    or is of an earlier version.
    """
    try:
        facts = json.loads(mark)
        return facts["system"] == this_system() and not is_alive(int(facts["process"]))
    except (KeyError, TypeError, ValueError):
        return False


def is_alive(process: int) -> bool:
    """Return whether a process of this computer runs; on Windows each is taken to."""
    if process == os.getpid():
        return True
    if os.name == "nt":
        # os.kill would end the process there; the leftover stays until its owner is surely gone.
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def this_system() -> str:
    """Return what distinguishes process ids here from those of other computers and containers.

    Names of hosts do not: containers may have the same, and each begins to count at 1.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{socket.gethostname()} {uuid.getnode()}"
