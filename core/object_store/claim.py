"""The mark with which a run claims a location: two runs never write to one."""

from __future__ import annotations

import json
import os
import socket
import threading
import uuid
from contextlib import suppress
from datetime import datetime, timezone

from ..errors import OutputError, StackError
from ..machine.processes import is_alive, this_system
from .objects import Objects

MARK = ".hyp3-partial"
"""Object that tells that a run is writing below the location, and which."""

BEAT_SECONDS = 60.0
"""How often a run that is alive writes its mark again."""

STALE_SECONDS = 600.0
"""Age of a mark from which on its run is taken for dead."""

_ENDED_HERE: set[str] = set()
"""The runs of this process that have ended, but may not have been able to take their mark away."""


class Claim:
    """The mark of this run, written again and again as long as it is alive.

    Parameters
    ----------
    objects
        What lies at the location; few attempts are enough: a beat that fails is made up for by the
        next one.
    """

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._run = uuid.uuid4().hex
        self._content = json.dumps(
            {
                "run": self._run,
                "host": socket.gethostname(),
                "system": this_system(),
                "process": os.getpid(),
                "begun": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            }
        ).encode()
        self._before: str | None = None
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def look(self) -> None:
        """Remember which mark is there, before it is judged whether its run is dead."""
        self._before = self._objects.version(MARK)

    def take(self) -> None:
        """Leave the mark, unless another run has left one since `look`.

        Raises
        ------
        OutputError
            If another run takes the location in the same moment, or it cannot be written to.
        """
        self._objects.put_if(MARK, self._content, self._before)
        self.check()
        self._thread.start()

    def check(self) -> None:
        """Make sure that no other run has taken the location."""
        if not self.is_held():
            self._lost.set()
        self.stop_if_lost()

    def stop_if_lost(self) -> None:
        """Raise the error if it is known already that another run has taken the location."""
        if self._lost.is_set():
            raise OutputError(
                f"{self._objects.location.url} was taken by another run meanwhile; choose another "
                "key or let only one run write there."
            )

    def is_held(self) -> bool:
        """Return whether the mark is still that of this run."""
        return self._objects.get(MARK) == self._content

    def leave(self) -> None:
        """Let the mark grow old: others know by it that what lies there is a stack's."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        _ENDED_HERE.add(self._run)

    def release(self, *names: str) -> None:
        """Take the mark away, and with it other objects of this run.

        Raises
        ------
        StoreError
            If they cannot be removed.
        """
        self.leave()
        if self.is_held():
            self._objects.remove([*names, MARK])

    def _beat(self) -> None:
        while not self._ended.wait(BEAT_SECONDS):
            with suppress(StackError):
                # A computer that slept for an hour finds its location taken.
                self.look()
                self.check()
                self._objects.put_if(MARK, self._content, self._before)


def is_running(objects: Objects) -> bool:
    """Return whether the run that left a mark is still alive, as far as that can be known."""
    content = objects.get(MARK)
    if content is None:
        return False
    try:
        mark = json.loads(content)
        if mark["run"] in _ENDED_HERE:
            return False
        if mark["system"] == this_system() and not is_alive(int(mark["process"])):
            return False
    except (KeyError, TypeError, ValueError):
        pass  # Not as we write it, or of an earlier version: only its age counts.
    return objects.age(MARK) < STALE_SECONDS
