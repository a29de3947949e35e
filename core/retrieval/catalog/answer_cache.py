"""Answers of a service that never change, kept on disk."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from ..service.json_fields import STRANGE

_LOOKUP_SIZE = 500


class AnswerCache:
    """JSON objects by name; a cache that cannot be used is an empty one.

    Parameters
    ----------
    file
        SQLite file; created when something is stored.
    host
        Service that the answers are from; those of other services are never returned.
    """

    def __init__(self, file: Path, host: str) -> None:
        self._file = file
        self._host = host

    def load(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the answers that are known."""
        wanted = list(names)
        found: dict[str, dict[str, Any]] = {}
        if not self._file.is_file():
            return found
        try:
            with closing(sqlite3.connect(self._file, timeout=5)) as database:
                for begin in range(0, len(wanted), _LOOKUP_SIZE):
                    part = wanted[begin : begin + _LOOKUP_SIZE]
                    marks = ",".join("?" * len(part))
                    rows = database.execute(
                        f"SELECT name, answer FROM answer WHERE host = ? AND name IN ({marks})",  # noqa: S608 # nosec B608 - question marks only
                        [self._host, *part],
                    )
                    found.update({name: dict(json.loads(text)) for name, text in rows})
        except (sqlite3.Error, *STRANGE):
            return {}
        return found

    def store(self, answers: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep answers for later runs, if the folder allows."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=5)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS answer"
                    " (host TEXT, name TEXT, answer TEXT, PRIMARY KEY (host, name))"
                )
                database.executemany(
                    "INSERT OR REPLACE INTO answer VALUES (?, ?, ?)",
                    [(self._host, name, json.dumps(answer)) for name, answer in answers.items()],
                )
        except (OSError, sqlite3.Error):
            return
