"""What the ASF catalog said about scenes, kept on disk, because it never changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ..service.json_fields import STRANGE
from .answer_cache import AnswerCache


@dataclass(frozen=True, slots=True)
class SceneFacts:
    """Facts of a scene that are not in its name."""

    path: int | None  # relative orbit, 1..175
    ascending: bool | None  # whether the satellite flew north
    # Outline as (longitude, latitude) in degrees; empty where the catalog has none.
    ring: tuple[tuple[float, float], ...]


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
