"""What the ASF catalog answered and what never changes, kept on disk."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..service.json_fields import STRANGE

_LOOKUP_SIZE = 500


def cache_folder() -> Path:
    """Return the user's cache folder of this program; ``HYP3_STACK_CACHE`` overrides it."""
    try:
        return _cache_folder()
    except RuntimeError:
        # No home, as in some containers: what lies below the null device can never be made.
        return Path(os.devnull) / "hyp3_stack"


def _cache_folder() -> Path:
    own = os.environ.get("HYP3_STACK_CACHE")
    if own:
        return Path(own).expanduser()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "hyp3_stack" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "hyp3_stack"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "hyp3_stack"


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


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """Facts of a scene that are not in its name."""

    path: int | None  # relative orbit, 1..175
    ascending: bool | None  # whether the satellite flew north
    # Outline as (longitude, latitude) in degrees; empty where the catalog has none.
    ring: tuple[tuple[float, float], ...]


class SceneCache:
    """A table of scene facts; a cache that cannot be used is an empty one.

    Parameters
    ----------
    folder
        Where the file lies; created when something is stored.
    host
        Catalog that the facts are from; other hosts' facts are never returned.
    """

    def __init__(self, folder: Path, host: str) -> None:
        self._answers = AnswerCache(folder / "scenes.sqlite", host)

    def load(self, names: Iterable[str]) -> dict[str, SceneFacts]:
        """Return the facts of those scenes that are known."""
        found = {}
        try:
            for name, facts in self._answers.load(names).items():
                ring = tuple((float(lon), float(lat)) for lon, lat in facts["ring"])
                found[name] = SceneFacts(facts["path"], facts["ascending"], ring)
        except STRANGE:
            return {}
        return found

    def store(self, facts: Mapping[str, SceneFacts]) -> None:
        """Keep facts for later runs, if the folder allows."""
        self._answers.store({name: asdict(fact) for name, fact in facts.items()})
