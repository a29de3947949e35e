"""What a build has finished, noted so that the same build can go on from there."""

from __future__ import annotations

import io
import json
import threading
import time
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import Canceled, OutputError
from ..notes import Note
from .pieces import Learned
from .survey import Survey

_SHARE = 0.05
"""Share of the time that notes may take; slow disks and networks get them less often."""

_LONGEST = 60.0
"""Seconds between two notes at most, however long one took."""

_LAST_NOTE = 1.0
"""Seconds that the last note of a canceled build may take."""


class Journal:
    """The pieces of a build that are done and what they learned.

    A note is written in the background every few seconds, after disks and object stores have taken
    what the pieces wrote: a piece that is noted survives a power cut. To be used as a context
    manager.

    Parameters
    ----------
    note
        Where the notes are kept.
    survey
        An empty survey of the stack.
    """

    def __init__(self, note: Note, survey: Survey) -> None:
        self._place = note
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._done: set[str] = set()
        self._noted = 0
        self._is_open = False
        self.learned = Learned(survey.fresh())

    def begin(self) -> None:
        """Write the first note, once the outputs are laid out."""
        self._note()

    def resume(self) -> bool:
        """Read the note of an earlier attempt; tells whether there is one."""
        content = self._place.read()
        self._is_open = True
        if content is None:
            return False
        with np.load(io.BytesIO(content), allow_pickle=False) as note:
            head = json.loads(str(note["head"]))
            sums = {name: note[name] for name in note.files if name != "head"}
        self._done = set(head["done"])
        self.learned.differences = head["differences"]
        self.learned.survey.restore(sums)
        self._noted = len(self._done)
        return True

    def start_over(self) -> None:
        """Forget what an earlier attempt noted."""
        self._done, self._noted = set(), 0
        self.learned = Learned(self.learned.survey.fresh())

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._done

    def __len__(self) -> int:
        return len(self._done)

    def record(self, key: str, learned: Learned) -> None:
        """Remember that a piece is done; may be called from many threads."""
        with self._lock:
            if key not in self._done:
                self._done.add(key)
                self.learned.merge(learned)

    def forget(self) -> None:
        """Remove the note: what it tells of does not last any longer."""
        self._stop()
        self._place.remove()

    def __enter__(self) -> Journal:
        self._writer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_open and not self._done:
            self.forget()
            return
        # What comes next may remove the note, so that none must be under way.
        self._stop(_LAST_NOTE if isinstance(error, Canceled) else None)

    def _stop(self, seconds: float | None = None) -> None:
        self._closing.set()
        self._writer.join(seconds)

    def _write(self) -> None:
        pause = self._place.seconds
        while not self._closing.wait(pause):
            begin = time.monotonic()
            self._note_news()
            took = time.monotonic() - begin
            pause = min(max(self._place.seconds, took / _SHARE), _LONGEST)
        self._note_news()

    def _note_news(self) -> None:
        if len(self._done) > self._noted and self._place.exists:
            try:
                self._note()
            except (OSError, OutputError):
                # What is wrong ends the build itself, if it does not pass; the last note remains.
                return

    def _note(self) -> None:
        with self._lock:
            number = len(self._done)
            head: dict[str, Any] = {
                "done": sorted(self._done),
                "differences": self.learned.differences,
            }
            sums: dict[str, Any] = {
                name: array.copy() for name, array in self.learned.survey.state().items()
            }
        content = io.BytesIO()
        np.savez(content, head=np.array(json.dumps(head)), **sums)
        self._place.write(content.getvalue())
        self._noted = number
