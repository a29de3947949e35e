"""Runs a job in the core process and passes on what it says.

Needs the standard library only, so that it is tested without QGIS.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ...core.contract import CANCEL_LINE, PROTOCOL, Message
from ...core.run.surroundings import environment_remedy
from .child_process import (
    POLL_SECONDS,
    STDERR,
    ChildProcess,
    current_environment,
    describe_exit,
    parse_message,
)

CORE = Path(__file__).resolve().parents[2] / "core"

CANCEL_GRACE = 1.3
"""Seconds that a canceled core gets to end by itself; then it is terminated, and soon killed.

What it has not finished has a hidden name, and the next run goes on with it or removes it.
"""

KILL_GRACE = 0.3
"""Seconds between asking a canceled core to end and killing it."""

_AFTER_CANCEL = 0.2
"""Seconds to hear the last words of a canceled core whose children keep its outputs open."""

EXIT_GRACE = 10.0
"""Seconds between the last message and the end of the process, or to give outputs their names."""

_STDERR_LINES = 200


class Feedback(Protocol):
    """What is needed of a QgsProcessingFeedback."""

    def isCanceled(self) -> bool:
        """Return whether the user canceled."""

    def setProgress(self, progress: float) -> None:
        """Show progress, 0 to 100."""

    def pushInfo(self, info: str) -> None:
        """Show an information."""

    def pushWarning(self, warning: str) -> None:
        """Show a warning."""

    def pushDebugInfo(self, info: str) -> None:
        """Show a detail."""


class CoreError(Exception):
    """The core process failed; the message is one sentence for the user."""


class CoreCanceledError(CoreError):
    """The run was canceled."""


def run_core(
    python: str,
    task: str,
    parameters: Mapping[str, Any],
    feedback: Feedback,
    credentials: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run one task with the interpreter ``python`` and return its outputs.

    The job, credentials included, goes through standard input. Raises CoreCanceledError if the user
    canceled and CoreError if there is no result.
    """
    job = {
        "protocol": PROTOCOL,
        "task": task,
        "parameters": dict(parameters),
        "credentials": dict(credentials) if credentials else None,
        "interactive": True,
    }
    command = [python, "-X", "faulthandler", str(CORE)]
    try:
        child = ChildProcess(command, current_environment(), json.dumps(job) + "\n")
    except OSError as error:
        raise CoreError(
            f"The core environment's Python {python} cannot be started "
            f"({error.strerror or error}); {_remedy(python)}."
        ) from None
    try:
        return _Conversation(child, python, feedback).run()
    finally:
        child.stop()


class _Conversation:
    """Listens to one core process until it has answered."""

    def __init__(self, child: ChildProcess, python: str, feedback: Feedback) -> None:
        self._child = child
        self._python = python
        self._feedback = feedback
        self._log: deque[str] = deque(maxlen=_STDERR_LINES)
        self._answer: dict[str, Any] | None = None
        self._answered = 0.0
        self._canceled: float | None = None
        self._terminated = False
        self._cancel_grace = CANCEL_GRACE

    def run(self) -> dict[str, Any]:
        for item in self._child.lines():
            if item is not None:
                self._take(*item)
            self._attend()
        self._await_end()
        if self._answer is not None and self._answer["type"] != Message.ERROR:
            if self._canceled is not None:
                self._feedback.pushInfo("The run was complete before it could be canceled.")
            return self._answer["outputs"]
        if self._feedback.isCanceled():
            said = self._answer or {}
            is_about_it = said.get("kind") == "Canceled"  # it may say how to go on
            text = str(said.get("text")) if is_about_it else "The run was canceled."
            raise CoreCanceledError(text)
        if self._answer is None:
            raise CoreError(self._silence())
        self._show_log()
        raise CoreError(str(self._answer.get("text")))

    def _await_end(self) -> None:
        """Wait for a core that says nothing any more; it may still be canceled."""
        deadline = time.monotonic() + EXIT_GRACE
        while not self._child.wait(POLL_SECONDS):
            self._attend()
            if time.monotonic() > deadline:
                self._child.stop()
                return

    def _take(self, stream: str, line: str) -> None:
        """Pass one line on."""
        if stream == STDERR:
            self._log.append(line)
            return
        message = parse_message(line)
        kind = message.get("type")
        if kind == Message.PROGRESS and isinstance(message.get("percent"), (int, float)):
            self._feedback.setProgress(message["percent"])
        elif kind == Message.INFO:
            self._feedback.pushInfo(str(message.get("text")))
        elif kind == Message.WARNING:
            self._feedback.pushWarning(str(message.get("text")))
        elif kind == Message.COMPLETING:
            self._cancel_grace = EXIT_GRACE
        elif kind == Message.ERROR or isinstance(message.get("outputs"), dict):
            self._answer = message
            self._answered = time.monotonic()
        else:
            self._feedback.pushDebugInfo(line)

    def _attend(self) -> None:
        """Stop a core that was canceled, or that does not end after its answer."""
        now = time.monotonic()
        if self._canceled is None and self._feedback.isCanceled():
            self._canceled = now
            self._child.linger = _AFTER_CANCEL
            self._child.send_later(CANCEL_LINE + "\n")
        if self._answer is not None and now - self._answered > EXIT_GRACE:
            self._child.stop()
        if self._canceled is not None and self._child.returncode is None:
            waited = now - self._canceled
            if waited > self._cancel_grace + KILL_GRACE:
                self._child.kill()
            elif waited > self._cancel_grace and not self._terminated:
                self._terminated = True
                self._child.terminate()

    def _silence(self) -> str:
        """Return a sentence about a core that ended without an answer."""
        self._show_log()
        returncode = self._child.returncode
        ending = describe_exit(returncode)
        if ending is not None:
            return f"The core process {ending}."
        last = next((line.strip() for line in reversed(self._log) if line.strip()), "no message")
        return (
            f"The core process ended without a result (exit code {returncode}: {last}); "
            f"{_remedy(self._python)}."
        )

    def _show_log(self) -> None:
        if self._log:
            self._feedback.pushDebugInfo("\n".join(self._log))


def _remedy(python: str) -> str:
    return environment_remedy(Path(python).parent.parent)
