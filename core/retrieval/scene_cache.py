"""What the ASF catalog said about scenes, kept on disk, because it never changes."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

_LOOKUP_SIZE = 500


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """Facts of a scene that its name does not tell.

    Parameters
    ----------
    path
        Relative orbit, 1..175.
    ascending
        Whether the satellite flew north.
    ring
        Outline as (longitude, latitude) in degrees; empty where the catalog has none.
    """

    path: int | None
    ascending: bool | None
    ring: tuple[tuple[float, float], ...]


def cache_folder() -> Path:
    """Return the user's cache folder of this program; ``HYP3_STACK_CACHE`` overrides it."""
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
        self._file = folder / "scenes.sqlite"
        self._host = host

    def load(self, names: Iterable[str]) -> dict[str, SceneFacts]:
        """Return the facts of those scenes that are known."""
        wanted = list(names)
        found: dict[str, SceneFacts] = {}
        if not self._file.is_file():
            return found
        try:
            with closing(sqlite3.connect(self._file, timeout=5)) as database:
                for begin in range(0, len(wanted), _LOOKUP_SIZE):
                    part = wanted[begin : begin + _LOOKUP_SIZE]
                    marks = ",".join("?" * len(part))
                    rows = database.execute(
                        f"SELECT name, facts FROM scene WHERE host = ? AND name IN ({marks})",  # noqa: S608 # nosec B608 - question marks only
                        [self._host, *part],
                    )
                    for name, text in rows:
                        facts = json.loads(text)
                        ring = tuple((float(lon), float(lat)) for lon, lat in facts["ring"])
                        found[name] = SceneFacts(facts["path"], facts["ascending"], ring)
        except (sqlite3.Error, ValueError, KeyError, TypeError):
            return {}
        return found

    def store(self, facts: Mapping[str, SceneFacts]) -> None:
        """Keep facts for later runs, if the folder allows."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._file, timeout=5)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS scene"
                    " (host TEXT, name TEXT, facts TEXT, PRIMARY KEY (host, name))"
                )
                database.executemany(
                    "INSERT OR REPLACE INTO scene VALUES (?, ?, ?)",
                    [(self._host, name, json.dumps(asdict(fact))) for name, fact in facts.items()],
                )
        except (OSError, sqlite3.Error):
            return
