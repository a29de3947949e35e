"""Handles inputs, each in a process that it forks: ``python -m tests.faults.child FOLDER``.

A line of standard input names a group and gives an input; a line of standard output says what came
of it. All that jobs import is imported before, so that an input takes as long as its job.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import tests.checkout  # noqa: F401 - registers the package hyp3_stack
from hyp3_stack.core.run.worker import _MODULES

from .groups import GROUPS
from .outcomes import BROKEN, CRASH, HANG, MEMORY

LIMIT_SECONDS = 150.0
"""For one input; whatever a core does not end by itself ends within 60 seconds."""

LIMIT_MEGABYTES = 1500
"""The default of MEMORY and 500."""

_ADDRESSES = 8 << 30
"""Bytes of addresses that an input may take, so that none stops the computer."""


def handle(folder: Path, group: str, recipe: Any) -> dict[str, Any]:
    """Handle an input in a process of its own."""
    here, answer = folder / "here", folder / "answer"
    shutil.rmtree(here, ignore_errors=True)
    here.mkdir()
    answer.unlink(missing_ok=True)
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        _handle_and_leave(folder, here, answer, group, recipe)
    ended = 0
    while not ended and time.monotonic() - begin < LIMIT_SECONDS:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if not ended:
            time.sleep(0.005)
    seconds = time.monotonic() - begin
    try:
        os.killpg(child, signal.SIGKILL)  # and what it started
    except ProcessLookupError:
        pass
    if not ended:
        _, status, usage = os.wait4(child, 0)
    megabytes = round(usage.ru_maxrss / 1024)
    if not ended:
        kind, text = HANG, f"no end within {LIMIT_SECONDS:.0f} seconds"
    elif os.WIFSIGNALED(status):
        kind, text = CRASH, f"signal {os.WTERMSIG(status)}"
    elif status or not answer.is_file():
        kind, text = BROKEN, (here / "trace").read_text()
    else:
        kind, text = json.loads(answer.read_bytes())
        if megabytes > LIMIT_MEGABYTES:
            kind, text = MEMORY, f"{megabytes} MB: {text}"
    return {"kind": kind, "text": text, "megabytes": megabytes, "seconds": seconds}


def _handle_and_leave(folder: Path, here: Path, answer: Path, group: str, recipe: Any) -> None:
    try:
        os.setpgid(0, 0)
        os.chdir(here)
        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        answer.write_text(json.dumps(GROUPS[group].run(folder / group, here, recipe)))
    except BaseException:
        (here / "trace").write_text(traceback.format_exc())
        os._exit(1)
    os._exit(0)


def serve(folder: Path) -> None:
    """Handle inputs until there are no more."""
    for module in _MODULES.values():
        importlib.import_module(f"hyp3_stack.core.tasks.{module}")
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        group, recipe = json.loads(line)
        print(json.dumps(handle(folder, group, recipe)), flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
