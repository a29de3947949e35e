"""Runs one job in the core process: reads it, calls its task, answers with JSON lines."""

from __future__ import annotations

import errno
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from ..contract import EXIT_CANCELED, EXIT_FAILED, EXIT_OK, PACKAGE, PROTOCOL, Task
from ..errors import Canceled, InvalidParameterError, StackError
from .channel import Channel, Scrubber, Stdin
from .documents import LARGEST_DOCUMENT
from .ending import Ending
from .parameters import is_text, shown
from .reporter import Reporter
from .surroundings import drop_foreign_variables, environment_remedy, prefer_own_packages

USAGE = (
    "Usage: python core JOB.json, or python core with the job on standard input. A job "
    'reads {"protocol": 1, "task": "buildstack", '
    '"parameters": {"INPUT": "folder", "NETCDF": "stack.nc"}}.'
)

_MODULES = {
    value: name.lower()
    for name, value in vars(Task).items()
    if not name.startswith("_") and isinstance(value, str)
}
_FULL_DISK = tuple(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))


@dataclass(frozen=True)
class Job:
    """One run of one task."""

    task: str  # one of :class:`~hyp3_stack.core.contract.Task`
    parameters: Mapping[str, Any]  # values by upper-case parameter name
    # What services ask for; never written anywhere.
    credentials: Mapping[str, str] | None = field(default=None, repr=False)
    # Whether standard input stays open as control channel; its end then cancels the run.
    interactive: bool = False


def main(argv: Sequence[str]) -> int:
    """Run the job named in ``argv`` or given on standard input.

    The exit code is 0 done, 1 failed, 130 canceled.

    Parameters
    ----------
    argv
        Command line without the program: nothing, ``-`` or the path of a JSON file.
    """
    prefer_own_packages()
    drop_foreign_variables()
    # Progress bars would fill the log, and tqdm fails where there is no terminal.
    os.environ["TQDM_DISABLE"] = "1"
    # HDF5 opens no file where a file system knows no locks; runs keep each other out themselves.
    os.environ.setdefault("HDF5_USE_FILE_LOCKING", "FALSE")
    scrub = Scrubber()
    channel = Channel(scrub)
    ending = Ending(channel)

    def fail(code: int, text: str, error: BaseException) -> int:
        return ending.answer(code, lambda: channel.error(text, type(error).__name__))

    try:
        _stop_on_signals(channel)
        job, stdin = _read_job(argv)
        scrub.learn(job.credentials)
        if stdin is not None:
            stdin.watch(channel, end_cancels=job.interactive)
        task = _task(job.task)
        ending.begin()
        outputs = run_task(task, job.parameters, job.credentials, channel)
        return ending.answer(EXIT_OK, lambda: channel.result(outputs))
    except (Canceled, KeyboardInterrupt) as error:
        return fail(EXIT_CANCELED, str(error) or "The run was canceled.", Canceled())
    except StackError as error:
        return fail(EXIT_FAILED, str(error), error)
    except Exception as error:
        text = _sentence(error)
        if text is None:
            traceback.print_exc()
            text = _defect(error)
        return fail(EXIT_FAILED, text, error)
    finally:
        sys.stderr.flush()


def run_task(
    task: ModuleType,
    parameters: Mapping[str, Any],
    credentials: Mapping[str, str] | None,
    reporter: Reporter,
) -> dict[str, Any]:
    """Run a task, with the proxies of its job for every library."""
    proxies = parameters.get("PROXIES")
    if proxies is None:
        return task.run(parameters, credentials, reporter)
    # Not before it is needed: one task checks whether there are the packages at all.
    from .proxies import proxy_environment

    with proxy_environment(proxies, credentials):
        return task.run(parameters, credentials, reporter)


def parse_job(text: bytes, source: str) -> Job:
    """Return the job in a JSON document.

    Parameters
    ----------
    text
        The document, UTF-8.
    source
        What to call it in messages.

    Raises
    ------
    InvalidParameterError
        If it is not JSON, not a job, or of another protocol.
    """
    if len(text) > LARGEST_DOCUMENT:
        raise InvalidParameterError(f"{source} has more than {LARGEST_DOCUMENT:,} bytes. {USAGE}")
    try:
        document = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError):
            detail = f"line {error.lineno}: {error.msg}"
        elif isinstance(error, UnicodeDecodeError):
            detail = "not UTF-8"
        else:
            detail = "it is nested too deeply or has a number of too many digits"
        raise InvalidParameterError(f"{source} is not valid JSON ({detail}). {USAGE}") from None
    if not isinstance(document, dict):
        raise InvalidParameterError(f"{source} is not a JSON object. {USAGE}")
    protocol = document.get("protocol")
    if type(protocol) is not int or protocol != PROTOCOL:
        given = "no protocol" if protocol is None else f"the protocol {shown(protocol)}"
        raise InvalidParameterError(
            f"{source} has {given}, but this core understands {PROTOCOL}; restart QGIS if it has "
            f'just updated the plugin, or write "protocol": {PROTOCOL} into a job of your own.'
        )
    task = document.get("task")
    if not isinstance(task, str) or task not in _MODULES:
        raise InvalidParameterError(
            f"{source} asks for the task {shown(task)}, but there are only: {', '.join(_MODULES)}."
        )
    parameters = document.get("parameters", {})
    credentials = document.get("credentials")
    if not isinstance(parameters, dict) or not isinstance(credentials, (dict, type(None))):
        raise InvalidParameterError(
            f"{source} has parameters or credentials that are not JSON objects; write them as "
            '{"NAME": value}.'
        )
    for name, value in (credentials or {}).items():
        if value is not None and not (isinstance(value, str) and is_text(value)):
            raise InvalidParameterError(  # not shown, because it may be a secret
                f"{source} has credentials whose {shown(name)} is not text; write it in quotes."
            )
    return Job(task, parameters, credentials, document.get("interactive") is True)


def _read_job(argv: Sequence[str]) -> tuple[Job, Stdin | None]:
    """Return the job and, where it came from standard input, the rest of that."""
    if len(argv) > 1 or (argv and argv[0].startswith("-") and argv[0] != "-"):
        raise InvalidParameterError(USAGE)
    if argv and argv[0] != "-":
        path = Path(argv[0])
        try:
            with path.open("rb") as file:
                text = file.read(LARGEST_DOCUMENT + 1)
        except OSError as error:
            reason = error.strerror or "unreadable"
            raise InvalidParameterError(
                f"The job file {path} cannot be read ({reason}); check its path."
            ) from None
        return parse_job(text, f"The job file {path}"), None
    if not argv and os.isatty(0):
        raise InvalidParameterError(USAGE)
    stdin = Stdin()
    text = stdin.line(LARGEST_DOCUMENT)
    if not _is_object(text):
        text += stdin.rest(LARGEST_DOCUMENT)
    if not text.strip():
        raise InvalidParameterError(f"There is no job on standard input. {USAGE}")
    return parse_job(text, "The job on standard input"), stdin


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text.decode("utf-8-sig")), dict)
    except (ValueError, RecursionError):
        return False


def _task(name: str) -> ModuleType:
    """Import a task and all that it needs.

    What modules consist of stays until the process ends. The garbage collector would look through
    it again and again, for a tenth of the time that the import takes, and find nothing.
    """
    gc.disable()
    try:
        return importlib.import_module(f"..tasks.{_MODULES[name]}", __package__)
    finally:
        gc.freeze()
        gc.enable()


def _stop_on_signals(channel: Channel) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        # Asked before: leave at once, but through all `finally` blocks.
        if channel.canceled() and not channel.is_completing:
            raise KeyboardInterrupt
        channel.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _sentence(error: Exception) -> str | None:
    """Return what a user can do about an error that no task foresaw; None for a defect of ours."""
    if isinstance(error, MemoryError):
        return (
            "This computer ran out of memory; close other programs, set a smaller "
            "CHUNK_SIZE, or choose fewer LAYERS or a smaller EXTENT."
        )
    if isinstance(error, OSError) and error.errno in _FULL_DISK:
        place = f" at {error.filename}" if error.filename else ""
        return f"The disk is full{place}; free some space or write to another disk."
    if isinstance(error, PermissionError) and error.filename:
        return f"Access to {error.filename} was denied; check its permissions."
    if isinstance(error, OSError) and error.errno is not None:
        place = f" at {shown(str(error.filename))}" if error.filename else ""
        return (
            f"A file or connection failed{place} ({error.strerror or error}); check that disk and "
            "network work, and run again."
        )
    if isinstance(error, ImportError) and not str(error.name or PACKAGE).startswith(PACKAGE):
        return (
            f"The core environment ({sys.executable}) lacks a working package {error.name} "
            f"({error}); {environment_remedy(sys.prefix)}."
        )
    return None


def _defect(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (
        f"This is a defect in HyP3 Stack; please report it with the log: "
        f"{type(error).__name__}{': ' + text if text else ''}."
    )
