"""What takes long to make is made once a session; also for tests in QGIS's Python."""

from __future__ import annotations

import fcntl
import os
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

Made = TypeVar("Made")


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """Return what is made once for all processes of a session of tests; nobody may change it.

    Parameters
    ----------
    factory
        Gives the folder of the session.
    name
        Names what is made.
    make
        Makes it in a folder of its own.
    """
    own = factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "shared"
    shared.mkdir(exist_ok=True)
    made = shared / f"{name}.pickle"
    with open(shared / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            result = make(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=shared)))
            made.write_bytes(pickle.dumps(result))
        return pickle.loads(made.read_bytes())
