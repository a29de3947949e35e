"""The note of a build that is kept in the object store, beside the chunks that it tells of."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress

from ..errors import StoreError
from .objects import Objects

JOURNAL = ".hyp3-partial-journal"
"""Object with the note."""


class ObjectNote:
    """A note in an object; a request that has returned lasts, so that there is no more to wait for.

    Parameters
    ----------
    objects
        What lies at the location; few attempts are enough: what fails is tried again with the next
        note.
    identity
        The same for builds that give the same result; notes of others are not read.
    check
        Raises an error if the location belongs to another run.
    """

    seconds = 5.0

    def __init__(self, objects: Objects, identity: str, check: Callable[[], None]) -> None:
        self._objects = objects
        self._head = f"HyP3 Stack {identity}\n".encode()
        self._check = check
        self._exists = False

    @property
    def exists(self) -> bool:
        """Return whether this run has read or written the note."""
        return self._exists

    def read(self) -> bytes | None:
        """Return the note, if it is whole and of a build of the same identity."""
        content = self._objects.get(JOURNAL)
        if content is None or not content.startswith(self._head):
            return None
        try:
            note = zlib.decompress(content[len(self._head) :])
        except zlib.error:
            return None
        self._exists = True
        return note

    def write(self, content: bytes) -> None:
        """Write the note, unless the location was taken by another run."""
        self._check()
        self._objects.put(JOURNAL, self._head + zlib.compress(content, 1))
        self._exists = True

    def remove(self) -> None:
        """Remove the note; one that stays tells the truth until the chunks are removed."""
        self._exists = False
        with suppress(StoreError):
            self._objects.remove([JOURNAL])
