"""Ends a canceled run in time, whatever its current step is doing."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import NoReturn

from ..contract import EXIT_CANCELED
from ..errors import Canceled
from .channel import Channel
from .reporter import stop_if_canceled

CANCEL_SECONDS = 1.0
"""How long a canceled run may take to stop by itself; the QGIS side waits a little longer."""

_POLL_SECONDS = 0.05

_IN_A_STEP = (
    "The run was canceled in the middle of a step; what it left unfinished, under a hidden name, "
    "the same job takes up or removes when it is run again."
)


class Ending:
    """Leaves the process when a canceled run does not end by itself.

    A step may be inside a library that nobody can interrupt. What it has written so far has a
    hidden name, and the next run takes it up or removes it, so that leaving loses nothing.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        # Held while an answer is given, so that there is never more than one.
        self._lock = threading.Lock()
        self._begun = False
        self._code: int | None = None
        threading.Thread(target=self._watch, name="ending", daemon=True).start()

    def begin(self) -> None:
        """Note that the task begins: before, there is nothing to clear up and nothing to wait for.

        Raises
        ------
        Canceled
            If the user has asked to stop already.
        """
        with self._lock:
            self._begun = True
        stop_if_canceled(self._channel)

    def answer(self, code: int, give: Callable[[], None]) -> int:
        """Give the answer of the run and return its exit code; a canceled run ends here."""
        with self._lock:
            give()
            self._code = code
            if self._channel.canceled():
                # Threads that still read or compress would be waited for otherwise.
                _leave(code)
        return code

    def _watch(self) -> None:
        self._channel.wait_for_cancel()
        deadline = time.monotonic() + CANCEL_SECONDS
        while self._begun and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        while True:
            with self._lock:
                if self._code is not None:
                    _leave(self._code)
                if not self._channel.is_completing:
                    self._channel.error(_IN_A_STEP, Canceled.__name__)
                    _leave(EXIT_CANCELED)
            time.sleep(_POLL_SECONDS)


def _leave(code: int) -> NoReturn:
    sys.stderr.flush()
    os._exit(code)
