"""Runs the core where the system refuses some calls, as network file systems do.

``python refused_calls.py flock=ENOLCK,fsync=EINVAL JOB.json``
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

_NUMBERS = {
    "x86_64": {"flock": 73, "fsync": 74},
    "aarch64": {"flock": 32, "fsync": 82},
}
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_LOAD, _IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ERROR, _ALLOW = 0x00050000, 0x7FFF0000


def refuse(calls: dict[str, str]) -> None:
    """Let system calls fail in this process and its children, by name of call and error."""
    numbers = _NUMBERS[platform.machine()]
    program = [(_LOAD, 0, 0, 0)]
    for name, code in calls.items():
        program += [
            (_IF_EQUAL, 0, 1, numbers[name]),
            (_RETURN, 0, 0, _ERROR | getattr(errno, code)),
        ]
    program.append((_RETURN, 0, 0, _ALLOW))
    code = b"".join(struct.pack("HBBI", *line) for line in program)
    lines = ctypes.create_string_buffer(code)
    rule = struct.pack("HxxxxxxP", len(program), ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    for option, value, more in (
        (_SET_NO_NEW_PRIVILEGES, 1, 0),
        (_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(rule)),
    ):
        if libc.prctl(option, value, more, 0, 0):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def start(calls: str, job: Path, task: str, **parameters: Any) -> subprocess.Popen[str]:
    """Start a task in a process for which these calls fail."""
    job.write_text(json.dumps({"protocol": 1, "task": task, "parameters": parameters}))
    return subprocess.Popen(
        [sys.executable, __file__, calls, str(job)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(calls: str, job: Path, task: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
    """Run such a task; return exit code and last message."""
    with start(calls, job, task, **parameters) as process:
        answer, log = process.communicate(timeout=300)
    assert answer and "Traceback" not in log, log
    return process.returncode, json.loads(answer.splitlines()[-1])


if __name__ == "__main__":
    refuse(dict(item.split("=") for item in sys.argv[1].split(",")))
    core = Path(__file__).resolve().parents[2] / "core"
    os.execv(sys.executable, [sys.executable, str(core), sys.argv[2]])
