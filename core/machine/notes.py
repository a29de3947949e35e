"""Where a run keeps a note for the next one: in a file, or in two places that belong together."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Protocol

from .atomic import flush


class Note(Protocol):
    """A few bytes that outlast the run that wrote them, replaced as a whole or not at all."""

    @property
    def seconds(self) -> float:
        """Least time between two notes: what a killed run has to do again."""

    @property
    def exists(self) -> bool:
        """Return whether there is a note, as far as this run knows without asking."""

    def read(self) -> bytes | None:
        """Return the note, None where there is none that is of use to this run."""

    def write(self, content: bytes) -> None:
        """Write the note, once everything that was written before it lasts as long as it does."""

    def remove(self) -> None:
        """Remove the note, if there is one."""


class FileNote:
    """A note in a file beside files that it tells of.

    Parameters
    ----------
    path
        The file.
    """

    seconds = 1.0

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def exists(self) -> bool:
        """Return whether there is a note."""
        return self._path.exists()

    def read(self) -> bytes | None:
        """Return the note."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, content: bytes) -> None:
        """Write the note after the disks have taken all other files: it survives a power cut."""
        if hasattr(os, "sync"):  # not on Windows
            os.sync()
        partial = self._path.with_name(f"{self._path.name}.new")
        with open(partial, "wb") as file:
            file.write(content)
            flush(file)
        os.replace(partial, self._path)

    def remove(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)


class AnchoredNote:
    """A note about two places that is kept in the nearer one, where it costs less.

    Both hold the same random anchor. If that of the far place is missing or another one, what was
    written there is gone or belongs to another run, and the note is worth nothing.

    Parameters
    ----------
    near
        Keeps anchor and note.
    far
        Keeps the anchor.
    """

    _DIGITS = 32

    def __init__(self, near: Note, far: Note) -> None:
        self._near = near
        self._far = far
        self._anchor = b""
        self._is_trusted = False

    def trust(self) -> None:
        """Take the note for true without an anchor: what it tells of was found at the far place."""
        self._is_trusted = True

    @property
    def seconds(self) -> float:
        """Least time between two notes."""
        return self._near.seconds

    @property
    def exists(self) -> bool:
        """Return whether there is a note, and its anchor."""
        return bool(self._anchor) and self._near.exists

    def read(self) -> bytes | None:
        """Return the note, if the far place is as the note knows it."""
        content = self._near.read()
        if content is None:
            return None
        anchor, rest = content[: self._DIGITS], content[self._DIGITS :]
        if not self._is_trusted and self._far.read() != anchor:
            return None
        self._anchor = anchor
        return rest

    def write(self, content: bytes) -> None:
        """Write the note; the first one casts the anchor."""
        if not self._anchor:
            anchor = uuid.uuid4().hex.encode()
            self._far.write(anchor)
            self._anchor = anchor
        self._near.write(self._anchor + content)

    def remove(self) -> None:
        """Remove note and anchor."""
        self._anchor = b""
        self._near.remove()
        self._far.remove()
