"""The user's ``.netrc``, as editors of all systems write it, and where it is wrong."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

_LARGEST = 1 << 20
_NAMES = (".netrc", "_netrc")
_KEYS = ("login", "user", "account", "password")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|((?:[^\s\\]|\\.|\\$)+)')


@dataclass(frozen=True, repr=False)
class NetrcEntry:
    """What a file says about one host."""

    line: int  # where it begins, counted from 1
    # Empty where they are missing.
    login: str = ""
    password: str = ""


@dataclass(frozen=True, repr=False)
class NetrcFile:
    """A file as it was read; its representation shows nothing of it."""

    path: Path  # the file
    # By host in lower case; empty for ``default``.
    entries: Mapping[str, NetrcEntry] = field(default_factory=dict)
    # Lines with words that have no meaning there, by what host they belong to, if to any.
    wrong_lines: Mapping[int, str | None] = field(default_factory=dict)
    is_open: bool = False  # whether other users of the computer may read it

    def entry(self, host: str) -> tuple[str, NetrcEntry | None]:
        """Return the name of the entry that holds for a host, and the entry."""
        name = host if host in self.entries else ""
        return name, self.entries.get(name)

    def first_wrong_line(self, name: str | None = None) -> int | None:
        """Return the first line that is wrong, of one entry or of all."""
        lines = (n for n, host in self.wrong_lines.items() if name is None or host == name)
        return min(lines, default=None)


def netrc_path(environment: Mapping[str, str]) -> Path | None:
    """Return the file that counts: the one that ``NETRC`` names, else the one in the home folder.

    There may be none, and one that ``NETRC`` names need not be there.
    """
    named = environment.get("NETRC")
    try:
        if named:
            return Path(named).expanduser()
        return next((path for name in _NAMES if (path := Path.home() / name).is_file()), None)
    except (RuntimeError, OSError, ValueError):
        # No home, or one that cannot be looked into.
        return None


def read_netrc(path: Path) -> NetrcFile:
    """Read a file as far as it makes sense.

    Raises
    ------
    OSError
        If it cannot be read, or is not an ordinary file.
    """
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(None, "it is not an ordinary file")
        text = _decoded(file.read(_LARGEST))
    is_open = os.name == "posix" and bool(status.st_mode & (stat.S_IRWXG | stat.S_IRWXO))
    return _parsed(path, text, is_open)


def _decoded(data: bytes) -> str:
    """Return the text: UTF-8, UTF-16 of Windows, or the letters of western Europe."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if b"\0" in data:
        big = data[::2].count(0) > data[1::2].count(0)
        return data.decode("utf-16-be" if big else "utf-16-le", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _words(text: str) -> list[_Word]:
    """Return the words in their order; macros are passed over."""
    words = []
    in_macro = False
    for number, line in enumerate(re.split("\r\n|\r|\n", text), 1):
        if in_macro:
            in_macro = bool(line.strip())
            continue
        for match in _WORD.finditer(line):
            quoted = match[1] is not None
            word = match[1] if quoted else match[2]
            if not quoted and word == "macdef":
                in_macro = True
                break
            words.append(_Word(number, re.sub(r"\\(.)", r"\1", word), quoted))
    return words


class _Word(NamedTuple):
    line: int
    text: str
    quoted: bool

    def begins(self, *texts: str) -> bool:
        """Return whether this is one of the words that have a meaning."""
        return not self.quoted and self.text in texts


def _parsed(path: Path, text: str, is_open: bool) -> NetrcFile:
    entries: dict[str, NetrcEntry] = {}
    wrong: dict[int, str | None] = {}
    host: str | None = None
    last_line = comment = 0
    words = deque(_words(text))
    while words:
        word = words.popleft()
        if word.line == comment:
            continue
        if word.text.startswith("#") and not word.quoted:
            comment = word.line
            continue
        if word.begins("default"):
            host, last_line = "", word.line
            entries[host] = NetrcEntry(word.line)
        elif word.begins("machine"):
            name = _value(words)
            host, last_line = name.text.lower(), word.line
            entries[host] = NetrcEntry(word.line)
        elif word.begins(*_KEYS) and host is not None:
            value = _value(words)
            last_line = value.line or word.line
            old = entries[host]
            if word.text == "password":
                entries[host] = replace(old, password=value.text)
            elif word.text != "account":
                entries[host] = replace(old, login=value.text)
        else:
            # On the line of an entry it may be a part of its password; what follows up to the next
            # entry belongs to nobody.
            wrong.setdefault(word.line, host if word.line == last_line else None)
            host = None
    return NetrcFile(path, entries, wrong, is_open)


def _value(words: deque[_Word]) -> _Word:
    """Take what follows a word, unless the next thing begins there."""
    if not words or words[0].begins("machine", "default", *_KEYS):
        return _Word(0, "", False)
    return words.popleft()
