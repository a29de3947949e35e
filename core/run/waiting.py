"""Waiting for calls that cannot be interrupted, and for time to pass."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .reporter import Reporter, stop_if_canceled

Result = TypeVar("Result")

_POLL_SECONDS = 0.1


def run_cancellable(
    call: Callable[[], Result], reporter: Reporter, seconds: float | None = None
) -> Result:
    """Run a blocking call beside the run, so that cancel and deadline still hold.

    A call that cannot be stopped is left behind in a daemon thread.

    Raises
    ------
    TimeoutError
        If the deadline has passed.
    """
    outcome: list[Result] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the waiting thread
            failure.append(error)

    thread = threading.Thread(target=run, daemon=True, name="beside the run")
    thread.start()
    deadline = None if seconds is None else time.monotonic() + seconds
    while thread.is_alive():
        stop_if_canceled(reporter)
        if deadline is not None and time.monotonic() > deadline:
            raise TimeoutError
        thread.join(_POLL_SECONDS)
    if failure:
        raise failure[0]
    return outcome[0]


def wait_seconds(seconds: float, reporter: Reporter) -> None:
    """Let time pass, unless the user asks to stop."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0.0:
        stop_if_canceled(reporter)
        time.sleep(min(left, _POLL_SECONDS))
