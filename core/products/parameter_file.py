"""The ``key: value`` text file that comes with each interferogram."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

_WIDE = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _normal(key: str) -> str:
    """Fold spelling variants of a key, such as ``UTCtime`` and ``UTC time``."""
    return re.sub(r"[^a-z0-9]", "", key.lower())


def decoded(content: bytes) -> str:
    """Return a text that may have been saved anew by an editor, with a mark of its encoding."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), *_WIDE):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


class ParameterFile:
    """Typed, tolerant access to a parameter file.

    Keys come and go between versions of HyP3, so a missing key is normal and every reader returns
    None for it, as for a value that is not of the asked type. Keys are compared without regard to
    case, spaces and punctuation. Values may contain colons.

    Parameters
    ----------
    text
        Content of the file; lines without a colon are passed over.
    """

    def __init__(self, text: str) -> None:
        entries: dict[str, str] = {}
        for line in text.splitlines():
            key, colon, value = line.partition(":")
            if colon and key.strip():
                entries.setdefault(key.strip(), value.strip())
        self.content = text
        self.entries: Mapping[str, str] = MappingProxyType(entries)
        self._by_normal = {_normal(key): value for key, value in entries.items()}

    def text(self, key: str) -> str | None:
        """Return the value as written, None where it is missing or blank."""
        return self._by_normal.get(_normal(key)) or None

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        try:
            value = float(self.text(key) or "")
        except ValueError:
            return None
        return value if math.isfinite(value) else None

    def integer(self, key: str) -> int | None:
        """Return a whole number; ``160.0`` counts as one."""
        value = self.number(key)
        return int(value) if value is not None and value == int(value) else None

    def names(self, key: str) -> tuple[str, ...]:
        """Return the entries of a comma-separated value (granules of a multi-burst product)."""
        return tuple(part.strip() for part in (self.text(key) or "").split(",") if part.strip())

    def flag(self, key: str) -> bool | None:
        """Return a yes/no value."""
        return {"yes": True, "no": False}.get((self.text(key) or "").lower())
