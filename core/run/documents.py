"""Documents that are read as a whole, as far as they are not too large for that."""

from __future__ import annotations

from pathlib import Path

LARGEST_DOCUMENT = 1 << 26
"""Bytes; what it holds takes twenty times as much memory."""


def read_document(path: Path) -> bytes:
    """Return the content of a document.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is too large.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_DOCUMENT + 1)
    if len(content) > LARGEST_DOCUMENT:
        raise ValueError(f"more than {LARGEST_DOCUMENT:,} bytes")
    return content
