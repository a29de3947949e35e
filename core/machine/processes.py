"""Whether the run that left a mark is still alive."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path


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
