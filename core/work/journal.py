"""What a run has finished, noted so that the same run can go on from there."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from isal import isal_zlib

from ..errors import Canceled, OutputError
from ..machine.atomic import replace_content
from ..machine.stamps import Stamp, Stamps
from .pieces import PieceResult, Receipts

_SHARE = 0.05
"""Share of the time that notes may take; slow disks and networks get them less often."""

_SHORTEST = 1.0
"""Seconds between two notes at least: what a killed run has to do again."""

_LONGEST = 60.0
"""Seconds between two notes at most, however long one took."""

_LAST_NOTE = 1.0
"""Seconds that the last note of a canceled run may take."""


_TEXTS = ("head", "done", "inputs")
_SUM = "sum "
_DIGITS = 8


def _checksum(content: Any) -> bytes:
    return b"%08x" % isal_zlib.crc32(content)


class Journal:
    """The pieces of a run that are done and what they learned.

    A note is written in the background every few seconds, after disks and object stores have taken
    what the pieces wrote: a piece that is noted survives a power cut. To be used as a context
    manager.

    Parameters
    ----------
    note
        File in which the notes are kept; None keeps them in memory only.
    inputs
        The files that are read: a note of a run that read others is worth nothing.
    subject
        What the pieces are about, as JSON knows it. A note on another subject may have read other
        files, but none that was changed since.

    Attributes
    ----------
    learned
        What the pieces learned, without their receipts.
    finished
        What was noted of the outputs when they were complete; None before.
    noted_subject
        What the pieces that are done are about.
    """

    def __init__(self, note: Path | None, inputs: Stamps, subject: Any = None) -> None:
        self._path = note
        self.noted_subject = self._subject = subject
        self._inputs = {str(path): asdict(stamp) for path, stamp in inputs.items()}
        self._lock = threading.Lock()
        self._noting = threading.Lock()
        self._closing = threading.Event()
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._done: dict[str, str] = {}  # the receipts of each, as JSON
        self._counted: set[str] = set()
        self._noted = 0
        self._is_open = False
        self.finished: dict[str, Any] | None = None
        self.learned = PieceResult()

    def begin(self) -> None:
        """Write the first note, once the outputs are laid out."""
        self._note()

    def resume(self) -> bool:
        """Read the note of an earlier attempt; returns whether there is one.

        Raises
        ------
        OutputError
            If there is one that is of no use; the journal is empty then.
        """
        self._is_open = True
        if self._path is None or not self._path.exists():
            return False
        content = self._path.read_bytes()
        check, rest = content[:_DIGITS], content[_DIGITS:]
        if check != _checksum(rest):
            raise OutputError("What a build that stopped has left is damaged")
        with np.load(io.BytesIO(rest), allow_pickle=False) as note:
            texts = {name: note[name].tobytes() for name in _TEXTS}
            names = (name for name in note.files if name.startswith(_SUM))
            sums = {name.removeprefix(_SUM): note[name] for name in names}
        head = json.loads(texts["head"])
        is_same = head["subject"] == self._subject
        if not self._has_read(json.loads(texts["inputs"]), is_same):
            raise OutputError("Inputs were changed since a build of them stopped")
        self.noted_subject = head["subject"]
        self._counted = set(head["counted"])
        self._done = {key: json.dumps(item) for key, item in json.loads(texts["done"]).items()}
        self.finished = head["finished"]
        self.learned = PieceResult(sums=sums, maxima=head["maxima"])
        self._noted = len(self._done)
        return True

    def _has_read(self, inputs: dict[str, dict[str, Any]], all_of_them: bool) -> bool:
        """Return whether a run that noted its inputs has read those of this one as they are."""

        def stamp(facts: dict[str, Any]) -> Stamp:
            return Stamp(**{**facts, "access": tuple(facts["access"])})

        if all_of_them and inputs.keys() != self._inputs.keys():
            return False
        return all(
            stamp(inputs[path]).is_same(stamp(self._inputs[path]))
            for path in inputs.keys() & self._inputs.keys()
        )

    def start_over(self) -> None:
        """Forget what an earlier attempt noted."""
        self._done, self._counted, self._noted, self.finished = {}, set(), 0, None
        self.noted_subject, self.learned = self._subject, PieceResult()

    def take_over(
        self, pieces: Mapping[str, Receipts], learned: PieceResult, learned_from: Iterable[str]
    ) -> None:
        """Take other pieces for done than an earlier attempt, which was about something else.

        Parameters
        ----------
        pieces
            What each has written, by its key.
        learned
            What pieces have learned.
        learned_from
            Keys of these; some may have to be done again.
        """
        self.start_over()
        self._done = {key: json.dumps(receipts) for key, receipts in pieces.items()}
        self._counted = set(learned_from)
        self.learned = learned

    @property
    def is_same_subject(self) -> bool:
        """Whether the pieces that are done are about what this run is about."""
        return bool(self.noted_subject == self._subject)

    @property
    def learned_from(self) -> frozenset[str]:
        """Keys of the pieces that what was learned comes from."""
        return frozenset(self._counted)

    @property
    def pieces(self) -> dict[str, Receipts]:
        """What each piece that is done has written."""
        with self._lock:
            texts = dict(self._done)
        return {
            key: {name: (size, value, tag) for name, (size, value, tag) in json.loads(text).items()}
            for key, text in texts.items()
        }

    @property
    def receipts(self) -> Receipts:
        """What all pieces that are done have written."""
        return {name: made for receipts in self.pieces.values() for name, made in receipts.items()}

    def doubt(self, chunks: set[str], reads_others: Callable[[str], bool]) -> None:
        """Take pieces for undone that have written one of some chunks, which are not as noted.

        Parameters
        ----------
        reads_others
            Returns whether a key is that of a piece that reads what others have written, which may
            have been wrong by then.
        """
        lost = {key for key, text in self._done.items() if not chunks.isdisjoint(json.loads(text))}
        if any(not reads_others(key) for key in lost):
            lost |= set(filter(reads_others, self._done))
        for key in lost:
            del self._done[key]
        self._noted = len(self._done)

    def __contains__(self, key: str) -> bool:
        with self._lock:
            return key in self._done

    def __len__(self) -> int:
        return len(self._done)

    def record(self, key: str, learned: PieceResult) -> None:
        """Remember that a piece is done; may be called from many threads."""
        text = json.dumps(learned.receipts)
        with self._lock:
            self._done[key] = text
            if key not in self._counted:
                self._counted.add(key)
                self.learned.learn(learned)

    def finish(self, facts: dict[str, Any]) -> None:
        """Note that the outputs are complete, with what proves and publishes them later.

        Without such a note, a build that is killed from here on repeats its last steps.
        """
        self.finished = facts
        self._stop()
        # The outputs get their names next: disks have to have taken them by then.
        with suppress(OSError, OutputError):
            self._note()

    def forget(self) -> None:
        """Remove the note: what it describes does not last any longer."""
        self._stop()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def __enter__(self) -> Journal:
        self._writer.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._is_open and not self._done:
            self.forget()
            return
        # What comes next may remove the note, so that none must be under way.
        self._stop(_LAST_NOTE if isinstance(error, Canceled) else None)

    def _stop(self, seconds: float | None = None) -> None:
        self._closing.set()
        self._writer.join(seconds)

    def _write(self) -> None:
        pause = _SHORTEST
        while not self._closing.wait(pause):
            begin = time.monotonic()
            self._note_news()
            took = time.monotonic() - begin
            pause = min(max(_SHORTEST, took / _SHARE), _LONGEST)
        if self.finished is None:
            self._note_news()

    def _note_news(self) -> None:
        if len(self._done) > self._noted and self._path is not None and self._path.exists():
            try:
                self._note()
            except (OSError, OutputError):
                # What is wrong ends the run itself, if it does not pass; the last note remains.
                return

    def _note(self) -> None:
        if self._path is not None:
            # The first note of a run and one in the background may meet where disks are slow.
            with self._noting:
                self._write_note(self._path)

    def _write_note(self, path: Path) -> None:
        with self._lock:
            number = len(self._done)
            done = dict(self._done)
            head = {
                "counted": sorted(self._counted),
                "maxima": self.learned.maxima,
                "finished": self.finished,
                "subject": self._subject,
            }
            arrays: dict[str, Any] = {
                f"{_SUM}{name}": array.copy() for name, array in self.learned.sums.items()
            }
        items = ",".join(f"{json.dumps(key)}:{text}" for key, text in done.items())
        texts = {
            "head": json.dumps(head),
            "done": f"{{{items}}}",
            "inputs": json.dumps(self._inputs),
        }
        arrays |= {name: np.frombuffer(text.encode(), "u1") for name, text in texts.items()}
        content = io.BytesIO()
        np.savez(content, **arrays)
        # The note comes after the disks have taken all other files: it survives a power cut.
        if hasattr(os, "sync"):  # not on Windows
            os.sync()
        replace_content(path, _checksum(content.getbuffer()) + content.getvalue())
        self._noted = number
