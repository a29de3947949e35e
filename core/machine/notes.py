"""A note that a run leaves for the next one."""

from __future__ import annotations

import os
from pathlib import Path

from .atomic import flush


class FileNote:
    """A few bytes in a file beside those they tell of, replaced as a whole or not at all.

    Parameters
    ----------
    path
        The file.
    """

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
